"""Answers of query-protocol services (SNS, SQS, IAM, STS …) as JSON, as these services give them to `Accept: application/json`.

API Gateway asks them for JSON; a service that answers in XML all the same (an older one, a neighbour) is translated here, by
botocore's model where it has the shapes. Source: *AWS Query protocol*; the form of the JSON as templates in the field read it
(`SendMessageResponse.SendMessageResult.MessageId`).
"""

from __future__ import annotations

from typing import Any
from xml.etree import ElementTree

import orjson
from botocore.model import ServiceModel, Shape

_LISTS = {
    "Message": "messages",
    "SendMessageBatchResultEntry": "Successful",
    "DeleteMessageBatchResultEntry": "Successful",
    "BatchResultErrorEntry": "Failed",
}
"""SQS, whose model has no XML any more: repeated elements and their names in JSON. `messages` is known from templates, the
others are unverified."""
_PAIRS = frozenset({"Attribute", "MessageAttribute", "Tag"})
"""Elements of SQS that are entries of a map: Name (or Key) and Value."""


def xml_to_json(body: bytes, model: ServiceModel | None) -> bytes:
    """`model`: the service's, where its shapes tell of XML. Raises ValueError for what is no XML."""
    try:
        root = ElementTree.fromstring(body)  # noqa: S314 - expat bounds entity expansion; the source is the backend
    except ElementTree.ParseError as error:
        raise ValueError(f"the service's answer is no XML: {error}") from None
    name = _tag(root)
    if name in ("ErrorResponse", "Response"):
        return orjson.dumps(_plain(root) or {})
    shape = _output(model, name.removesuffix("Response"))
    members: dict[str, Any] = {}
    for child in root:
        is_result = _tag(child).endswith("Result")
        members[_tag(child)] = _by_shape(shape, child) if is_result and shape is not None else _plain(child) or {}
    return orjson.dumps({name: members})


def _tag(element: ElementTree.Element) -> str:
    return element.tag.rpartition("}")[2]


def _output(model: ServiceModel | None, operation: str) -> Shape | None:
    if model is None or model.protocol != "query" or operation not in model.operation_names:
        return None
    return model.operation_model(operation).output_shape


def _by_shape(shape: Shape, element: ElementTree.Element) -> Any:
    kind = shape.type_name
    if kind == "structure":
        # The services name every member, null where it is not set.
        return {name: _member(member, name, element) for name, member in sorted(shape.members.items())}
    if kind == "list":
        return [_by_shape(shape.member, item) for item in element]
    if kind == "map":
        return _entries(shape, list(element))
    return _scalar(kind, element.text)


def _member(shape: Shape, name: str, parent: ElementTree.Element) -> Any:
    tag = shape.serialization.get("name", name)
    if shape.serialization.get("flattened") and shape.type_name in ("list", "map"):
        return _flattened(shape, tag, parent)
    found = next((child for child in parent if _tag(child) == tag), None)
    return None if found is None else _by_shape(shape, found)


def _flattened(shape: Shape, tag: str, parent: ElementTree.Element) -> Any:
    if shape.type_name == "map":
        return _entries(shape, [child for child in parent if _tag(child) == tag])
    tag = shape.member.serialization.get("name", tag)
    return [_by_shape(shape.member, child) for child in parent if _tag(child) == tag]


def _entries(shape: Shape, elements: list[ElementTree.Element]) -> dict[str, Any]:
    key, value = shape.key.serialization.get("name", "key"), shape.value.serialization.get("name", "value")
    entries = {}
    for element in elements:
        parts = {_tag(child): child for child in element}
        if key in parts and value in parts:
            entries[parts[key].text or ""] = _by_shape(shape.value, parts[value])
    return entries


def _scalar(kind: str, text: str | None) -> Any:
    if text is None:
        return "" if kind == "string" else None
    if kind == "boolean":
        return text == "true"
    if kind in ("integer", "long"):
        return int(text)
    return float(text) if kind in ("double", "float") else text


def _plain(element: ElementTree.Element) -> Any:
    """Without a shape: text for leaves, lists where a name repeats."""
    if not len(element):
        return element.text
    members: dict[str, Any] = {}
    for child in element:
        name = _tag(child)
        if name in _PAIRS:
            name_of, value_of = _pair(child)
            members.setdefault(f"{name}s", {})[name_of] = value_of
        elif name in _LISTS and len(child):
            members.setdefault(_LISTS[name], []).append(_plain(child))
        elif name in members:
            known = members[name]
            members[name] = [*known, _plain(child)] if isinstance(known, list) else [known, _plain(child)]
        else:
            members[name] = _plain(child)
    return members


def _pair(element: ElementTree.Element) -> tuple[str, Any]:
    parts = {_tag(child): child for child in element}
    key = parts.get("Name", parts.get("Key"))
    value = parts.get("Value")
    return (key.text or "") if key is not None else "", None if value is None else _plain(value)
