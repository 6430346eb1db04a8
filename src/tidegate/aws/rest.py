"""The rest-json protocol, server side: which operation a request means, its parameters, its answer.

Interprets the `http` traits of a botocore model. Source: botocore's rest-json serializer, read from the other end.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
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


@dataclass(frozen=True, slots=True)
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
        self._by_shape: dict[tuple[str, int], list[Operation]] = {}
        for operation in self.operations.values():
            self._by_shape.setdefault((operation.verb, len(operation.segments)), []).append(operation)
        for candidates in self._by_shape.values():
            candidates.sort(key=_specificity, reverse=True)

    def match(self, request: Request) -> tuple[Operation, dict[str, str]] | None:
        """The operation that a request means, with its path labels; None: no such path."""
        parts = [unquote(part) for part in request.path.strip("/").split("/")]
        arguments = set(parse_qsl(request.query, keep_blank_values=True))
        for operation in self._by_shape.get((request.method, len(parts)), ()):
            labels = _labels(operation, parts)
            if labels is not None and operation.query <= arguments:
                return operation, labels
        return None

    def parse(self, operation: Operation, labels: dict[str, str], request: Request) -> Params:
        """The operation's parameters, in snake_case, checked. Raises ControlError."""
        shape = operation.model.input_shape
        if shape is None:
            return {}
        params = _located(shape, labels, request)
        params |= _from_body(shape, request)
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


def _located(shape: Shape, labels: dict[str, str], request: Request) -> Params:
    """The members that travel in the path, the query and the headers."""
    arguments: dict[str, list[str]] = {}
    for argument, text in parse_qsl(request.query, keep_blank_values=True):
        arguments.setdefault(argument, []).append(text)
    params: Params = {}
    free: str | None = None
    for name, member in shape.members.items():
        where, key = member.serialization.get("location"), wire_name(name, member)
        value: Any = None
        if where == "uri":
            value = parse_text(member, labels[key]) if key in labels else None
        elif where == "querystring" and member.type_name == "map":
            free = snake(name)
        elif where == "querystring" and key in arguments:
            given = arguments.pop(key)
            value = given if member.type_name == "list" else parse_text(member, given[-1])
        elif where == "header" and (header := request.headers.get(key.lower().encode())) is not None:
            value = parse_text(member, header.decode("utf-8", "replace"))
        if value is not None:
            params[snake(name)] = value
    if free is not None:
        params[free] = {key: values[-1] for key, values in arguments.items() if key not in ("mode", "format")}
    return params


def _from_body(shape: Shape, request: Request) -> Params:
    payload = shape.serialization.get("payload")
    if payload is not None:
        member = shape.members[payload]
        return {snake(payload): request.body if member.type_name == "blob" else parse(member, _json(request.body))}
    members = {name: member for name, member in shape.members.items() if "location" not in member.serialization}
    if not members or not request.body:
        return {}
    document = _json(request.body)
    if document is None:
        return {}
    require_type("structure", document)
    return {
        snake(name): parse(member, document[key])
        for name, member in members.items()
        if (key := wire_name(name, member)) in document
    }


def _json(body: bytes) -> Any:
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError:
        raise ControlError("SerializationException", "The request body is not valid JSON") from None
