"""The rest-json protocol, server side: which operation a request means, its parameters, its answer.

Interprets the `http` traits of a botocore model. Source: botocore's rest-json serializer, read from the other end.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, unquote

import orjson
from botocore.model import OperationModel, ServiceModel, Shape

from tidegate.aws.model import (
    Params,
    Violations,
    check,
    parse,
    parse_text,
    render,
    require_type,
    snake,
    wire_name,
)
from tidegate.core.errors import ControlError
from tidegate.core.message import Request, Response

_NOTHING: frozenset[tuple[str, str]] = frozenset()


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation of a service and the HTTP form it goes by."""

    name: str
    verb: str
    segments: tuple[str, ...]
    """Path segments; `{name}` is a label, `{name+}` a label for all that follows."""
    query: frozenset[tuple[str, str]]
    """Query arguments that the form fixes (`mode=import`)."""
    status: int
    model: OperationModel

    @property
    def has_document(self) -> bool:
        """Whether it answers with one."""
        return self.model.output_shape is not None and self.status != 204


@dataclass(slots=True)
class Answer:
    """What an operation may give back where a record alone does not do: raw bytes and headers."""

    body: bytes | AsyncIterator[bytes]
    headers: tuple[tuple[bytes, bytes], ...] = ()
    status: int | None = None
    request_id: str | None = None
    """Where it is settled by what the operation did, and not by the call."""


class RestJson:
    """One service's protocol. `nested_paths`: whether validation messages begin with `{operation}Input.` (API Gateway does)."""

    style = "rest-json"

    def __init__(self, service: ServiceModel, *, nested_paths: bool, capital_errors: bool = False) -> None:
        self.service = service
        self._nested_paths = nested_paths
        self._message_key = "Message" if capital_errors else "message"
        self.operations = {name: _operation(service.operation_model(name)) for name in service.operation_names}
        self._layouts: dict[str, _Layout] = {}
        self._by_form = _index(self.operations.values())

    def match(self, request: Request) -> tuple[Operation, dict[str, str]] | None:
        """The operation that a request means, with its path labels; None: no such path."""
        parts = [unquote(part) for part in request.path.strip("/").split("/")]
        arguments = set(parse_qsl(request.query, keep_blank_values=True)) if request.query else _NOTHING
        verb, size = request.method, len(parts)
        for operation in self._by_form.get((verb, size, parts[-1])) or self._by_form.get((verb, size, None)) or ():
            labels = _labels(operation, parts)
            if labels is not None and operation.query <= arguments:
                return operation, labels
        return None

    def parse(self, operation: Operation, labels: dict[str, str], request: Request) -> Params:
        """The operation's parameters, in snake_case, checked. Raises ControlError."""
        shape = operation.model.input_shape
        if shape is None:
            return {}
        layout = self._layouts.get(operation.name)
        if layout is None:
            layout = self._layouts[operation.name] = _layout(shape)
        params = layout.located(labels, request)
        params |= layout.from_body(request)
        found = Violations()
        prefix = operation.name[0].lower() + operation.name[1:] + "Input" if self._nested_paths else ""
        check(shape, params, prefix, found)
        found.raise_if_any()
        return params

    def respond(self, operation: Operation, result: Any, request_id: str) -> Response:
        if isinstance(result, Answer):
            head = [(b"x-amzn-RequestId", (result.request_id or request_id).encode())]
            return Response(result.status or operation.status, [*head, *result.headers], result.body)
        head = [(b"x-amzn-RequestId", request_id.encode())]
        body = b""
        if operation.has_document:
            body = orjson.dumps(render(operation.model.output_shape, result or {}))
            head.append((b"Content-Type", b"application/json"))
        return Response(operation.status, head, body)

    def respond_error(self, error: ControlError, request_id: str) -> Response:
        body = {self._message_key: error.message, **error.extra}
        head = [
            (b"x-amzn-RequestId", request_id.encode()),
            (b"x-amzn-ErrorType", error.code.encode()),
            (b"Content-Type", b"application/json"),
            *error.headers,
        ]
        return Response(error.status, head, orjson.dumps(body))


def _operation(model: OperationModel) -> Operation:
    path, _, query = model.http["requestUri"].partition("?")
    return Operation(
        name=model.name,
        verb=model.http["method"],
        segments=tuple(path.strip("/").split("/")),
        query=frozenset(parse_qsl(query, keep_blank_values=True)),
        status=model.http.get("responseCode", 200),
        model=model,
    )


def _index(operations: Iterable[Operation]) -> dict[tuple[str, int, str | None], list[Operation]]:
    """By verb, number of segments, and the last segment's text; None for texts that no operation has there."""
    by_size: dict[tuple[str, int], list[Operation]] = {}
    for operation in operations:
        by_size.setdefault((operation.verb, len(operation.segments)), []).append(operation)
    index: dict[tuple[str, int, str | None], list[Operation]] = {}
    for (verb, size), candidates in by_size.items():
        candidates.sort(key=_specificity, reverse=True)
        for last in {None, *(each.segments[-1] for each in candidates)}:
            index[verb, size, last] = [each for each in candidates if each.segments[-1] in (last, *_label(each))]
    return index


def _label(operation: Operation) -> tuple[str, ...]:
    """The last segment, where it is one."""
    return tuple(part for part in operation.segments[-1:] if part.startswith("{"))


def _specificity(operation: Operation) -> tuple[int, int]:
    """Forms with fixed query arguments first, then those with more literal segments."""
    return len(operation.query), sum(not segment.startswith("{") for segment in operation.segments)


def _labels(operation: Operation, parts: list[str]) -> dict[str, str] | None:
    labels = {}
    for wanted, given in zip(operation.segments, parts, strict=True):
        if wanted.startswith("{"):
            if not given:
                return None
            labels[wanted.strip("{}+")] = given
        elif wanted != given:
            return None
    return labels


@dataclass(frozen=True, slots=True)
class _Layout:
    """Where an operation's members travel, each as (name on the wire, in snake_case, shape)."""

    labels: tuple[tuple[str, str, Shape], ...]
    query: tuple[tuple[str, str, Shape], ...]
    headers: tuple[tuple[bytes, str, Shape], ...]
    body: tuple[tuple[str, str, Shape], ...]
    free: str | None
    """The one that takes all other arguments of the query."""
    payload: tuple[str, Shape] | None
    """The one that is the whole body."""

    def located(self, labels: dict[str, str], request: Request) -> Params:
        """The members that travel in the path, the query and the headers."""
        params: Params = {}
        for key, name, shape in self.labels:
            if key in labels:
                params[name] = parse_text(shape, labels[key])
        headers = request.headers
        for field, name, shape in self.headers:
            if (given := headers.get(field)) is not None:
                params[name] = parse_text(shape, given.decode("utf-8", "replace"))
        if request.query or self.free is not None:
            self._from_query(request.query, params)
        return params

    def _from_query(self, query: str, params: Params) -> None:
        arguments: dict[str, list[str]] = {}
        for argument, text in parse_qsl(query, keep_blank_values=True):
            arguments.setdefault(argument, []).append(text)
        for key, name, shape in self.query:
            if key in arguments:
                given = arguments.pop(key)
                params[name] = given if shape.type_name == "list" else parse_text(shape, given[-1])
        if self.free is not None:
            params[self.free] = {key: values[-1] for key, values in arguments.items() if key not in ("mode", "format")}

    def from_body(self, request: Request) -> Params:
        if self.payload is not None:
            name, shape = self.payload
            return {name: request.body if shape.type_name == "blob" else parse(shape, _json(request.body))}
        if not self.body or not request.body:
            return {}
        document = _json(request.body)
        if document is None:
            return {}
        require_type("structure", document)
        return {name: parse(shape, document[key]) for key, name, shape in self.body if key in document}


def _layout(shape: Shape) -> _Layout:
    payload = shape.serialization.get("payload")
    places: dict[str | None, list[tuple[str, str, Shape]]] = {}
    free: str | None = None
    for name, member in shape.members.items():
        where = member.serialization.get("location")
        if where == "querystring" and member.type_name == "map":
            free = snake(name)
        else:
            places.setdefault(where, []).append((wire_name(name, member), snake(name), member))
    return _Layout(
        labels=tuple(places.get("uri", ())),
        query=tuple(places.get("querystring", ())),
        headers=tuple((key.lower().encode(), name, member) for key, name, member in places.get("header", ())),
        body=tuple(places.get(None, ())),
        free=free,
        payload=None if payload is None else (snake(payload), shape.members[payload]),
    )


def _json(body: bytes) -> Any:
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError:
        raise ControlError("SerializationException", "The request body is not valid JSON") from None
