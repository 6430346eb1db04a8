"""What an account has in all, its alias, and what users and roles never have here: passwords, certificates, devices, profiles.

Source: *GetAccountSummary*, *CreateAccountAlias*, *ListInstanceProfilesForRole* (IAM API Reference). The empty lists are the
truth: what would be in them cannot be made, and clients ask before they delete a user or a role.
"""

from __future__ import annotations

from functools import partial
from typing import Any

from tidegate.aws.model import Params
from tidegate.control.context import Context, Operation
from tidegate.control.iam.lookup import find, no_such, page
from tidegate.core.errors import ControlError
from tidegate.definition.records import AccountAlias, Group, ManagedPolicy, Role, User

_QUOTAS = {
    "UsersQuota": 5000,
    "GroupsQuota": 300,
    "RolesQuota": 1000,
    "PoliciesQuota": 1500,
    "AccessKeysPerUserQuota": 2,
    "GroupsPerUserQuota": 10,
    "AttachedPoliciesPerUserQuota": 10,
    "AttachedPoliciesPerGroupQuota": 10,
    "AttachedPoliciesPerRoleQuota": 10,
    "VersionsPerPolicyQuota": 5,
    "PolicySizeQuota": 6144,
    "UserPolicySizeQuota": 2048,
    "GroupPolicySizeQuota": 5120,
    "RolePolicySizeQuota": 10240,
    "AssumeRolePolicySizeQuota": 2048,
}
"""Of the members that AWS lists, those that stand for something here."""


def summary(context: Context, _params: Params) -> dict[str, Any]:
    policies = context.tx.list(ManagedPolicy)
    counted = {
        "Users": len(context.tx.list(User)),
        "Groups": len(context.tx.list(Group)),
        "Roles": len(context.tx.list(Role)),
        "Policies": len(policies),
        "PolicyVersionsInUse": sum(len(policy.versions) for policy in policies),
        "AccountAccessKeysPresent": 0,
        "AccountMFAEnabled": 0,
        "MFADevices": 0,
        "Providers": 0,
        "ServerCertificates": 0,
    }
    return {"summary_map": counted | _QUOTAS}


def create_alias(context: Context, params: Params) -> None:
    """AWS: an account has one; another takes its place."""
    alias = params["account_alias"]
    if context.tx.exists_anywhere(AccountAlias, alias):
        raise ControlError("EntityAlreadyExists", f"The account alias {alias} already exists.", 409)
    context.tx.delete_all(AccountAlias)
    context.tx.put(AccountAlias(alias=alias))


def delete_alias(context: Context, params: Params) -> None:
    if context.tx.get(AccountAlias, params["account_alias"]) is None:
        raise no_such(f"The account alias {params['account_alias']} cannot be found.")
    context.tx.delete(AccountAlias, params["account_alias"])


def list_aliases(context: Context, params: Params) -> dict[str, Any]:
    return page([one.alias for one in context.tx.list(AccountAlias)], params, "account_aliases", str)


def _none(context: Context, params: Params, *, name: str, kind: type[User] | type[Role]) -> dict[str, Any]:
    given = params.get(f"{kind.__name__.lower()}_name")
    if given is not None:
        find(context, kind, given)
    return {name: [], "is_truncated": False}


def _no_password(context: Context, params: Params) -> None:
    user = find(context, User, params["user_name"])
    raise no_such(f"Login Profile for User {user.name} cannot be found.")


OPERATIONS: dict[str, Operation] = {
    "GetAccountSummary": summary,
    "CreateAccountAlias": create_alias,
    "DeleteAccountAlias": delete_alias,
    "ListAccountAliases": list_aliases,
    "ListInstanceProfilesForRole": partial(_none, name="instance_profiles", kind=Role),
    "ListMFADevices": partial(_none, name="mfa_devices", kind=User),
    "ListSSHPublicKeys": partial(_none, name="ssh_public_keys", kind=User),
    "ListSigningCertificates": partial(_none, name="certificates", kind=User),
    "ListServiceSpecificCredentials": partial(_none, name="service_specific_credentials", kind=User),
    "GetLoginProfile": _no_password,
    "DeleteLoginProfile": _no_password,
}
