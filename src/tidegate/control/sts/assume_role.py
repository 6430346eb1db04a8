"""AssumeRole: the role's trust policy and the caller's own say whether; what comes out is a session of the role.

Source: *AssumeRole* (STS API Reference), *IAM and AWS STS quotas*, *Pass session tags in AWS STS*, *Roles terms and concepts*
(role chaining).
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from tidegate.aws.model import Params
from tidegate.aws.policy import PolicyError, compile_policy
from tidegate.control.access import Access, Need, denied
from tidegate.core.errors import ControlError
from tidegate.core.message import Request
from tidegate.state.callers import Caller, Callers, IdentityEntry
from tidegate.state.sessions import Session, Sessions

_SECONDS = 3600
_CHAINED_SECONDS = 3600
"""The longest session of a role that a role assumed."""
_LONGEST_POLICY = 2048
_MOST_ARNS = 10
_MOST_TAGS = 50
_MOST_PACKED = 2048
"""Bytes of policies and tags when they are packed. AWS does not tell its own limit."""
_UNSUPPORTED = ("SerialNumber", "TokenCode", "ProvidedContexts", "MinimumSessionTokenSize")


@dataclass(frozen=True, slots=True)
class Asked:
    """A call of AssumeRole whose role exists."""

    arn: str
    account: str
    role: IdentityEntry
    tags: Mapping[str, str]
    params: Params


def invalid(message: str) -> ControlError:
    return ControlError("ValidationError", message)


def refuse_members(params: Params, names: Sequence[str]) -> None:
    for name in names:
        snake = "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in name).lstrip("_")
        if params.get(snake) is not None:
            raise ControlError("InvalidParameterValue", f"Tidegate does not support {name} yet")


def assume_role(
    params: Params, caller: Caller, request: Request, region: str, *, access: Access, known: Callers, sessions: Sessions
) -> Session:
    """Raises ControlError."""
    refuse_members(params, _UNSUPPORTED)
    asked = _asked(params, caller, known)
    _require(asked, caller, request, region, access)
    transitive = set(params.get("transitive_tag_keys") or ())
    if unknown := transitive - asked.tags.keys():
        raise invalid(f"TransitiveTagKeys names tags that are not given: {', '.join(sorted(unknown))}")
    return sessions.begin(
        account=asked.account,
        now=access.clock.time(),
        seconds=_seconds(asked, caller),
        kind="Role",
        proved=access.proves,
        identity=asked.role.name.lower(),
        identity_id=asked.role.id,
        name=params["role_session_name"],
        policies=_policies(params),
        policy_arns=_policy_arns(params, asked.account, known),
        tags=dict(asked.tags),
        transitive=tuple(transitive | (set(caller.session.transitive) if caller.session else set())),
        source_identity=params.get("source_identity") or (caller.session.source_identity if caller.session else None),
    )


def _asked(params: Params, caller: Caller, known: Callers) -> Asked:
    arn = params["role_arn"]
    parts = arn.split(":", 5)
    if len(parts) != 6 or parts[2] != "iam" or not parts[5].startswith("role/"):
        raise invalid(f"{arn} is invalid")
    account, key = parts[4], arn.rpartition("/")[2].lower()
    role = known.identity("Role", account, key)
    if role is None or role.arn != arn:
        # AWS: nobody learns whether a role exists.
        raise _refused(caller, arn)
    given = {tag["key"]: tag["value"] for tag in params.get("tags") or ()}
    if len(given) > _MOST_TAGS:
        raise invalid(f"no more than {_MOST_TAGS} tags")
    session = caller.session
    inherited = {key: session.tags[key] for key in session.transitive if key in session.tags} if session else {}
    if both := inherited.keys() & given.keys():
        raise invalid(f"One of the specified transitive tag keys can't be set because it conflicts: {', '.join(both)}")
    return Asked(arn, account, role, {**inherited, **given}, params)


def _refused(caller: Caller, arn: str) -> ControlError:
    text = f"User: {caller.principal.arn} is not authorized to perform: sts:AssumeRole on resource: {arn}"
    return ControlError("AccessDenied", text, 403)


def _require(asked: Asked, caller: Caller, request: Request, region: str, access: Access) -> None:
    """In every mode: whom a role trusts is what makes it a role."""
    actions = ["sts:AssumeRole"]
    actions += ["sts:TagSession"] if asked.tags else []
    actions += ["sts:SetSourceIdentity"] if asked.params.get("source_identity") else []
    trusting = replace(
        caller.policies, resource=asked.role.trust, resource_account=asked.account, resource_must_allow=True
    )
    for action in actions:
        need = Need(action, asked.arn, _conditions(asked))
        decision = access.decision(caller, need, request, region, policies=trusting)
        if not decision.allowed:
            raise denied(caller, action, asked.arn, decision, "query")


def _conditions(asked: Asked) -> dict[str, str | Sequence[str]]:
    params = asked.params
    found: dict[str, str | Sequence[str]] = {"sts:RoleSessionName": params["role_session_name"]}
    for member, key in (("external_id", "sts:ExternalId"), ("source_identity", "sts:SourceIdentity")):
        if params.get(member) is not None:
            found[key] = params[member]
    for tag, value in asked.role.tags.items():
        found |= {f"aws:ResourceTag/{tag}": value, f"iam:ResourceTag/{tag}": value}
    if asked.tags:
        found |= {f"aws:RequestTag/{tag}": value for tag, value in asked.tags.items()}
        found["aws:TagKeys"] = list(asked.tags)
    if params.get("transitive_tag_keys"):
        found["sts:TransitiveTagKeys"] = list(params["transitive_tag_keys"])
    return found


def _seconds(asked: Asked, caller: Caller) -> int:
    given = asked.params.get("duration_seconds")
    seconds = int(given or min(_SECONDS, asked.role.longest))
    if seconds > asked.role.longest:
        raise invalid("The requested DurationSeconds exceeds the MaxSessionDuration set for this role.")
    chained = caller.session is not None and caller.session.kind == "Role"
    if chained and seconds > _CHAINED_SECONDS:
        raise invalid(
            "The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining."
        )
    return seconds


def _policies(params: Params) -> tuple[str, ...]:
    document = params.get("policy")
    if document is None:
        return ()
    if len(document) > _LONGEST_POLICY:
        raise invalid(f"The session policy has more than {_LONGEST_POLICY} characters")
    try:
        compile_policy(document, source_name="of the session")
    except PolicyError as error:
        raise ControlError("MalformedPolicyDocument", error.message) from None
    return (document,)


def _policy_arns(params: Params, account: str, known: Callers) -> tuple[str, ...]:
    arns = tuple(one.get("arn") or "" for one in params.get("policy_arns") or ())
    if len(arns) > _MOST_ARNS:
        raise invalid(f"no more than {_MOST_ARNS} PolicyArns")
    for arn in arns:
        parts = arn.split(":", 5)
        if len(parts) != 6 or parts[4] not in (account, "aws") or known.policy(arn) is None:
            raise invalid(f"The policy {arn} does not exist in the account of the role")
    return arns


def packed_size(session: Session) -> int | None:
    """How much of what session policies and tags may take up they do, in percent. Raises ControlError beyond it."""
    if not session.has_policies and not session.tags:
        return None
    text = "\n".join((*session.policies, *session.policy_arns, *(f"{k}={v}" for k, v in session.tags.items())))
    percent = -(-len(zlib.compress(text.encode(), 6)) * 100 // _MOST_PACKED)
    if percent > 100:
        message = f"Packed policy consumes {percent}% of allotted space, please use smaller policy."
        raise ControlError("PackedPolicyTooLarge", message)
    return percent


def shown(session: Session, token: str, role: IdentityEntry) -> dict[str, Any]:
    return {
        "credentials": credentials(session, token),
        "assumed_role_user": {
            "assumed_role_id": f"{role.id}:{session.name}",
            "arn": f"arn:aws:sts::{session.account}:assumed-role/{role.name}/{session.name}",
        },
        "packed_policy_size": packed_size(session),
        "source_identity": session.source_identity,
    }


def credentials(session: Session, token: str) -> dict[str, Any]:
    return {
        "access_key_id": session.access_key,
        "secret_access_key": session.secret_key,
        "session_token": token,
        "expiration": session.expires,
    }
