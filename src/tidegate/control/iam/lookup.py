"""Finding identities and policies, pages of them, and how IAM says that there is no such thing."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from tidegate.aws.model import Params
from tidegate.aws.policy import Kind, PolicyError, compile_policy
from tidegate.aws.policy.document import ConditionText, Statement
from tidegate.aws.policy.managed import AWS_MANAGED
from tidegate.control.context import Context
from tidegate.core.errors import ControlError
from tidegate.definition.records import AccessKey, Group, Identity, ManagedPolicy, PolicyUse, Role, User
from tidegate.plan.identities import identity_arn

T = TypeVar("T")
I = TypeVar("I", bound=Identity)  # noqa: E741 - of Identity

PERMISSIONS, BOUNDARY = "PermissionsPolicy", "PermissionsBoundary"
"""How a managed policy is used."""


def no_such(message: str) -> ControlError:
    return ControlError("NoSuchEntity", message, 404)


def conflict(message: str) -> ControlError:
    return ControlError("DeleteConflict", f"Cannot delete entity, must {message} first.", 409)


def over_limit(quota: str) -> ControlError:
    return ControlError("LimitExceeded", f"Cannot exceed quota for {quota}", 409)


def invalid(message: str) -> ControlError:
    return ControlError("ValidationError", message)


def find(context: Context, kind: type[I], name: str) -> I:
    found = context.tx.get(kind, name.lower())
    if found is None:
        raise no_such(f"The {kind.__name__.lower()} with name {name} cannot be found.")
    return found


def require_free(context: Context, kind: type[Identity], name: str) -> None:
    if context.tx.get(kind, name.lower()) is not None:
        raise ControlError("EntityAlreadyExists", f"{kind.__name__} with name {name} already exists.", 409)


def arn(context: Context, record: Identity) -> str:
    return identity_arn(record, context.scope.account)


@dataclass(frozen=True, slots=True)
class OwnName:
    """What IAM takes for the name of a user where none is given: the caller's."""

    name: str | None
    """None: the account's root."""


def own_name(context: Context) -> OwnName:
    caller = context.caller
    if caller is None or caller.principal.is_root:
        return OwnName(None)
    if caller.identity is None or caller.principal.type != "User":
        raise invalid("Must specify userName when calling with non-User credentials")
    return OwnName(caller.identity.name)


def named_user(context: Context, params: Params) -> User:
    """The user of the call, or the caller."""
    name = params.get("user_name") or own_name(context).name
    if name is None:
        text = "Tidegate does not support access keys of an account's root user yet"
        raise ControlError("UnsupportedOperationException", text, 501)
    return find(context, User, name)


def managed(context: Context, policy_arn: str) -> ManagedPolicy:
    """Of the account itself; AWS's own cannot be changed."""
    found = own_policy(context, policy_arn)
    if found is None:
        if policy_arn in AWS_MANAGED:
            raise ControlError("AccessDenied", f"Policy {policy_arn} is managed by AWS and cannot be changed.", 403)
        raise no_such(f"Policy {policy_arn} was not found.")
    return found


def own_policy(context: Context, policy_arn: str) -> ManagedPolicy | None:
    parts = policy_arn.split(":", 5)
    if len(parts) != 6 or parts[2] != "iam" or not parts[5].startswith("policy/"):
        raise ControlError("InvalidInput", f"ARN {policy_arn} is not valid.")
    found = context.tx.get(ManagedPolicy, policy_arn.rpartition("/")[2].lower())
    return found if found is not None and found.arn == policy_arn else None


def attachable(context: Context, policy_arn: str) -> str:
    """The ARN of a policy that there is."""
    if policy_arn in AWS_MANAGED or own_policy(context, policy_arn) is not None:
        return policy_arn
    raise no_such(f"Policy {policy_arn} does not exist or is not attachable.")


def document_of(context: Context, policy_arn: str) -> str:
    """The text of a managed policy's default version."""
    if policy_arn in AWS_MANAGED:
        return AWS_MANAGED[policy_arn].document
    return managed(context, policy_arn).default.document


def use(context: Context, policy_arn: str, usage: str, record: Identity) -> None:
    """Note that a managed policy is used."""
    kind = type(record).__name__
    context.tx.put(PolicyUse(arn=policy_arn, usage=usage, kind=kind, name=record.key[0]))


def unuse(context: Context, policy_arn: str, usage: str, record: Identity) -> None:
    context.tx.delete(PolicyUse, policy_arn, usage, type(record).__name__, record.key[0])


def checked_policy(document: str, kind: Kind = Kind.IDENTITY) -> str:
    """Raises ControlError."""
    try:
        compiled = compile_policy(document, source_name="given", kind=kind)
    except PolicyError as error:
        raise ControlError("MalformedPolicyDocument", error.message) from None
    for statement in compiled.statements:
        for condition in statement.text.conditions:
            if _is_never_there(condition, statement.text) and (not statement.text.allow or _holds_without(condition)):
                text = f"Tidegate does not know the condition key {condition.key} yet"
                raise ControlError("MalformedPolicyDocument", f"{text}: the statement would not do what it says")
    return document


def _is_never_there(condition: ConditionText, statement: Statement) -> bool:
    """Whether a condition asks for a key that AWS's requests carry and ours do not."""
    key = condition.key.lower()
    if key.startswith("aws:resourcetag/"):
        named = () if statement.action.negated else statement.action.values
        return not named or not all(action.lower().startswith(_TAGGED) for action in named)
    return key.startswith(_OWN_KEYS) and key not in _KNOWN_KEYS


def _holds_without(condition: ConditionText) -> bool:
    """Whether a missing key fulfils it."""
    operator = condition.operator.lower()
    return operator == "null" or "not" in operator or operator.endswith("ifexists") or operator.startswith("forall")


_TAGGED = ("iam:", "sts:")
"""Services whose resources' tags are looked at."""
_OWN_KEYS = ("apigateway:", "lambda:", "logs:")
_KNOWN_KEYS = ("lambda:functionurlauthtype", "lambda:principal", "lambda:layer")
"""In lower case; see the `needs` of each service."""


def page(items: Sequence[T], params: Params, name: str, key: Callable[[T], str]) -> dict[str, Any]:
    """`items`: in the order of their keys. A marker names the last that was given out."""
    after, most = _marker(params.get("marker")), params.get("max_items") or 100
    rest = [item for item in items if after is None or key(item) > after]
    result: dict[str, Any] = {name: rest[:most], "is_truncated": len(rest) > most}
    if len(rest) > most:
        result["marker"] = base64.urlsafe_b64encode(key(rest[most - 1]).encode()).decode()
    return result


def _marker(marker: str | None) -> str | None:
    if marker is None:
        return None
    try:
        return base64.b64decode(marker, altchars=b"-_", validate=True).decode()
    except (binascii.Error, UnicodeDecodeError, ValueError):
        raise invalid("Invalid Marker") from None


def below(records: Sequence[I], params: Params) -> list[I]:
    """Those whose path begins with the prefix of the call."""
    prefix = params.get("path_prefix") or "/"
    return [record for record in records if record.path.startswith(prefix)]


def key_of(context: Context, user: User, key_id: str) -> AccessKey:
    found = context.tx.get(AccessKey, key_id) if key_id in user.access_keys else None
    if found is None:
        raise no_such(f"The Access Key with id {key_id} cannot be found.")
    return found


KINDS: dict[str, type[User] | type[Group] | type[Role]] = {"User": User, "Group": Group, "Role": Role}
