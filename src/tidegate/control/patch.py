"""Patch operations, driven by a table per entity. Atomic over the whole list; values come as strings.

A rule says which path takes which operations and what to do with the value. Source: *Patch operations* of the API Gateway
API reference; messages as recorded (shared facts, rest-control-plane §5).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias, TypeVar

import msgspec

from tidegate.core.errors import ControlError

Draft: TypeAlias = dict[str, Any]
"""A record as plain values, to be changed in place."""
Apply: TypeAlias = Callable[[Draft, "PatchOp"], None]
R = TypeVar("R")


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
        draft[field] = (op.value or "").lower() == "true"

    return apply


def integer(field: str, check: Callable[[int], str | None] = lambda _value: None) -> Apply:
    """`check` returns the message for a number that will not do. No value: unset."""

    def apply(draft: Draft, op: PatchOp) -> None:
        if op.value is None:
            draft[field] = None
            return
        try:
            number = int(op.value)
        except ValueError:
            raise bad_request(f"Invalid patch value  specified for path {op.path}: {op.value}") from None
        if complaint := check(number):
            raise bad_request(complaint)
        draft[field] = number

    return apply


def choice(field: str, *allowed: str) -> Apply:
    def apply(draft: Draft, op: PatchOp) -> None:
        if op.value not in allowed:
            raise bad_request(f"Invalid value {op.value} for {op.path}. Must be one of: [{', '.join(allowed)}]")
        draft[field] = op.value

    return apply


def entry(field: str, convert: Callable[[str], Any] = str) -> Apply:
    """One entry of a map, named by the path's last segment."""

    def apply(draft: Draft, op: PatchOp) -> None:
        entries = dict(draft.get(field) or {})
        name = op.names[-1]
        if op.op == "remove":
            if name not in entries:
                raise ControlError("NotFoundException", "Invalid parameter name specified", 404)
            del entries[name]
        else:
            entries[name] = convert(op.value or "")
        draft[field] = entries or None

    return apply


def member(field: str) -> Apply:
    """A list whose entries are named by the value."""

    def apply(draft: Draft, op: PatchOp) -> None:
        entries = list(draft.get(field) or [])
        value = op.value or ""
        if op.op == "remove":
            entries = [found for found in entries if found != value]
        elif value not in entries:
            entries.append(value)
        draft[field] = entries

    return apply


def keyed_member(field: str) -> Apply:
    """A list whose entries are named by the path (`/binaryMediaTypes/image~1png`); a replace puts the value there."""

    def apply(draft: Draft, op: PatchOp) -> None:
        entries = [found for found in draft.get(field) or [] if found != op.names[-1]]
        if op.op == "replace":
            entries.append(op.value or op.names[-1])
        elif op.op == "add":
            entries.append(op.names[-1])
        draft[field] = entries or None

    return apply


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
    segments = [segment.replace("~1", "/").replace("~0", "~") for segment in path.removeprefix("/").split("/")]
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


def _one_of(ops: set[str]) -> str:
    """AWS has two forms of this message."""
    if ops == {"add", "remove", "replace"}:
        return "'add'|'remove'|'replace'"
    return f"one of: [{', '.join(sorted(ops))}]"
