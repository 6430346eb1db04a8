"""The Filter of ListUsers: one attribute, compared with a text for equality or as a beginning.

Source: *ListUsers*, *Searching for users using the ListUsers API*.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from tidegate.control.cognito_idp.errors import invalid
from tidegate.definition.records import PoolUser

_FORM = re.compile(r'\s*"?([\w:]+)"?\s*(\^?=)\s*"((?:[^"\\]|\\.)*)"\s*')
_SEARCHABLE = frozenset(
    {
        *("username", "email", "phone_number", "name", "given_name", "family_name", "preferred_username"),
        *("cognito:user_status", "status", "sub"),
    }
)


@dataclass(frozen=True, slots=True)
class Filter:
    attribute: str
    beginning: bool
    text: str

    def matches(self, user: PoolUser) -> bool:
        value = _value(user, self.attribute)
        if value is None:
            return False
        return value.startswith(self.text) if self.beginning else value == self.text


def _value(user: PoolUser, attribute: str) -> str | None:
    if attribute == "username":
        return user.username
    if attribute == "sub":
        return user.sub
    if attribute == "cognito:user_status":
        return user.user_status
    if attribute == "status":
        return "Enabled" if user.enabled else "Disabled"
    return user.attributes.get(attribute)


def parse_filter(text: str | None) -> Filter | None:
    """None: everybody. Raises ControlError."""
    if not text:
        return None
    found = _FORM.fullmatch(text)
    if found is None:
        raise invalid("Error while parsing filter.")
    if found[1] not in _SEARCHABLE:
        raise invalid(f"Invalid search attribute: {found[1]}")
    return Filter(found[1], found[2] == "^=", re.sub(r"\\(.)", r"\1", found[3]))
