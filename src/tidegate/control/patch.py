"""Patch operations, driven by a table per entity. Atomic over the whole list; values come as strings.

A rule says which path takes which operations and what to do with the value. Source: *Patch operations* of the API Gateway
API reference; messages as recorded (shared facts, rest-control-plane §5).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias, TypeVar

import msgspec

from tidegate.core.errors import ControlError

Draft: TypeAlias = dict[str, Any]
"""A record as plain values, to be changed in place."""
Apply: TypeAlias = Callable[[Draft, "PatchOp"], None]
R = TypeVar("R")

_INTEGER = re.compile(r"[+-]?[0-9]{1,18}")


@dataclass(frozen=True, slots=True)
class PatchOp:
    op: str
    path: str
    names: tuple[str, ...]
    """What the wildcards of the rule's path matched, unescaped."""
    value: str | None
    source: str | None
    """`from` of a copy."""


@dataclass(frozen=True, slots=True)
class Rule:
    """`path`: segments of which `{…}` match any one. `ops`: those that the entity takes there."""

    path: str
    ops: frozenset[str]
    apply: Apply

    def match(self, segments: Sequence[str]) -> tuple[str, ...] | None:
        wanted = self.path.strip("/").split("/")
        if len(wanted) != len(segments):
            return None
        names = []
        for want, given in zip(wanted, segments, strict=True):
            if want.startswith("{"):
                names.append(given)
            elif want != given:
                return None
        return tuple(names)


def rule(path: str, ops: str, apply: Apply) -> Rule:
    return Rule(path, frozenset(ops.split()), apply)


@dataclass(frozen=True, slots=True)
class PatchTable:
    """Everything that may be patched of one entity."""

    rules: tuple[Rule, ...]
    listed: tuple[str, ...] | Mapping[str, tuple[str, ...]]
    """The paths that AWS's message for an unknown one lists, in AWS's order, or those of each operation where they are known
    to differ; empty: those of the rules."""
    unknown: str
    """AWS's message for an unknown path."""

    def known(self, op: str) -> str:
        listed = self.listed.get(op, ()) if isinstance(self.listed, Mapping) else self.listed
        return ", ".join(listed or (candidate.path for candidate in self.rules))


LISTED = "Invalid patch path  '{path}' specified for op '{op}'. Must be one of: [{known}]"
"""`PatchTable.unknown` of most entities. AWS: two blanks after "path"."""

PLAIN = "Invalid patch path {path}"
"""`PatchTable.unknown` of the others."""


def table(*rules: Rule, listed: str | Mapping[str, str] = "", unknown: str = LISTED) -> PatchTable:
    """`listed`: paths with blanks between, for all operations or by operation."""
    if isinstance(listed, str):
        return PatchTable(rules, tuple(listed.split()), unknown)
    return PatchTable(rules, {op: tuple(paths.split()) for op, paths in listed.items()}, unknown)


def bad_request(message: str) -> ControlError:
    return ControlError("BadRequestException", message)


# --- what a rule does with a value -----------------------------------------------------------------------------------


def text(field: str) -> Apply:
    def apply(draft: Draft, op: PatchOp) -> None:
        draft[field] = None if op.op == "remove" else op.value

    return apply


def optional(field: str) -> Apply:
    """A reference to something else: the empty value takes it away."""

    def apply(draft: Draft, op: PatchOp) -> None:
        draft[field] = op.value or None

    return apply


def boolean(field: str) -> Apply:
    """AWS: anything that is not `true` becomes false, without a complaint."""

    def apply(draft: Draft, op: PatchOp) -> None:
        draft[field] = flag(op)

    return apply


def required(field: str) -> Apply:
    """A text that an entity cannot be without."""

    def apply(draft: Draft, op: PatchOp) -> None:
        draft[field] = given(op)

    return apply


def given(op: PatchOp) -> str:
    """The value, which must be there. Raises ControlError."""
    if not op.value:
        raise bad_request(f"Invalid null or empty value in {op.path.split('/')[1]}")
    return op.value


def integer(field: str, check: Callable[[int], str | None] = lambda _value: None) -> Apply:
    """`check` returns the message for a number that will not do. No value: unset."""

    def apply(draft: Draft, op: PatchOp) -> None:
        if op.value in (None, "", "null"):
            draft[field] = None
            return
        # Python would take blanks, underscores and foreign digits too.
        if not _INTEGER.fullmatch(op.value or ""):
            raise bad_request(f"Invalid patch value  specified for path {op.path}: {op.value}")
        number = int(op.value or "")
        if complaint := check(number):
            raise bad_request(complaint)
        draft[field] = number

    return apply


def choice(field: str, *allowed: str, optional: bool = False) -> Apply:
    """`optional`: an empty value unsets."""

    def apply(draft: Draft, op: PatchOp) -> None:
        if optional and not op.value:
            draft[field] = None
            return
        if op.value not in allowed:
            shown = "null" if op.value is None else op.value
            raise bad_request(f"Invalid value {shown} for {op.path}. Must be one of: [{', '.join(allowed)}]")
        draft[field] = op.value

    return apply


PARAMETER = "Invalid parameter name specified"
CONTENT_TYPE = "Content-Type specified was not found"


def entry(
    field: str,
    convert: Callable[[PatchOp], Any] = lambda op: op.value or "",
    *,
    missing: str = PARAMETER,
    replaces_only: bool = False,
) -> Apply:
    """One entry of a map, named by the path's last segment. `missing`: AWS's message for one that is not there, when it is to
    be removed or, with `replaces_only`, replaced."""

    def apply(draft: Draft, op: PatchOp) -> None:
        entries = dict(draft.get(field) or {})
        name = op.names[-1]
        if name not in entries and (op.op == "remove" or (replaces_only and op.op == "replace")):
            raise ControlError("NotFoundException", missing, 404)
        if op.op == "remove":
            del entries[name]
        else:
            entries[name] = convert(op)
        draft[field] = entries or None

    return apply


def member(field: str) -> Apply:
    """A list whose entries are named by the value."""

    def apply(draft: Draft, op: PatchOp) -> None:
        _change_list(draft, field, op, given(op))

    return apply


def keyed_member(field: str) -> Apply:
    """A list whose entries are named by the path (`/binaryMediaTypes/image~1png`); a replace puts the value there."""

    def apply(draft: Draft, op: PatchOp) -> None:
        name = op.names[-1]
        if op.op == "replace" and op.value:
            kept = [found for found in draft.get(field) or [] if found != op.value]
            draft[field] = [op.value if found == name else found for found in kept]
            _change_list(draft, field, op, op.value)
        else:
            _change_list(draft, field, op, name)

    return apply


def _change_list(draft: Draft, field: str, op: PatchOp, name: str) -> None:
    entries = list(draft.get(field) or [])
    if op.op == "remove":
        entries = [found for found in entries if found != name]
    elif name not in entries:
        entries.append(name)
    draft[field] = entries


def flag(op: PatchOp) -> bool:
    return to_boolean(op.value or "")


def to_boolean(value: str) -> bool:
    return value.lower() == "true"


# --- the engine ------------------------------------------------------------------------------------------------------


def patch(record: R, operations: Sequence[Mapping[str, Any]] | None, table: PatchTable) -> R:
    """The record after all operations, in order. Raises ControlError; the record itself is never touched."""
    draft = msgspec.to_builtins(record)
    for given in operations or ():
        _apply(draft, given, table)
    try:
        return msgspec.convert(draft, type(record))
    except msgspec.ValidationError as error:
        raise bad_request(f"Invalid patch value specified: {error}") from error


def _apply(draft: Draft, given: Mapping[str, Any], table: PatchTable) -> None:
    op, path = given.get("op") or "", given.get("path")
    if path is None:
        raise bad_request("Invalid patch path null")
    segments = _segments(path)
    allowed: set[str] = set()
    for candidate in table.rules:
        names = candidate.match(segments)
        if names is None:
            continue
        if op in candidate.ops:
            candidate.apply(draft, PatchOp(op, path, names, given.get("value"), given.get("from")))
            return
        allowed |= candidate.ops
    if allowed:
        raise bad_request(f"Invalid patch operation specified. Must be {_one_of(allowed)}")
    raise bad_request(table.unknown.format(path=path, op=op, known=table.known(op)))


def _segments(path: str) -> list[str]:
    """A JSON pointer's segments, unescaped; of a text that is none, one segment that no rule has."""
    if not path.startswith("/"):
        return ["/" + path]
    return [segment.replace("~1", "/").replace("~0", "~") for segment in path[1:].split("/")]


def _one_of(ops: set[str]) -> str:
    """AWS has two forms of this message."""
    if ops == {"add", "remove", "replace"}:
        return "'add'|'remove'|'replace'"
    return f"one of: [{', '.join(sorted(ops))}]"
