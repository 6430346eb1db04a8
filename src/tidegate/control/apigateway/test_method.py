"""TestInvokeMethod: one method of the draft, compiled by itself and called without the checks before its integration.

Source: *TestInvokeMethod*; shared facts, rest-control-plane §14. Not here: running it (gateway.testing).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, Protocol

from tidegate.aws.model import Params
from tidegate.control.apigateway.lookup import get_api, get_resource, not_found
from tidegate.control.context import Context
from tidegate.control.patch import bad_request
from tidegate.core.message import Headers, Pairs, Request
from tidegate.definition.freeze import draft
from tidegate.definition.records import ClientCertificate, Method, Resource, Stage
from tidegate.plan.nodes import StagePlan

STAGE = "test-invoke-stage"
"""AWS: the stage of a test invocation, as functions see it."""
SOURCE_IP = "test-invoke-source-ip"


class LogLine(Protocol):
    @property
    def at(self) -> float: ...
    @property
    def text(self) -> str: ...


class Tested(Protocol):
    """What running a test invocation gives."""

    @property
    def request_id(self) -> str: ...
    @property
    def status(self) -> int: ...
    @property
    def headers(self) -> Pairs: ...
    @property
    def body(self) -> bytes: ...
    @property
    def lines(self) -> Sequence[LogLine]: ...
    @property
    def latency(self) -> int: ...


class Tester(Protocol):
    async def __call__(self, stage: StagePlan, request: Request, /) -> Tested: ...


@dataclass(frozen=True, slots=True)
class TestCall:
    """What is to be run."""

    stage: StagePlan
    request: Request


def prepare(context: Context, params: Params) -> TestCall:
    """Runs in the management thread. Raises ControlError, DefinitionError."""
    api = get_api(context, params["rest_api_id"])
    resource = get_resource(context, api.id, params["resource_id"])
    method = _method(context, resource, params["http_method"])
    # AWS: neither authorization nor API key nor throttling stand before a test.
    method = replace(method, authorization_type="NONE", authorizer_id=None, api_key_required=False)
    document = replace(draft(context.tx, api), methods=[method])
    certificate = params.get("client_certificate_id")
    if certificate and context.tx.get(ClientCertificate, certificate) is None:
        raise not_found("Invalid Client Certificate identifier specified")
    now = context.clock.time()
    stage = Stage(
        api_id=api.id,
        stage_name=STAGE,
        deployment_id="",
        created_date=now,
        last_updated_date=now,
        variables=params.get("stage_variables") or None,
        client_certificate_id=certificate or None,
    )
    plan = context.plans.check(context.tx, document, stage)
    request = _request(context, resource, params)
    if plan.router.match(request.method, request.path) is None:
        raise bad_request(f"Invalid pathWithQueryString specified: it does not match {resource.path}")
    return TestCall(plan, request)


def _method(context: Context, resource: Resource, verb: str) -> Method:
    method = context.tx.get(Method, resource.api_id, resource.id, verb)
    method = method or context.tx.get(Method, resource.api_id, resource.id, "ANY")
    if method is None:
        raise not_found("Invalid Method identifier specified")
    return method


def _request(context: Context, resource: Resource, params: Params) -> Request:
    target = params.get("path_with_query_string") or resource.path
    body = (params.get("body") or "").encode()
    verb = params["http_method"]
    if verb == "ANY":
        # Unverified: AWS's console always names a verb.
        verb = "POST" if body else "GET"
    return Request(
        method=verb,
        target=("/" + target.lstrip("/")).encode(),
        headers=Headers.of(_headers(params)),
        body=body,
        scheme="https",
        peer=SOURCE_IP,
        received_ns=context.clock.ticks_ns(),
    )


def _headers(params: Params) -> Pairs:
    multiple: Mapping[str, Sequence[str]] = params.get("multi_value_headers") or {}
    pairs = [(name, value) for name, values in multiple.items() for value in values]
    pairs += [(name, value) for name, value in (params.get("headers") or {}).items() if name not in multiple]
    for name, value in pairs:
        if any(c in name + value for c in "\r\n\0"):
            raise bad_request(f"Invalid header specified: {name!r}")
    return [(name.encode(), value.encode()) for name, value in pairs]


def answer(tested: Tested) -> dict[str, Any]:
    """As the operation shows it."""
    multiple: dict[str, list[str]] = {}
    for name, value in tested.headers:
        multiple.setdefault(name.decode("latin-1"), []).append(value.decode("utf-8", "replace"))
    return {
        "status": tested.status,
        "body": tested.body.decode("utf-8", "replace"),
        "headers": {name: values[-1] for name, values in multiple.items()},
        "multi_value_headers": multiple,
        "log": render_log(tested.request_id, tested.lines),
        "latency": tested.latency,
    }


def render_log(request_id: str, lines: Iterable[LogLine]) -> str:
    """`EEE MMM dd HH:mm:ss zzz yyyy : text`, a line each."""
    shown = [f"{datetime.fromtimestamp(line.at, UTC):%a %b %d %H:%M:%S UTC %Y} : {line.text}" for line in lines]
    return "\n".join([f"Execution log for request {request_id}", *shown, ""])
