"""The execution log: a finished exchange told line by line, in the words of API Gateway's own log.

Rendered from the exchange's trace after the fact, so a request pays for it only when somebody reads it: TestInvokeMethod, and
methods whose stage settings ask for execution logging.
Source: *Set up CloudWatch logging for REST APIs*; shared facts, rest-data-plane §16 and rest-control-plane §14.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from tidegate.core.message import Pairs, Response
from tidegate.gateway.exchange import Exchange

_IDS = frozenset({b"x-amzn-requestid", b"x-amz-apigw-id"})
_LONGEST = 1024
"""Bytes of one event in CloudWatch; longer ones are cut."""


@dataclass(frozen=True, slots=True)
class Sent:
    """What an integration sent to its backend."""

    uri: str
    headers: Pairs
    body: bytes


@dataclass(frozen=True, slots=True)
class Received:
    """What a backend answered."""

    status: int
    headers: Pairs
    body: bytes


@dataclass(frozen=True, slots=True)
class Line:
    at: float
    """Seconds since the epoch."""
    text: str


def execution_log(
    ex: Exchange, response: Response, sent: Sent | None, received: Received | None, *, bodies: bool
) -> Iterator[Line]:
    """`bodies`: with headers and bodies, as with data tracing and in test invocations."""
    times = {step: ex.arrived + (ticks - ex.trace[0][1]) / 1e9 for step, ticks in ex.trace}
    begun, ended = ex.arrived, times["done"]
    for text in _request_lines(ex, bodies=bodies):
        yield Line(begun, text)
    if sent is not None:
        for text in _sent_lines(sent, bodies=bodies):
            yield Line(times.get("integration", begun), text)
    if received is not None:
        for text in _received_lines(ex, received, bodies=bodies):
            yield Line(times.get("integration_response", ended), text)
    for text in _response_lines(ex, response, bodies=bodies):
        yield Line(ended, text)


def _request_lines(ex: Exchange, *, bodies: bool) -> Iterator[str]:
    request = ex.request
    yield f"Starting execution for request: {ex.request_id}"
    yield f"HTTP Method: {ex.verb}, Resource Path: {ex.path}"
    yield f"Method request path: {java_map(ex.path_parameters)}"
    yield f"Method request query string: {java_map({name: values[-1] for name, values in ex.arguments.items()})}"
    if bodies:
        yield f"Method request headers: {_fields([(name, value) for _, name, value in request.headers.entries])}"
        yield f"Method request body before transformations: {_text(request.body)}"


def _sent_lines(sent: Sent, *, bodies: bool) -> Iterator[str]:
    yield f"Endpoint request URI: {sent.uri}"
    if bodies:
        yield f"Endpoint request headers: {_fields(sent.headers)}"
        yield f"Endpoint request body after transformations: {_text(sent.body)}"
    yield f"Sending request to {sent.uri}"


def _received_lines(ex: Exchange, received: Received, *, bodies: bool) -> Iterator[str]:
    yield f"Received response. Status: {received.status}, Integration latency: {ex.integration_latency} ms"
    if bodies:
        yield f"Endpoint response headers: {_fields(received.headers)}"
        yield f"Endpoint response body before transformations: {_text(received.body)}"


def _response_lines(ex: Exchange, response: Response, *, bodies: bool) -> Iterator[str]:
    if ex.failure is not None:
        yield ex.failure
    elif bodies:
        body = response.body if isinstance(response.body, bytes) else b""
        yield f"Method response body after transformations: {_text(body)}"
        yield f"Method response headers: {_fields(all_headers(response))}"
    if ex.failure is None:
        yield "Successfully completed execution"
    yield f"Method completed with status: {response.status}"


def all_headers(response: Response) -> Pairs:
    """An answer's fields, those included that are ready for the wire. AWS: the request's ids are not shown."""
    ready = [line.partition(b": ") for line in response.encoded.split(b"\r\n") if line]
    pairs = [*response.headers, *((name, value) for name, _, value in ready)]
    return [pair for pair in pairs if pair[0].lower() not in _IDS]


def java_map(values: Mapping[str, str]) -> str:
    """As Java prints a map: `{a=1, b=2}`."""
    return "{" + ", ".join(f"{name}={value}" for name, value in values.items()) + "}"


def _fields(pairs: Pairs) -> str:
    values: dict[str, str] = {}
    for name, value in pairs:
        values[name.decode("latin-1")] = _masked(name, value)
    return java_map(values)


def _masked(name: bytes, value: bytes) -> str:
    """AWS: of an Authorization header only the last characters are shown."""
    text = value.decode("utf-8", "replace")
    if name.lower() == b"authorization":
        return "*" * max(len(text) - 6, 0) + text[-6:] if len(text) > 12 else "*" * len(text)
    return text


def _text(body: bytes) -> str:
    return body.decode("utf-8", "replace")


def cut(text: str) -> str:
    """One event as CloudWatch takes it."""
    data = text.encode()
    return text if len(data) <= _LONGEST else data[:_LONGEST].decode("utf-8", "ignore") + "[TRUNCATED]"
