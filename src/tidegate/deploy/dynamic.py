"""Dynamic references in any text of a resource's properties, `{{resolve:ssm:name:version}}` and
`{{resolve:secretsmanager:id:SecretString:key:stage:version}}`, become what the services hold when the resource is made or
changed.

The stack's record keeps them as they are written: it holds no secret, and a value that has changed by itself changes nothing.
AWS: CloudFormation User Guide, "Using dynamic references to specify template values".
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final, TypeAlias

from tidegate.deploy.intrinsics import UNKNOWN, IntrinsicError, text
from tidegate.deploy.resources.base import ClientFactory

_REFERENCE: Final = re.compile(r"\{\{resolve:([^}]*)\}\}")
_ARN_PARTS: Final = 7
"""`arn:aws:secretsmanager:region:account:secret:name`."""
_SECRET_STRING: Final = "SecretString"  # noqa: S105 - a word of the syntax

Lookup: TypeAlias = Callable[[str, str], str]
"""Service and the rest of a reference → what stands there."""


def resolved(value: Any, lookup: Lookup) -> Any:
    """The value with what its references stand for. Raises IntrinsicError."""
    if isinstance(value, Mapping):
        return {key: resolved(member, lookup) for key, member in value.items()}
    if isinstance(value, list):
        return [resolved(item, lookup) for item in value]
    if not isinstance(value, str):
        return value
    return _REFERENCE.sub(lambda found: lookup(*_split(found[0], found[1])), value)


def promised(value: Any) -> Any:
    """The value as far as it is known before anything is looked up. Raises IntrinsicError for what cannot be looked up."""
    if isinstance(value, Mapping):
        return {key: promised(member) for key, member in value.items()}
    if isinstance(value, list):
        return [promised(item) for item in value]
    if not isinstance(value, str):
        return value
    found = [_split(match[0], match[1]) for match in _REFERENCE.finditer(value)]
    return UNKNOWN if found else value


def services(value: Any) -> Iterator[str]:
    """Which services a value's references ask."""
    if isinstance(value, Mapping | list):
        for member in value.values() if isinstance(value, Mapping) else value:
            yield from services(member)
    elif isinstance(value, str):
        yield from (_split(match[0], match[1])[0] for match in _REFERENCE.finditer(value))


class Values:
    """Looks references up, each once."""

    def __init__(self, clients: ClientFactory) -> None:
        self._clients = clients
        self._known: dict[tuple[str, str], str] = {}

    def __call__(self, service: str, rest: str) -> str:
        if (service, rest) not in self._known:
            self._known[service, rest] = _ASKED[service](rest, self._clients)
        return self._known[service, rest]


def _split(reference: str, body: str) -> tuple[str, str]:
    service, _, rest = body.partition(":")
    if service not in _ASKED or not rest:
        raise IntrinsicError(f"the dynamic reference {reference} is not supported")
    return service, rest


def _parameter(rest: str, clients: ClientFactory) -> str:
    """`name` or `name:version`."""
    parameter = clients("ssm").get_parameter(Name=rest)["Parameter"]
    if parameter["Type"] == "SecureString":
        raise IntrinsicError(f"the parameter {rest} is a SecureString, which {{{{resolve:ssm}}}} does not give")
    return str(parameter["Value"])


def _secret(rest: str, clients: ClientFactory) -> str:
    """`id:SecretString:key:stage:version`, all but the id optional; the id may be an ARN."""
    parts = rest.split(":")
    length = _ARN_PARTS if rest.startswith("arn:") else 1
    name, options = ":".join(parts[:length]), [*parts[length:], "", "", "", ""]
    kind, key, stage, version = options[:4]
    if kind not in ("", _SECRET_STRING):
        raise IntrinsicError(f"{kind} of a secret: only {_SECRET_STRING} is supported")
    asked = {"VersionStage": stage, "VersionId": version}
    answer = clients("secretsmanager").get_secret_value(
        SecretId=name, **{name: given for name, given in asked.items() if given}
    )
    content = str(answer.get(_SECRET_STRING, ""))
    return _member(content, key, name) if key else content


def _member(content: str, key: str, name: str) -> str:
    try:
        return text(json.loads(content)[key])
    except (ValueError, KeyError, TypeError) as error:
        raise IntrinsicError(f"the secret {name} has no member {key}") from error


_ASKED: Final[Mapping[str, Callable[[str, ClientFactory], str]]] = {
    "secretsmanager": _secret,
    "ssm": _parameter,
}
