"""Reading and checking a policy document, with AWS's own words for what is wrong, and ours for where.

Source: *Grammar of the IAM JSON policy language*; the messages are those that IAM is known to answer with.
Not here: limits of size that depend on whom a policy is attached to (see `policy_size`), and what a policy means.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any, NoReturn

MOST_CHARACTERS = 131_072
"""Of any document (`policyDocumentType` of IAM's model)."""
_SYNTAX = "Syntax errors in policy."
_LEGACY = "The policy failed legacy parsing"
_VERSIONS = ("2008-10-17", "2012-10-17")
_SID = re.compile(r"[0-9A-Za-z]*")
_VENDOR = re.compile(r"[A-Za-z0-9-]+")
_PARTITION = re.compile(r"aws(-[a-z]+)*|\*")
_ACCOUNT = re.compile(r"[0-9]{12}")
_PRINCIPAL_ARN = re.compile(
    r"arn:aws(-[a-z]+)*:"
    r"(iam::[0-9]{12}:(root|(user|role|saml-provider|oidc-provider)/[^*?\s]+)"
    r"|sts::[0-9]{12}:(assumed-role/[^*?/\s]+|federated-user)/[^*?/\s]+)"
)
_HOST = re.compile(r"[A-Za-z0-9.-]+(/[^*?\s]*)?")
_PRINCIPAL_TYPES = ("AWS", "Service", "Federated", "CanonicalUser")
_ELEMENTS = frozenset("Sid Effect Principal NotPrincipal Action NotAction Resource NotResource Condition".split())


class Kind(Enum):
    """What a policy is attached to decides which elements it has."""

    IDENTITY = "identity"
    """Also boundaries and session policies: no Principal."""
    RESOURCE = "resource"
    """Principal and Resource."""
    TRUST = "trust"
    """Of a role: Principal, no Resource, actions of STS."""
    AUTHORIZER = "authorizer"
    """What a Lambda authorizer answers: no Principal; resources need not be whole ARNs."""


class PolicyError(ValueError):
    """`message`: AWS's words, for a caller. `pointer` and `detail`: where and what, for whoever wrote the policy."""

    code = "MalformedPolicyDocument"

    def __init__(self, message: str, pointer: str, detail: str) -> None:
        super().__init__(f"{message} ({pointer or '/'}: {detail})")
        self.message = message
        self.pointer = pointer
        self.detail = detail


@dataclass(frozen=True, slots=True)
class Names:
    """An element and its opposite are one thing here: Action and NotAction, Resource and NotResource."""

    values: tuple[str, ...]
    negated: bool = False


@dataclass(frozen=True, slots=True)
class PrincipalNames:
    named: Mapping[str, tuple[str, ...]]
    negated: bool


@dataclass(frozen=True, slots=True)
class ConditionText:
    """One line of a Condition block, as written."""

    operator: str
    key: str
    values: tuple[str, ...]
    pointer: str


@dataclass(frozen=True, slots=True)
class Statement:
    index: int
    sid: str | None
    allow: bool
    principal: PrincipalNames | None
    action: Names
    resource: Names | None
    conditions: tuple[ConditionText, ...]


@dataclass(frozen=True, slots=True)
class Document:
    version: str
    id: str | None
    statements: tuple[Statement, ...]

    @property
    def has_variables(self) -> bool:
        """Policy variables came with this version; before, they are text like any other."""
        return self.version == "2012-10-17"


def policy_size(text: str) -> int:
    """As quotas count it: without white space."""
    return len("".join(text.split()))


def parse_policy(document: str | Mapping[str, Any], kind: Kind) -> Document:
    """Raises PolicyError for the first thing that is wrong."""
    read = read_json(document) if isinstance(document, str) else document
    if not isinstance(read, Mapping):
        _wrong("", "a policy is a JSON object")
    for name in read:
        if name not in ("Version", "Id", "Statement"):
            _wrong(f"/{name}", "no element of a policy")
    version = read.get("Version", _VERSIONS[0])
    if version not in _VERSIONS:
        _wrong("/Version", f"one of {', '.join(_VERSIONS)}")
    policy_id = read.get("Id")
    if policy_id is not None and not isinstance(policy_id, str):
        _wrong("/Id", "a string")
    return Document(version, policy_id, _statements(read.get("Statement"), kind))


def _wrong(pointer: str, detail: str, message: str = _SYNTAX) -> NoReturn:
    raise PolicyError(message, pointer, detail)


def read_json(text: str) -> Any:
    """Strictly: no key twice, no NaN. Raises PolicyError."""
    if len(text) > MOST_CHARACTERS:
        _wrong("", f"more than {MOST_CHARACTERS} characters")
    try:
        return json.loads(text, object_pairs_hook=_object, parse_constant=_constant)
    except RecursionError:
        _wrong("", "nested too deeply")
    except PolicyError:
        raise
    except ValueError as error:
        raise PolicyError(_SYNTAX, "", f"not JSON: {error}") from None


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        # AWS: elements must not contain several instances of the same key.
        names = [name for name, _ in pairs]
        _wrong("", f"the key {next(name for name in names if names.count(name) > 1)} stands twice in one object")
    return found


def _constant(name: str) -> NoReturn:
    _wrong("", f"{name} is not JSON")


def _statements(given: Any, kind: Kind) -> tuple[Statement, ...]:
    if isinstance(given, Mapping):
        return (_statement(given, "/Statement", 0, kind),)
    if not isinstance(given, list | tuple) or not (given or kind is Kind.AUTHORIZER):
        _wrong("/Statement", "a statement, or a list of statements")
    statements = tuple(_statement(one, f"/Statement/{index}", index, kind) for index, one in enumerate(given))
    sids = [statement.sid for statement in statements if statement.sid]
    if len(set(sids)) < len(sids):
        _wrong(
            "/Statement", "two statements have the same Sid", "Statement IDs (SID) in a single policy must be unique."
        )
    return statements


def _statement(given: Any, pointer: str, index: int, kind: Kind) -> Statement:
    if not isinstance(given, Mapping):
        _wrong(pointer, "a statement is an object")
    if not _ELEMENTS.issuperset(given):
        name = next(name for name in given if name not in _ELEMENTS)
        _wrong(f"{pointer}/{name}", "no element of a statement")
    effect = given.get("Effect")
    if effect not in ("Allow", "Deny"):
        _wrong(f"{pointer}/Effect", "Allow or Deny")
    return Statement(
        index=index,
        sid=_sid(given.get("Sid"), pointer, kind),
        allow=effect == "Allow",
        principal=_principal(given, pointer, kind),
        action=_actions(given, pointer, kind),
        resource=_resources(given, pointer, kind),
        conditions=_conditions(given["Condition"], f"{pointer}/Condition") if "Condition" in given else (),
    )


def _sid(sid: Any, pointer: str, kind: Kind) -> str | None:
    if sid is None:
        return None
    if not isinstance(sid, str):
        _wrong(f"{pointer}/Sid", "a string")
    if kind in (Kind.IDENTITY, Kind.TRUST) and not _SID.fullmatch(sid):
        _wrong(
            f"{pointer}/Sid",
            "letters and digits",
            "Statement IDs (SID) must be alpha-numeric. Check that your input satisfies the regular expression [0-9A-Za-z]*",
        )
    return sid


def _pair(given: Mapping[str, Any], name: str, pointer: str) -> Names | None:
    """The element or its opposite."""
    negated = f"Not{name}" in given
    if name in given:
        if negated:
            _wrong(pointer, f"{name} and Not{name} exclude each other")
        return Names(_strings(given[name], f"{pointer}/{name}"))
    return Names(_strings(given[f"Not{name}"], f"{pointer}/Not{name}"), negated=True) if negated else None


def _strings(given: Any, pointer: str) -> tuple[str, ...]:
    if isinstance(given, str):
        return (given,)
    if not isinstance(given, list | tuple) or not given or not all(isinstance(one, str) for one in given):
        _wrong(pointer, "a string, or a list of strings that is not empty")
    return tuple(given)


def _actions(given: Mapping[str, Any], pointer: str, kind: Kind) -> Names:
    names = _pair(given, "Action", pointer)
    if names is None:
        _wrong(pointer, "no Action", "Policy statement must contain actions.")
    for action in names.values:
        if action == "*" and kind is not Kind.TRUST:
            continue
        vendor, colon, rest = action.partition(":")
        if not colon or not rest:
            message = "Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc."
            _wrong(f"{pointer}/Action", f"no vendor in {action}", message)
        if ":" in rest:
            _wrong(f"{pointer}/Action", action, "Actions/Condition can contain only one colon.")
        if vendor != "*" and not _VENDOR.fullmatch(vendor):
            _wrong(f"{pointer}/Action", action, f"Vendor {vendor} is not valid")
        if kind is Kind.TRUST and vendor.lower() != "sts":
            _wrong(f"{pointer}/Action", action, "AssumeRole policy may only specify STS AssumeRole actions.")
    return names


def _resources(given: Mapping[str, Any], pointer: str, kind: Kind) -> Names | None:
    names = _pair(given, "Resource", pointer)
    if kind is Kind.TRUST:
        if names is not None:
            _wrong(pointer, "a role's trust policy names no resource", "Has prohibited field Resource")
        return None
    if names is None:
        _wrong(pointer, "no Resource", "Policy statement must contain resources.")
    for resource in names.values:
        if kind is Kind.AUTHORIZER:
            if not resource or len(resource) > _LONGEST_AUTHORIZER_RESOURCE:
                _wrong(f"{pointer}/Resource", f"1 to {_LONGEST_AUTHORIZER_RESOURCE} characters")
        elif resource != "*":
            _check_arn(resource, f"{pointer}/Resource")
    return names


_LONGEST_AUTHORIZER_RESOURCE = 512
"""*Output from an Amazon API Gateway Lambda authorizer*."""


def _check_arn(resource: str, pointer: str) -> None:
    parts = resource.split(":", 5)
    if parts[0] != "arn" or len(parts) == 1:
        _wrong(pointer, f"no ARN: {resource}", f'Resource {resource} must be in ARN format or "*".')
    if not _PARTITION.fullmatch(parts[1]):
        _wrong(pointer, resource, f'Partition "{parts[1]}" is not valid for resource "{resource}".')
    if len(parts) < 6 and not resource.endswith("*"):
        _wrong(pointer, f"{resource} has fewer than six parts", _LEGACY)
    if len(parts) > 2 and not parts[2]:
        _wrong(pointer, f"{resource} names no service", _LEGACY)
    if len(parts) > 5 and not re.fullmatch(r"[0-9]{12}|aws|[0-9*?]*", parts[4]):
        _wrong(pointer, f"{resource}: {parts[4]} is no account", _LEGACY)


def _principal(given: Mapping[str, Any], pointer: str, kind: Kind) -> PrincipalNames | None:
    names = [name for name in ("Principal", "NotPrincipal") if name in given]
    if kind in (Kind.IDENTITY, Kind.AUTHORIZER):
        if names:
            _wrong(f"{pointer}/{names[0]}", "not in this policy", "Policy document should not specify a principal.")
        return None
    if len(names) != 1:
        _wrong(
            pointer, "either Principal or NotPrincipal", "Missing required field Principal" if not names else _SYNTAX
        )
    name = names[0]
    at, value = f"{pointer}/{name}", given[name]
    if value == "*":
        return PrincipalNames({"AWS": ("*",)}, name == "NotPrincipal")
    if not isinstance(value, Mapping) or not value:
        _wrong(at, '"*", or an object of principals')
    named = {}
    for kind_of_principal, identifiers in value.items():
        if kind_of_principal not in _PRINCIPAL_TYPES:
            _wrong(f"{at}/{kind_of_principal}", f"one of {', '.join(_PRINCIPAL_TYPES)}")
        named[kind_of_principal] = _strings(identifiers, f"{at}/{kind_of_principal}")
        for identifier in named[kind_of_principal]:
            if not _is_principal(kind_of_principal, identifier):
                label = kind_of_principal if kind_of_principal != "Service" else "SERVICE"
                _wrong(at, "no principal", f'Invalid principal in policy: "{label}":"{identifier}"')
    return PrincipalNames(named, name == "NotPrincipal")


def _is_principal(kind: str, identifier: str) -> bool:
    if identifier == "*":
        return kind != "CanonicalUser"
    if kind == "AWS":
        return bool(_ACCOUNT.fullmatch(identifier) or _PRINCIPAL_ARN.fullmatch(identifier))
    if kind == "Federated":
        return bool(_PRINCIPAL_ARN.fullmatch(identifier) or _HOST.fullmatch(identifier))
    if kind == "Service":
        return bool(_HOST.fullmatch(identifier)) and "." in identifier and "/" not in identifier
    return bool(re.fullmatch(r"[0-9a-f]{64}", identifier))


def _conditions(given: Any, pointer: str) -> tuple[ConditionText, ...]:
    if not isinstance(given, Mapping):
        _wrong(pointer, "an object of operators")
    return tuple(_lines(given, pointer))


def _lines(given: Mapping[str, Any], pointer: str) -> Iterable[ConditionText]:
    for operator, keys in given.items():
        at = f"{pointer}/{operator}"
        if not isinstance(keys, Mapping) or not keys:
            _wrong(at, "an object of condition keys that is not empty")
        for key, values in keys.items():
            if ":" not in key:
                message = "Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc."
                _wrong(f"{at}/{key}", "no vendor in the key", message)
            yield ConditionText(operator, key, _condition_values(values, f"{at}/{key}"), f"{at}/{key}")


def _condition_values(given: Any, pointer: str) -> tuple[str, ...]:
    values: Sequence[Any] = given if isinstance(given, list | tuple) else (given,)
    if not values or not all(isinstance(value, str | bool | int | float) for value in values):
        _wrong(pointer, "a string, a number or a boolean, or a list of them that is not empty")
    return tuple(str(value).lower() if isinstance(value, bool) else str(value) for value in values)
