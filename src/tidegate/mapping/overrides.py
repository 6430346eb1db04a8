"""What mapping templates override by `$context.requestOverride` and `$context.responseOverride`.

Source: *Use a mapping template to override an API's request and response parameters and status codes*; shared facts, vtl §5.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from tidegate.vtl import TemplateError
from tidegate.vtl.values import text_of


class Place(dict[Any, Any]):
    """Where a template puts overrides. AWS: an override is final, and one more of the same parameter fails the request."""

    __slots__ = ()

    def __setitem__(self, name: object, value: object) -> None:
        old = self.get(name)
        if old is not None and old.__class__ is not Place:
            raise TemplateError(
                f"{text_of(name)} is overridden twice; AWS takes one override of a parameter in a template"
            )
        super().__setitem__(name, value)


def places() -> dict[str, object]:
    """The two that are in `$context`."""
    request = Place(header=Place(), path=Place(), querystring=Place())
    return {"requestOverride": request, "responseOverride": Place(header=Place())}


def reopen(context: dict[str, Any]) -> None:
    """What the request template has overridden of the answer may be overridden by the response template."""
    given = context.get("responseOverride")
    if isinstance(given, Place) and (len(given) > 1 or given.get("header")):
        context["responseOverride"] = {
            name: dict(value) if isinstance(value, dict) else value for name, value in given.items()
        }


@dataclass(frozen=True, slots=True)
class Overrides:
    """Of a backend's request, by name."""

    header: Mapping[str, str] = field(default_factory=dict)
    path: Mapping[str, str] = field(default_factory=dict)
    querystring: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, given: object) -> Overrides:
        """`given`: the map as the template left it. Raises TemplateError for what cannot be a header's name."""
        if not isinstance(given, dict):
            return NO_OVERRIDES
        header, path, querystring = given.get("header"), given.get("path"), given.get("querystring")
        if not (header or path or querystring):
            return NO_OVERRIDES
        return cls(_headers(header), _texts(path), _texts(querystring))


NO_OVERRIDES = Overrides()


def response_overrides(given: object) -> tuple[str | None, dict[str, str]]:
    """Status and headers of the client's answer. Raises TemplateError for what cannot be a header's name."""
    if not isinstance(given, dict):
        return None, {}
    status, headers = given.get("status"), given.get("header")
    return None if status is None else text_of(status), _headers(headers) if headers else {}


_TOKEN = re.compile("[!#$%&'*+.^_`|~0-9A-Za-z-]+")


def _headers(values: object) -> dict[str, str]:
    """Names may come from a client's body: one with a line break in it would be a header, or a request, of the client's own."""
    headers = _texts(values)
    for name in headers:
        if _TOKEN.fullmatch(name) is None:
            raise TemplateError(f"{name[:80]!r} is overridden, which cannot be the name of a header")
    return headers


def _texts(values: object) -> dict[str, str]:
    """With their values as text; what is null is left out."""
    if not values or not isinstance(values, dict):
        return {}
    return {text_of(name): text_of(value) for name, value in values.items() if value is not None}
