"""Reading template files: YAML with CloudFormation's short tags, or JSON, into plain dictionaries, lists and scalars.

Not here: what a template means. Scalars are what CloudFormation makes of them: there are no timestamps (`2012-10-17` is
text), no octal and no base-60 numbers (`0123` and `12:30` are text), and every key is text, as written.

AWS: CloudFormation User Guide, "CloudFormation template formats" and "Intrinsic function reference" (short forms).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from tidegate.deploy.errors import DeployError, Problem

_PLAIN_TAGS = frozenset({"Ref", "Condition"})
_FUNCTION_TAGS = frozenset(
    {
        *("And", "Base64", "Cidr", "Equals", "FindInMap", "GetAZs", "GetAtt", "If", "ImportValue", "Join", "Length"),
        *("Not", "Or", "Select", "Split", "Sub", "ToJsonString", "Transform"),
    }
)
SECTIONS = frozenset(
    {
        *("AWSTemplateFormatVersion", "Conditions", "Description", "Globals", "Hooks", "Mappings", "Metadata"),
        *("Outputs", "Parameters", "Resources", "Rules", "Transform"),
    }
)
_MARKED_DEPTH = 4
"""Places are remembered as deep as `Resources.Function.Properties.Timeout`."""


@dataclass(frozen=True, slots=True)
class Document:
    """A file's content, and where in the file its upper keys stand (line and column from 1; empty for JSON)."""

    path: Path
    body: Any
    marks: Mapping[tuple[str, ...], tuple[int, int]]

    def where(self, *keys: str) -> str:
        """`template.yaml:12:3` of the deepest known key, else the file's name."""
        for depth in range(len(keys), 0, -1):
            if mark := self.marks.get(keys[:depth]):
                return f"{self.path.name}:{mark[0]}:{mark[1]}"
        return self.path.name


class _Loader(yaml.SafeLoader):
    """SafeLoader with CloudFormation's scalars and tags, and without its silence about duplicate keys."""

    yaml_implicit_resolvers: dict[str, list[tuple[str, re.Pattern[str]]]] = {}

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        self._refuse_duplicates(node)
        self.flatten_mapping(node)
        # The pairs that a merge key (`<<`) brings stand first: what the mapping says itself wins.
        return {_key(key): self.construct_object(value, deep=True) for key, value in node.value}

    def _refuse_duplicates(self, node: yaml.MappingNode) -> None:
        seen: set[str] = set()
        for key, _ in node.value:
            name = _key(key)
            if name in seen and key.tag != "tag:yaml.org,2002:merge":
                raise yaml.constructor.ConstructorError(None, None, f"duplicate key: {name}", key.start_mark)
            seen.add(name)


def _key(node: yaml.Node) -> str:
    if not isinstance(node, yaml.ScalarNode):
        raise yaml.constructor.ConstructorError(None, None, "a key must be text", node.start_mark)
    return str(node.value)


def _construct_map(loader: _Loader, node: yaml.MappingNode) -> dict[Any, Any]:
    return loader.construct_mapping(node)


def _construct_tag(loader: _Loader, name: str, node: yaml.Node) -> dict[str, Any]:
    if name not in _PLAIN_TAGS and name not in _FUNCTION_TAGS:
        raise yaml.constructor.ConstructorError(None, None, f"unknown tag: !{name}", node.start_mark)
    value: Any
    if isinstance(node, yaml.ScalarNode):
        value = loader.construct_scalar(node)
    elif isinstance(node, yaml.SequenceNode):
        value = loader.construct_sequence(node, deep=True)
    else:
        value = loader.construct_mapping(node) if isinstance(node, yaml.MappingNode) else None
    if name == "GetAtt" and isinstance(value, str):
        value = value.split(".", 1)
    return {name if name in _PLAIN_TAGS else f"Fn::{name}": value}


def _resolver(tag: str, pattern: str, first: str) -> None:
    _Loader.add_implicit_resolver(f"tag:yaml.org,2002:{tag}", re.compile(pattern), list(first))


_resolver("null", r"^(?:~|null|Null|NULL|)$", "~nN\0")
_Loader.yaml_implicit_resolvers.setdefault("", []).extend(_Loader.yaml_implicit_resolvers["~"])
_resolver("bool", r"^(?:yes|Yes|YES|no|No|NO|true|True|TRUE|false|False|FALSE|on|On|ON|off|Off|OFF)$", "yYnNtTfFoO")
_resolver("int", r"^[-+]?(?:0|[1-9][0-9]*)$", "-+0123456789")
_resolver("float", r"^[-+]?(?:[0-9]+\.[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]+)?$", "-+0123456789.")
_resolver("merge", r"^<<$", "<")
_Loader.add_constructor("tag:yaml.org,2002:map", _construct_map)
_Loader.add_multi_constructor("!", _construct_tag)


def read_document(path: Path) -> Document:
    """Read a YAML or JSON file. Raises DeployError with file, line and column."""
    try:
        text = path.read_text("utf-8")
    except OSError as error:
        raise DeployError([Problem(str(path), f"cannot be read: {error.strerror}")]) from error
    except UnicodeDecodeError as error:
        raise DeployError([Problem(str(path), f"is not UTF-8 text (byte {error.start})")]) from error
    return _read_json(path, text) if text.lstrip().startswith("{") else _read_yaml(path, text)


def read_template(path: Path) -> Document:
    """Read a template and check its outermost shape."""
    document = read_document(path)
    if not isinstance(document.body, dict):
        raise DeployError([Problem(path.name, "Template format error: the template must be a mapping")])
    problems = [
        Problem(document.where(name), f"Invalid template property or properties [{name}]")
        for name in document.body
        if name not in SECTIONS
    ]
    problems += [
        Problem(document.where(name), f"the section {name} is not supported")
        for name in ("Rules", "Hooks")
        if name in document.body
    ]
    if not isinstance(document.body.get("Resources"), dict) or not document.body["Resources"]:
        problems.append(Problem(path.name, "Template format error: At least one Resources member must be defined."))
    problems += _malformed(document)
    if problems:
        raise DeployError(problems)
    return document


def _malformed(document: Document) -> Iterator[Problem]:
    for section in ("Parameters", "Mappings", "Conditions", "Resources", "Outputs"):
        members = document.body.get(section)
        if members is None:
            continue
        if not isinstance(members, dict):
            yield Problem(document.where(section), f"Template format error: {section} must be a mapping")
            continue
        for name, member in members.items():
            where = document.where(section, name)
            if name == "Fn::Transform":
                continue
            if not isinstance(member, dict):
                yield Problem(where, f"Template format error: {section}.{name} must be an object")
            elif section == "Resources" and not isinstance(member.get("Type"), str):
                yield Problem(
                    where, f"Template format error: [/Resources/{name}] Every Resources object must have a Type"
                )
            elif section == "Resources" and not isinstance(member.get("Properties") or {}, dict):
                yield Problem(where, f"Template format error: Resources.{name}.Properties must be an object")
            elif not isinstance(member.get("Condition") or "", str | dict):
                yield Problem(where, f"Template format error: {section}.{name}.Condition must be a name")


def _read_yaml(path: Path, text: str) -> Document:
    loader = _Loader(text)
    try:
        node = loader.get_single_node()
        marks = dict(_marks(node, ())) if node else {}
        body = loader.construct_document(node) if node else None
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = f"{path.name}:{mark.line + 1}:{mark.column + 1}" if mark else path.name
        raise DeployError([Problem(place, str(error.problem or error.context))]) from error
    except yaml.YAMLError as error:
        raise DeployError([Problem(path.name, str(error))]) from error
    finally:
        loader.dispose()
    return Document(path, _unshared(body), marks)


def _unshared(body: Any) -> Any:
    """The same content with nothing shared: an alias becomes a copy, which SAM's transform may then change by itself."""
    return json.loads(json.dumps(body))


def _marks(node: yaml.Node, above: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], tuple[int, int]]]:
    if not isinstance(node, yaml.MappingNode) or len(above) == _MARKED_DEPTH:
        return
    for key, value in node.value:
        path = (*above, str(key.value))
        yield path, (key.start_mark.line + 1, key.start_mark.column + 1)
        yield from _marks(value, path)


def _read_json(path: Path, text: str) -> Document:
    def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        members = dict(pairs)
        if len(members) != len(pairs):
            names = [name for name, _ in pairs]
            twice = next(name for name in names if names.count(name) > 1)
            raise DeployError([Problem(path.name, f"duplicate key: {twice}")])
        return members

    try:
        return Document(path, json.loads(text, object_pairs_hook=unique), {})
    except json.JSONDecodeError as error:
        raise DeployError([Problem(f"{path.name}:{error.lineno}:{error.colno}", error.msg)]) from error
