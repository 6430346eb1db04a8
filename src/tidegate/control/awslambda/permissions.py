"""A function's resource policy. Source: *AddPermission*; shared facts, lambda §8."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from typing import Any

from tidegate.aws.model import Params
from tidegate.control.awslambda.lookup import conflict, get_invocable, invalid, not_found, read_target
from tidegate.control.context import Context
from tidegate.core.arns import function_arn
from tidegate.core.errors import ControlError
from tidegate.definition.records import LATEST, Invocable

_MAX_POLICY = 20 * 1024
_CONDITIONS = {
    "source_account": ("StringEquals", "AWS:SourceAccount"),
    "source_arn": ("ArnLike", "AWS:SourceArn"),
    "event_source_token": ("StringEquals", "lambda:EventSourceToken"),
    "principal_org_id": ("StringEquals", "aws:PrincipalOrgID"),
    "function_url_auth_type": ("StringEquals", "lambda:FunctionUrlAuthType"),
    "invoked_via_function_url": ("Bool", "lambda:InvokedViaFunctionUrl"),
}
"""Parameters and what they ask for. Nobody who invokes here carries a token or an organization, so that a statement which
asks for one allows nobody (plan.catalog)."""


def add_permission(context: Context, params: Params) -> dict[str, Any]:
    function = get_invocable(context, params)
    name, qualifier = read_target(context, params)
    if qualifier == LATEST:
        raise invalid("We currently do not support adding policies for $LATEST.")
    _check_revision(function, params)
    if any(statement["Sid"] == params["statement_id"] for statement in function.policy):
        raise conflict(
            f"The statement id ({params['statement_id']}) provided already exists. Please provide a new statement id, or "
            "remove the existing statement."
        )
    statement: dict[str, Any] = {
        "Sid": params["statement_id"],
        "Effect": "Allow",
        "Principal": _principal(params["principal"]),
        "Action": params["action"],
        "Resource": function_arn(context.scope.region, context.scope.account, name, qualifier),
    }
    condition: dict[str, Any] = {}
    for member, (operator, key) in _CONDITIONS.items():
        if (value := params.get(member)) is not None:
            condition.setdefault(operator, {})[key] = str(value).lower() if isinstance(value, bool) else value
    if condition:
        statement["Condition"] = condition
    policy = [*function.policy, statement]
    if len(json.dumps(policy)) > _MAX_POLICY:
        raise ControlError("PolicyLengthExceededException", "The final policy size is bigger than the limit (20480).")
    context.tx.put(replace(function, policy=policy, policy_revision_id=context.ids.request_id()))
    return {"statement": json.dumps(statement, separators=(",", ":"))}


def _check_revision(function: Invocable, params: Params) -> None:
    if params.get("revision_id") not in (None, function.policy_revision_id):
        raise ControlError(
            "PreconditionFailedException",
            "The RevisionId provided does not match the latest RevisionId. Call the GetPolicy API to retrieve the latest "
            "RevisionId",
            412,
            extra={"Type": "User"},
        )


def _principal(principal: str) -> Any:
    if principal == "*":
        return "*"
    if re.fullmatch(r"\d{12}", principal):
        return {"AWS": f"arn:aws:iam::{principal}:root"}
    if principal.startswith("arn:"):
        return {"AWS": principal}
    if "." not in principal:
        raise invalid("The provided principal was invalid. Please check the principal and try again.")
    return {"Service": principal}


def remove_permission(context: Context, params: Params) -> None:
    function = get_invocable(context, params)
    _check_revision(function, params)
    rest = [statement for statement in function.policy if statement["Sid"] != params["statement_id"]]
    if len(rest) == len(function.policy):
        raise not_found(f"Statement {params['statement_id']} is not found in resource policy.")
    context.tx.put(replace(function, policy=rest, policy_revision_id=context.ids.request_id()))


def get_policy(context: Context, params: Params) -> dict[str, Any]:
    function = get_invocable(context, params)
    if not function.policy:
        raise not_found("The resource you requested does not exist.")
    policy = {"Version": "2012-10-17", "Id": "default", "Statement": function.policy}
    return {"policy": json.dumps(policy, separators=(",", ":")), "revision_id": function.policy_revision_id}


OPERATIONS = {
    "AddPermission": add_permission,
    "RemovePermission": remove_permission,
    "GetPolicy": get_policy,
}
