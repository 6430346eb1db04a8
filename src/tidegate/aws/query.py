"""The query protocol, server side: a form names the operation and its parameters, the answer is XML, by botocore's model.

Source: botocore's query serializer and parser, read from the other end; *Making query requests* (IAM User Guide). Operations and
parameters are those of `aws.rest` and `aws.model`.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl
from xml.sax.saxutils import escape

from botocore.model import ServiceModel, Shape

from tidegate.aws.model import Params, Violations, check, decode_blob, parse_text, snake, wire_name
from tidegate.aws.rest import Operation
from tidegate.core.errors import ControlError
from tidegate.core.message import Request, Response

_MOST_FIELDS = 5_000
_DEEPEST = 12
"""Dots in a parameter's name; no model goes so deep, and what is in no model is passed over."""
_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


class Query:
    style = "query"

    def __init__(self, service: ServiceModel, *, violation: str = "ValidationError") -> None:
        """`violation`: the code of the error for input that breaks the model's constraints."""
        self.service = service
        self._violation = violation
        self._version = service.api_version
        self._namespace = service.metadata["xmlNamespace"]
        self.operations = {
            name: Operation(name, "POST", (), frozenset(), 200, service.operation_model(name))
            for name in service.operation_names
        }
        self._statuses = {
            error["code"]: int(error.get("httpStatusCode", 400))
            for shape in service.error_shapes
            if "code" in (error := shape.metadata.get("error", {}))
        }

    def match(self, request: Request) -> tuple[Operation, dict[str, str]] | None:
        """Its parameters come as labels. Raises ControlError."""
        form = read_form(request)
        action, version = form.get("Action", ""), form.get("Version", "")
        operation = self.operations.get(action)
        if not action:
            raise ControlError("MissingAction", "The request must contain the parameter Action")
        if operation is None or version != self._version:
            raise ControlError("InvalidAction", f"Could not find operation {action} for version {version or '(none)'}")
        return operation, form

    def parse(self, operation: Operation, labels: dict[str, str], request: Request) -> Params:
        """Raises ControlError."""
        shape = operation.model.input_shape
        if shape is None:
            return {}
        params: Params = _Reader(labels).value(shape, "") or {}
        found = Violations()
        check(shape, params, "", found)
        try:
            found.raise_if_any()
        except ControlError as error:
            raise ControlError(self._violation, error.message) from None
        return params

    def respond(self, operation: Operation, result: Any, request_id: str) -> Response:
        shape, name = operation.model.output_shape, operation.name
        body = ""
        if shape is not None:
            wrapper = shape.serialization.get("resultWrapper", f"{name}Result")
            body = f"<{wrapper}>{_members(shape, result or {})}</{wrapper}>"
        text = (
            f'<{name}Response xmlns="{self._namespace}">{body}'
            f"<ResponseMetadata><RequestId>{request_id}</RequestId></ResponseMetadata></{name}Response>"
        )
        return Response(200, _head(request_id), text.encode())

    def respond_error(self, error: ControlError, request_id: str) -> Response:
        status = self._statuses.get(error.code, error.status)
        kind = "Sender" if status < 500 else "Receiver"
        text = (
            f'<ErrorResponse xmlns="{self._namespace}"><Error><Type>{kind}</Type><Code>{error.code}</Code>'
            f"<Message>{_text(error.message)}</Message></Error><RequestId>{request_id}</RequestId></ErrorResponse>"
        )
        return Response(status, _head(request_id), text.encode())


def read_form(request: Request) -> dict[str, str]:
    """The fields of a call, in its query and, rather, in its body. Raises ControlError."""
    text = request.body.decode("utf-8", "replace") if request.method == "POST" else ""
    try:
        found = [parse_qsl(part, keep_blank_values=True, max_num_fields=_MOST_FIELDS) for part in (request.query, text)]
        return {name: value for fields in found for name, value in fields}
    except ValueError:
        raise ControlError("MalformedQueryString", f"more than {_MOST_FIELDS} parameters") from None


class _Reader:
    """Values of a shape out of fields with dotted names."""

    def __init__(self, fields: Mapping[str, str]) -> None:
        self._fields = {name: value for name, value in fields.items() if name.count(".") <= _DEEPEST}
        self._below: dict[str, set[str]] = {}
        """What follows a prefix, up to the next dot."""
        for name in self._fields:
            parts = name.split(".")
            for depth in range(1, len(parts)):
                self._below.setdefault(".".join(parts[:depth]), set()).add(parts[depth])

    def value(self, shape: Shape, at: str) -> Any:
        """None: the call has none."""
        kind = shape.type_name
        if kind == "structure":
            return self._structure(shape, at)
        if kind == "list":
            return self._list(shape, at)
        if kind == "map":
            return self._map(shape, at)
        text = self._fields.get(at)
        return None if text is None else _scalar(shape, text)

    def _structure(self, shape: Shape, at: str) -> Params | None:
        if at and at not in self._below:
            return None
        found = {
            snake(name): self.value(member, f"{at}.{wire_name(name, member)}" if at else wire_name(name, member))
            for name, member in shape.members.items()
        }
        return {name: value for name, value in found.items() if value is not None}

    def _list(self, shape: Shape, at: str) -> list[Any] | None:
        inner = at if shape.serialization.get("flattened") else f"{at}.{wire_name('member', shape.member)}"
        if inner not in self._below:
            # AWS's clients write an empty list as a name without a value.
            return [] if self._fields.get(at) == "" else None
        return [self.value(shape.member, place) for place in self._numbered(inner)]

    def _map(self, shape: Shape, at: str) -> dict[Any, Any] | None:
        inner = at if shape.serialization.get("flattened") else f"{at}.entry"
        if inner not in self._below:
            return None
        key, value = wire_name("key", shape.key), wire_name("value", shape.value)
        return {
            self.value(shape.key, f"{place}.{key}"): self.value(shape.value, f"{place}.{value}")
            for place in self._numbered(inner)
        }

    def _numbered(self, at: str) -> Iterable[str]:
        numbers = sorted(int(part) for part in self._below[at] if part.isascii() and part.isdigit() and len(part) < 6)
        return (f"{at}.{number}" for number in numbers)


def _scalar(shape: Shape, text: str) -> Any:
    kind = shape.type_name
    if kind == "blob":
        return decode_blob(text)
    if kind == "boolean" and text.lower() not in ("true", "false"):
        raise ControlError("MalformedInput", f"'{text}' can not be converted to an Boolean")
    try:
        return parse_text(shape, text)
    except ControlError as error:
        raise ControlError("MalformedInput", error.message) from None


def _head(request_id: str) -> list[tuple[bytes, bytes]]:
    return [(b"x-amzn-RequestId", request_id.encode()), (b"Content-Type", b"text/xml")]


def _members(shape: Shape, value: Any) -> str:
    parts = []
    for name, member in shape.members.items():
        inner = value.get(snake(name)) if isinstance(value, Mapping) else getattr(value, snake(name), None)
        if inner is not None:
            parts.append(_element(wire_name(name, member), member, inner))
    return "".join(parts)


def _element(name: str, shape: Shape, value: Any) -> str:
    kind = shape.type_name
    if kind == "structure":
        body = _members(shape, value)
    elif kind == "list":
        items = [_element(wire_name("member", shape.member), shape.member, item) for item in value]
        body = "".join(items)
    elif kind == "map":
        body = "".join(
            f"<entry>{_element('key', shape.key, key)}{_element('value', shape.value, item)}</entry>"
            for key, item in value.items()
        )
    elif kind == "timestamp":
        body = datetime.fromtimestamp(value, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    elif kind == "blob":
        body = base64.b64encode(value).decode()
    elif kind == "boolean":
        body = "true" if value else "false"
    else:
        body = _text(str(value))
    return f"<{name}>{body}</{name}>"


def _text(text: str) -> str:
    return escape(_NOT_XML.sub("\ufffd", text), {"\r": "&#13;"})
