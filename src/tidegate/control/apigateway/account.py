"""Account: what holds for all APIs of an account and region. Source: *GetAccount*, *UpdateAccount*; shared facts,
rest-control-plane §5, access §7.
"""

from __future__ import annotations

import re
from typing import Any

from tidegate.aws.model import Params
from tidegate.control.context import Context
from tidegate.control.patch import Draft, PatchOp, bad_request, patch, rule, table
from tidegate.definition.records import Account, ThrottleSettings

_THROTTLE = ThrottleSettings(burst_limit=5000, rate_limit=10000.0)
"""AWS: the account quota; a caller cannot change it."""
_KEY_VERSION = "4"
_ROLE = re.compile(r"arn:aws[\w-]*:iam::\d{12}:role/[\w+=,.@/-]+")
_USAGE_PLANS = "UsagePlans"
_REMOVABLE = "BlockedForRoutingRules"


def get_account(context: Context, _params: Params) -> dict[str, Any]:
    return _shown(_account(context))


def _account(context: Context) -> Account:
    return context.tx.get(Account) or Account()


def _shown(account: Account) -> dict[str, Any]:
    return {
        "cloudwatch_role_arn": account.cloudwatch_role_arn,
        "throttle_settings": _THROTTLE,
        "features": account.features,
        "api_key_version": _KEY_VERSION,
    }


def update_account(context: Context, params: Params) -> dict[str, Any]:
    account = patch(_account(context), params.get("patch_operations"), RULES)
    context.tx.put(account)
    return _shown(account)


def _role(draft: Draft, op: PatchOp) -> None:
    """Recorded only: logs are written by the gateway itself, which needs nobody's role. Empty: none."""
    if op.value and not _ROLE.fullmatch(op.value):
        raise bad_request("Invalid ARN specified in the request")
    draft["cloudwatch_role_arn"] = op.value or None


def _features(draft: Draft, op: PatchOp) -> None:
    if op.op == "add" and op.value != _USAGE_PLANS:
        raise bad_request(f"Invalid feature specified: {op.value}. Must be one of: [{_USAGE_PLANS}]")
    if op.op == "remove" and op.value == _USAGE_PLANS:
        raise bad_request(f"Feature {_USAGE_PLANS} cannot be removed")
    if op.op == "remove" and op.value != _REMOVABLE:
        raise bad_request(f"Invalid feature specified: {op.value}. Must be one of: [{_REMOVABLE}]")
    # What is there stays there, what may be removed never is: no account of Tidegate is blocked for routing rules.


RULES = table(
    rule("/cloudwatchRoleArn", "replace", _role),
    rule("/features", "add remove", _features),
)

OPERATIONS = {"GetAccount": get_account, "UpdateAccount": update_account}
