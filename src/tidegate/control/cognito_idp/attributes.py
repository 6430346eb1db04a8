"""The attributes of users: the pool's schema, what a value has to be, who may read and write which.

Source: *Working with user attributes*; shared with `OpenID Connect Core` §5.1, where the standard ones come from.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

import regex

from tidegate.control.cognito_idp.errors import invalid, not_authorized
from tidegate.definition.records import PoolUser, UserPool, UserPoolClient

Attributes = dict[str, str]

_NAME = regex.compile(r"[\p{L}\p{M}\p{S}\p{N}\p{P}]+")
_EMAIL = re.compile(r"[^@\s]+@[^@\s.]+(?:\.[^@\s.]+)*")
_PHONE = re.compile(r"\+[0-9]{1,15}")
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}(?:T\d{2}:\d{2}:\d{2}(?:\.\d+)?Z?)?|\d+")
_STANDARD_STRINGS = (
    *("name", "given_name", "family_name", "middle_name", "nickname", "preferred_username", "profile", "picture"),
    *("website", "email", "gender", "birthdate", "zoneinfo", "locale", "phone_number", "address"),
)
_BOOLEANS = ("email_verified", "phone_number_verified")
_OWN = frozenset({"sub", "identities"})
"""Set by the pool, never by anybody else."""
_MOST_CUSTOM = 50
READ_ALWAYS = "sub"


def standard_schema() -> list[dict[str, Any]]:
    """What every pool begins with."""
    sub = {**_string("sub", mutable=False, least="1"), "required": True}
    strings = [_string(name, least="10" if name == "birthdate" else "0") for name in _STANDARD_STRINGS]
    for each in strings:
        if each["name"] == "birthdate":
            each["string_attribute_constraints"]["max_length"] = "10"
    booleans = [_attribute(name, "Boolean") for name in _BOOLEANS]
    updated = _attribute("updated_at", "Number") | {"number_attribute_constraints": {"min_value": "0"}}
    return [sub, *strings, *booleans, updated]


def _attribute(name: str, kind: str, *, mutable: bool = True) -> dict[str, Any]:
    return {
        "name": name,
        "attribute_data_type": kind,
        "developer_only_attribute": False,
        "mutable": mutable,
        "required": False,
    }


def _string(name: str, *, mutable: bool = True, least: str = "0", most: str = "2048") -> dict[str, Any]:
    limits = {"min_length": least, "max_length": most}
    return _attribute(name, "String", mutable=mutable) | {"string_attribute_constraints": limits}


def extended_schema(schema: list[dict[str, Any]], given: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """With the attributes that a pool asks for: standard ones changed, others added as custom ones. Raises ControlError."""
    found = {each["name"]: each for each in schema}
    for attribute in given:
        name = attribute.get("name")
        if not name:
            raise invalid("Attribute name is required.")
        if name in found and not name.startswith("custom:"):
            found[name] = _changed(found[name], attribute)
        else:
            made = _custom(attribute)
            if made["name"] in found:
                raise invalid(f"{made['name']}: Existing attribute already has name {name}.")
            found[made["name"]] = made
    if sum(":" in name for name in found) > _MOST_CUSTOM:
        raise invalid(f"A user pool has at most {_MOST_CUSTOM} custom attributes")
    return list(found.values())


def _changed(standard: dict[str, Any], given: Mapping[str, Any]) -> dict[str, Any]:
    kind = given.get("attribute_data_type") or standard["attribute_data_type"]
    if kind != standard["attribute_data_type"]:
        raise invalid(
            f"You can not change AttributeDataType or set developerOnlyAttribute for standard schema attribute {given['name']}"
        )
    kept = {key: value for key, value in given.items() if value is not None and key != "developer_only_attribute"}
    return {**standard, **kept}


def _custom(given: Mapping[str, Any]) -> dict[str, Any]:
    if given.get("required"):
        raise invalid("Required custom attributes are not supported currently.")
    developer = bool(given.get("developer_only_attribute"))
    kind = given.get("attribute_data_type") or "String"
    made = _attribute(f"{'dev:' if developer else ''}custom:{given['name']}", kind, mutable=bool(given.get("mutable")))
    made["developer_only_attribute"] = developer
    if kind == "String":
        made["string_attribute_constraints"] = given.get("string_attribute_constraints") or {}
    if kind == "Number":
        made["number_attribute_constraints"] = given.get("number_attribute_constraints") or {}
    return made


def pairs(given: Iterable[Mapping[str, str | None]] | None) -> Attributes:
    """The list of names and values of a call."""
    return {str(each["name"]): each.get("value") or "" for each in given or ()}


def listed(attributes: Mapping[str, str]) -> list[dict[str, str]]:
    return [{"name": name, "value": value} for name, value in attributes.items()]


def check_values(pool: UserPool, given: Attributes, *, creating: bool, required: Iterable[str] = ()) -> None:
    """Hold values against the schema. `required`: names that have to be there besides. Raises ControlError."""
    schema = {each["name"]: each for each in pool.schema_attributes}
    for name, value in given.items():
        form = schema.get(name)
        if form is None or name in _OWN:
            raise _schema_error(f"Type for attribute {{{name}}} could not be determined")
        if not creating and not form["mutable"]:
            raise invalid(f"user.{name}: Attribute cannot be updated.\n")
        if value and (problem := _problem(form, value)):
            raise problem
    if creating:
        wanted = {each["name"] for each in pool.schema_attributes if each.get("required")} - _OWN
        for name in sorted(wanted | set(required)):
            if not given.get(name):
                raise _schema_error(f"{name}: The attribute is required\n")


def _schema_error(text: str) -> Exception:
    return invalid(f"Attributes did not conform to the schema: {text}")


def _problem(form: Mapping[str, Any], value: str) -> Exception | None:
    name, kind = form["name"], form["attribute_data_type"]
    if name == "email" and not _EMAIL.fullmatch(value):
        return invalid("Invalid email address format.")
    if name == "phone_number" and not _PHONE.fullmatch(value):
        return invalid("Invalid phone number format.")
    if kind == "String" and not _between(len(value), form.get("string_attribute_constraints"), "length"):
        return _schema_error(f"{name}: String must be within its length constraints\n")
    if kind == "Number":
        if not re.fullmatch(r"-?\d{1,18}", value):
            return _schema_error(f"{name}: Value is not a number\n")
        if not _between(int(value), form.get("number_attribute_constraints"), "value"):
            return _schema_error(f"{name}: Number must be within its range constraints\n")
    if kind == "Boolean" and value.lower() not in ("true", "false"):
        return _schema_error(f"{name}: Value is not a boolean\n")
    if kind == "DateTime" and not _DATE.fullmatch(value):
        return _schema_error(f"{name}: Value is not a date\n")
    return None


def _between(number: int, limits: Mapping[str, str] | None, what: str) -> bool:
    least, most = (limits or {}).get(f"min_{what}"), (limits or {}).get(f"max_{what}")
    return (not least or number >= int(least)) and (not most or number <= int(most))


def check_writable(client: UserPoolClient, given: Iterable[str]) -> None:
    """What a user may set through a client. Raises ControlError."""
    for name in given:
        allowed = client.write_attributes is None or name in client.write_attributes
        # AWS: whether an address is verified, and attributes for developers, are never the users' to say.
        if not allowed or name in _BOOLEANS or name.startswith("dev:"):
            raise not_authorized("A client attempted to write unauthorized attribute")


def readable(client: UserPoolClient | None, user: PoolUser) -> Attributes:
    """What a client sees of a user (None: an administrator), `sub` first."""
    allowed = None if client is None else client.read_attributes
    shown = {
        name: value
        for name, value in user.attributes.items()
        if (allowed is None or name in allowed) and not (client is not None and name.startswith("dev:"))
    }
    return {"sub": user.sub, **shown}


def check_name(name: str, member: str) -> None:
    """Of a user or a group: the model's pattern, which is Java's. Raises ControlError."""
    if not _NAME.fullmatch(name):
        raise invalid(
            f"1 validation error detected: Value '{name}' at '{member}' failed to satisfy constraint: Member must satisfy "
            f"regular expression pattern: {_NAME.pattern}"
        )


def is_email(text: str) -> bool:
    return _EMAIL.fullmatch(text) is not None


def is_phone(text: str) -> bool:
    return _PHONE.fullmatch(text) is not None


def masked(email: str) -> str:
    """AWS: `a***@e***`."""
    name, _, domain = email.partition("@")
    return f"{name[:1]}***@{domain[:1]}***"
