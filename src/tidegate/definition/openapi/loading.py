"""From the bytes of a file, JSON or YAML, to plain values with the types of JSON, in time that its size bounds.

Keys are text whatever they look like (`200:`), dates and `yes` stay text; aliases and merge keys are followed, but what
they expand to is counted, so that a small file cannot become a huge one. A key that is there twice is an error.
Not here: what the values mean.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import yaml

from tidegate.definition.openapi.imported import OpenApiError

MOST_BYTES = 6 * 1024 * 1024
"""AWS: the largest file (*Quotas*)."""
_MOST_NODES = 1_000_000
"""Ours, aliases counted as often as they stand: a real file of 6 MB has a quarter of it."""
_DEEPEST = 128
"""Ours: how deep values may nest."""

_NULL = re.compile(r"(?:~|null|Null|NULL|)")
_TRUE = re.compile(r"true|True|TRUE")
_BOOLEAN = re.compile(r"true|True|TRUE|false|False|FALSE")
# Leading zeros stay text: 012345678901 is an account.
_INTEGER = re.compile(r"[-+]?(?:0|[1-9][0-9]{0,30})")
_FLOAT = re.compile(
    r"[-+]?(?:0|[1-9][0-9]{0,30})?\.[0-9]{1,40}(?:[eE][-+]?[0-9]{1,3})?|[-+]?[0-9]{1,30}[eE][-+]?[0-9]{1,3}"
)
_TAG = "tag:yaml.org,2002:"


def load(body: bytes, variables: dict[str, str]) -> dict[str, Any]:
    """The file's root. `${AWS::NAME}` is replaced for every NAME in `variables`. Raises OpenApiError."""
    if len(body) > MOST_BYTES:
        raise OpenApiError("The OpenAPI file is larger than 6 MB")
    try:
        text = body.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise OpenApiError(f"Invalid OpenAPI input: not UTF-8 ({error.reason} at byte {error.start})") from None
    for name, value in variables.items():
        text = text.replace(f"${{AWS::{name}}}", value)
    root = _from_json(text) if text.lstrip()[:1] in ("{", "[") else _from_yaml(text)
    if not isinstance(root, dict):
        # AWS [rec]: whatever is no OpenAPI at all.
        raise OpenApiError("Unable to build importer with provided input.")
    return root


# --- JSON ------------------------------------------------------------------------------------------------------------


def _from_json(text: str) -> Any:
    try:
        root = json.loads(text, object_pairs_hook=_object, parse_constant=_constant)
    except json.JSONDecodeError as error:
        try:
            # `{a: 1}` is YAML in JSON's clothes.
            return _from_yaml(text)
        except OpenApiError:
            raise OpenApiError(f"Invalid OpenAPI input: {error}") from None
    except RecursionError:
        raise _too_deep() from None
    except ValueError as error:
        if isinstance(error, OpenApiError):
            raise
        raise OpenApiError(f"Invalid OpenAPI input: {error}") from None
    _check_depth(root)
    if "\\ud" in text.lower():
        _check_surrogates(root)
    return root


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) != len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise OpenApiError(f"Invalid OpenAPI input: the key {twice!r} is there twice")
    return made


def _constant(name: str) -> Any:
    raise OpenApiError(f"Invalid OpenAPI input: {name} is no JSON")


def _check_surrogates(root: Any) -> None:
    """JSON can escape halves of a character, which no text that is stored may hold."""
    try:
        json.dumps(root, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        raise OpenApiError("Invalid OpenAPI input: a surrogate stands alone") from None


def _check_depth(root: Any) -> None:
    level = [root]
    for _ in range(_DEEPEST):
        below: list[Any] = []
        for value in level:
            if isinstance(value, dict):
                below.extend(inner for inner in value.values() if isinstance(inner, dict | list))
            elif isinstance(value, list):
                below.extend(inner for inner in value if isinstance(inner, dict | list))
        if not below:
            return
        level = below
    raise _too_deep()


def _too_deep() -> OpenApiError:
    return OpenApiError(f"Invalid OpenAPI input: values are nested more than {_DEEPEST} levels deep")


# --- YAML ------------------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class _Open:
    """A mapping or sequence whose end has not come yet."""

    value: dict[str, Any] | list[Any]
    anchor: str | None
    line: int
    key: str | None = None
    """Of a mapping: the key whose value comes next."""
    merging: bool = False
    """The key is `<<`, unquoted."""
    nodes: int = 1
    """How many values it holds, itself included, aliases expanded."""
    height: int = 1
    """How deep they nest, likewise."""
    merged: list[dict[str, Any]] = field(default_factory=list)
    """What `<<` names; its own keys win."""


def _from_yaml(text: str) -> Any:
    # The events of libyaml's scanner, not its tree: that one is built by recursion, and expands before it can be counted.
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        return _Builder().build(yaml.parse(text, Loader=loader))
    except yaml.YAMLError as error:
        raise OpenApiError(f"Invalid OpenAPI input: {_one_line(error)}") from None
    except RecursionError:
        raise _too_deep() from None


def _one_line(error: yaml.YAMLError) -> str:
    mark = getattr(error, "problem_mark", None)
    problem = getattr(error, "problem", None) or str(error).partition("\n")[0]
    return f"{problem} at line {mark.line + 1}, column {mark.column + 1}" if mark else str(problem)


class _Builder:
    """Builds the one document's value out of events."""

    def __init__(self) -> None:
        self._stack: list[_Open] = []
        self._anchors: dict[str, tuple[Any, int, int]] = {}
        """Value, nodes and height by name."""
        self._root: Any = None
        self._documents = 0

    def build(self, events: Iterator[Any]) -> Any:
        for event in events:
            if isinstance(event, yaml.ScalarEvent):
                self._scalar(event)
            elif isinstance(event, yaml.MappingStartEvent | yaml.SequenceStartEvent):
                self._start(event)
            elif isinstance(event, yaml.CollectionEndEvent):
                self._end()
            elif isinstance(event, yaml.AliasEvent):
                self._alias(event)
            elif isinstance(event, yaml.DocumentStartEvent):
                self._documents += 1
                if self._documents > 1:
                    raise _at(event, "more than one YAML document")
        return self._root

    def _start(self, event: Any) -> None:
        mapping = isinstance(event, yaml.MappingStartEvent)
        if event.tag not in (None, "!", _TAG + ("map" if mapping else "seq")):
            raise _unknown_tag(event)
        if self._stack and isinstance(self._stack[-1].value, dict) and self._stack[-1].key is None:
            raise _at(event, "a key must be text")
        if len(self._stack) >= _DEEPEST:
            raise _too_deep()
        self._stack.append(_Open({} if mapping else [], event.anchor, event.start_mark.line + 1))

    def _end(self) -> None:
        done = self._stack.pop()
        if isinstance(done.value, dict):
            for source in done.merged:
                for name, value in source.items():
                    done.value.setdefault(name, value)
        self._add(done.value, done.nodes, done.height, done.anchor, done.line)

    def _alias(self, event: Any) -> None:
        if event.anchor not in self._anchors:
            raise _at(event, f"the alias {event.anchor} names nothing that is complete")
        if self._at_key():
            raise _at(event, "a key must be text, not an alias")
        value, nodes, height = self._anchors[event.anchor]
        if len(self._stack) + height > _DEEPEST:
            raise _too_deep()
        self._add(value, nodes, height, None, event.start_mark.line + 1)

    def _scalar(self, event: Any) -> None:
        if self._at_key():
            top = self._stack[-1]
            if event.anchor:
                self._anchors[event.anchor] = (event.value, 1, 0)
            top.key, top.merging = event.value, event.value == "<<" and event.implicit[0]
            if event.value in top.value and not top.merging:
                raise _at(event, f"the key {event.value!r} is there twice")
            return
        self._add(_typed(event), 1, 0, event.anchor, event.start_mark.line + 1)

    def _at_key(self) -> bool:
        return bool(self._stack) and isinstance(self._stack[-1].value, dict) and self._stack[-1].key is None

    def _add(self, value: Any, nodes: int, height: int, anchor: str | None, line: int) -> None:
        if anchor:
            self._anchors[anchor] = (value, nodes, height)
        if not self._stack:
            self._root = value
            return
        top = self._stack[-1]
        top.nodes += nodes
        top.height = max(top.height, height + 1)
        if top.nodes > _MOST_NODES:
            raise OpenApiError(f"Invalid OpenAPI input: more than {_MOST_NODES} values, aliases expanded")
        if isinstance(top.value, list):
            top.value.append(value)
        else:
            self._entry(top, value, line)

    @staticmethod
    def _entry(top: _Open, value: Any, line: int) -> None:
        assert isinstance(top.value, dict) and top.key is not None
        if top.merging:
            sources = value if isinstance(value, list) else [value]
            if not all(isinstance(source, dict) for source in sources):
                raise OpenApiError(f"Invalid OpenAPI input: line {line}: only mappings can be merged with <<")
            top.merged += sources
        else:
            top.value[top.key] = value
        top.key = None


def _typed(event: Any) -> Any:
    """A scalar's value: quoted ones are text, plain ones have JSON's types."""
    text, tag = event.value, event.tag
    if tag is not None and tag not in ("!", *(_TAG + kind for kind in ("str", "int", "float", "bool", "null"))):
        raise _unknown_tag(event)
    if tag in ("!", f"{_TAG}str") or (tag is None and not event.implicit[0]):
        return text
    if _NULL.fullmatch(text):
        return None
    if _BOOLEAN.fullmatch(text):
        return bool(_TRUE.fullmatch(text))
    if _INTEGER.fullmatch(text):
        return int(text)
    if _FLOAT.fullmatch(text):
        return float(text)
    return text


def _unknown_tag(event: Any) -> OpenApiError:
    return _at(
        event, f"the tag {event.tag} is not one of JSON's types; CloudFormation's functions are not resolved here"
    )


def _at(event: Any, text: str) -> OpenApiError:
    return OpenApiError(f"Invalid OpenAPI input: line {event.start_mark.line + 1}: {text}")
