"""AWS Identity and Access Management, as far as it decides who may call: users, groups, roles, policies, access keys.

Source: IAM API Reference. Global: records lie below one region whatever the call names. What is not here (federation, MFA,
passwords, instance profiles, server certificates) is refused by name.
"""

from __future__ import annotations

from tidegate.control.context import Operation
from tidegate.control.iam import (
    access_keys,
    account,
    attachments,
    groups,
    inline,
    policies,
    roles,
    simulate,
    tags,
    users,
)

OPERATIONS: dict[str, Operation] = {
    **access_keys.OPERATIONS,
    **account.OPERATIONS,
    **attachments.OPERATIONS,
    **groups.OPERATIONS,
    **inline.OPERATIONS,
    **policies.OPERATIONS,
    **roles.OPERATIONS,
    **simulate.OPERATIONS,
    **tags.OPERATIONS,
    **users.OPERATIONS,
}
