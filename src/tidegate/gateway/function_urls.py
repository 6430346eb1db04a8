"""Serves function URLs: `{id}.lambda-url.{region}.{suffix}` and, by path, `/_aws/lambda-url/{id}/…`.

Source: *Invoking Lambda function URLs*, *Control access to Lambda function URLs*. Not here: events and results (mapping).
"""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import AsyncIterator, Mapping
from typing import Final

import orjson

from tidegate.core.clock import Clock
from tidegate.core.ids import Ids
from tidegate.core.message import Endpoint, Pairs, Request, Response
from tidegate.functions.prelude import HTTP_INTEGRATION, PreludeError, PreludeParser
from tidegate.functions.spec import Functions, InvokeError, StreamedResult
from tidegate.gateway.streaming import LONGEST, StreamedBody, function_body
from tidegate.gateway.url_access import NotAdmitted, UrlAccess
from tidegate.mapping.function_url import Call, MalformedResult, build_event, header, read_result
from tidegate.plan.urls import CorsPlan, UrlPlan

log = logging.getLogger("tidegate.gateway")

MAX_BODY: Final = 6 * 1024 * 1024
_HOST = re.compile(rb"([a-z0-9]+)\.lambda-url\.([a-z0-9-]+)\.[a-z0-9.-]+?(?::(\d+))?")
_PATH = re.compile(r"/_aws/lambda-url/([a-z0-9]+)(/.*)?")
_FORBIDDEN = (
    "Forbidden. For troubleshooting Function URL authorization issues, see: "
    "https://docs.aws.amazon.com/lambda/latest/dg/urls-auth.html"
)
_DROPPED = frozenset(b"connection content-length date keep-alive transfer-encoding upgrade".split())
"""Headers of a function's answer that are the wire's own."""


class FunctionUrls:
    def __init__(self, functions: Functions, access: UrlAccess, clock: Clock, ids: Ids) -> None:
        self._functions = functions
        self._access = access
        self._clock = clock
        self._ids = ids
        self._urls: Mapping[str, UrlPlan] = {}
        self._endpoint = Endpoint(self._serve, MAX_BODY, _too_large)

    def publish(self, urls: Mapping[str, UrlPlan]) -> None:
        self._urls = urls

    def endpoint(self, request: Request) -> Endpoint | None:
        """Who serves this request; None: it is not for a function URL."""
        host = request.headers.get(b"host")
        named = host is not None and b".lambda-url." in host.lower()
        return self._endpoint if named or request.path.startswith("/_aws/lambda-url/") else None

    async def _serve(self, request: Request) -> Response:
        request_id = self._ids.request_id()
        found = self._find(request)
        if found is None:
            return _json(403, {"Message": "Forbidden"}, request_id)
        plan, path, port = found
        cors = None if plan.cors is None else _cors_headers(plan.cors, request)
        if plan.cors is not None and cors is not None and _is_preflight(request):
            return Response(200, [*cors, *_preflight_headers(plan.cors), *_ids_of(request_id)])
        response = await self._invoke(plan, request, path, port, request_id)
        if cors:
            # AWS: what the URL's own configuration says stands in the place of what the function says.
            ours = {name.lower() for name, _ in cors}
            response.headers = [*(pair for pair in response.headers if pair[0].lower() not in ours), *cors]
        return response

    def _find(self, request: Request) -> tuple[UrlPlan, str, str] | None:
        """The plan, the path that the function sees, and the port that the client used."""
        host = (request.headers.get(b"host") or b"").lower()
        named = _HOST.fullmatch(host)
        port = host.rpartition(b":")[2].decode("latin-1")
        port = port if port.isdigit() else ("443" if request.scheme == "https" else "80")
        if named is not None:
            plan = self._urls.get(named[1].decode())
            same_region = plan is not None and plan.region == named[2].decode()
            return (plan, request.path, port) if plan is not None and same_region else None
        by_path = _PATH.fullmatch(request.path)
        plan = None if by_path is None else self._urls.get(by_path[1])
        return None if by_path is None or plan is None else (plan, by_path[2] or "/", port)

    async def _invoke(self, plan: UrlPlan, request: Request, path: str, port: str, request_id: str) -> Response:
        arrived = self._clock.time()
        trace_id = f"Root=1-{int(arrived):08x}-{self._ids.token_hex(24)}"
        domain = f"{plan.url_id}.lambda-url.{plan.region}.on.aws"
        try:
            authorizer = None if plan.rules is None else self._access.admit(plan, plan.rules, request)
        except NotAdmitted as refusal:
            log.info("%s: %s", plan.function_arn, refusal)
            told = {"Message": _FORBIDDEN} if refusal.message is None else {"message": refusal.message}
            return _json(403, told, request_id)
        event = build_event(Call(plan.url_id, domain, request, path, request_id, trace_id, arrived, port, authorizer))
        ids = [*_ids_of(request_id), (b"X-Amzn-Trace-Id", trace_id.encode())]
        try:
            if plan.streams:
                return await self._streamed(plan, event, request_id, trace_id, ids)
            result = await self._functions.invoke(
                plan.function_arn, event, invoker=plan.invoker, request_id=request_id, trace_header=trace_id
            )
        except InvokeError as error:
            return _refused(plan, error, request_id)
        if result.function_error is not None:
            return _bad_gateway(ids)
        try:
            answer = read_result(result.payload)
        except MalformedResult as error:
            log.warning("%s: %s", plan.function_arn, error)
            return _bad_gateway(ids)
        return Response(answer.status, [*_sendable(answer.headers), *ids], answer.body)

    async def _streamed(self, plan: UrlPlan, event: bytes, request_id: str, trace_id: str, ids: Pairs) -> Response:
        stream = await self._functions.invoke_stream(
            plan.function_arn, event, invoker=plan.invoker, request_id=request_id, trace_header=trace_id
        )
        chunks = aiter(stream)
        if stream.content_type != HTTP_INTEGRATION:
            first = await anext(chunks, b"")
            if stream.error is not None and not first:
                return _bad_gateway(ids)
            head = [(b"Content-Type", b"application/octet-stream"), *ids]
            return Response(200, head, _rest(first, chunks, stream))
        parser, body = PreludeParser(), b""
        try:
            async for chunk in chunks:
                body = parser.feed(chunk)
                if parser.prelude is not None:
                    break
            prelude = parser.end()
            pairs = [header(name, value) for name, value in prelude.headers]
            pairs += [header("Set-Cookie", cookie) for cookie in prelude.cookies]
        except (PreludeError, MalformedResult) as error:
            log.warning("%s: %s", plan.function_arn, error)
            stream.close()
            return _bad_gateway(ids)
        if not any(name.lower() == b"content-type" for name, _ in pairs):
            pairs.append((b"Content-Type", b"application/octet-stream"))
        return Response(prelude.status, [*_sendable(pairs), *ids], _rest(body, chunks, stream))


def _rest(first: bytes, chunks: AsyncIterator[bytes], stream: StreamedResult) -> StreamedBody:
    deadline = asyncio.get_running_loop().time() + LONGEST
    return function_body(chunks, stream, first, deadline=deadline, idle=LONGEST)


def _refused(plan: UrlPlan, error: InvokeError, request_id: str) -> Response:
    if error.status == 403:
        log.warning(
            "%s: a function URL without authorization needs a policy that lets everybody do lambda:InvokeFunctionUrl and "
            "lambda:InvokeFunction",
            plan.function_arn,
        )
        return _json(403, {"Message": _FORBIDDEN}, request_id)
    if error.reason is not None:
        return _json(429, {"Reason": error.reason, "Type": "User", "message": error.message}, request_id)
    if error.status in (413, 429):
        return _json(error.status, {"Message": error.message}, request_id)
    log.error("%s: %s", plan.function_arn, error)
    return _json(502, {"Message": "Internal Server Error"}, request_id)


def _is_preflight(request: Request) -> bool:
    return request.method == "OPTIONS" and b"access-control-request-method" in request.headers


def _cors_headers(cors: CorsPlan, request: Request) -> Pairs | None:
    """For every answer; None where the request names no origin that is allowed."""
    origin = request.headers.get(b"origin")
    if origin is None or not cors.allows(origin.decode("latin-1")):
        return None
    everybody = "*" in cors.origins and not cors.credentials
    pairs = [(b"Access-Control-Allow-Origin", b"*" if everybody else origin)]
    if not everybody:
        pairs.append((b"Vary", b"Origin"))
    if cors.credentials:
        pairs.append((b"Access-Control-Allow-Credentials", b"true"))
    if cors.exposed:
        pairs.append((b"Access-Control-Expose-Headers", cors.exposed.encode()))
    return pairs


def _preflight_headers(cors: CorsPlan) -> Pairs:
    pairs = []
    if cors.methods:
        pairs.append((b"Access-Control-Allow-Methods", cors.methods.encode()))
    if cors.headers:
        pairs.append((b"Access-Control-Allow-Headers", cors.headers.encode()))
    if cors.max_age is not None:
        pairs.append((b"Access-Control-Max-Age", str(cors.max_age).encode()))
    return pairs


def _sendable(pairs: Pairs) -> Pairs:
    return [pair for pair in pairs if pair[0].lower() not in _DROPPED]


def _ids_of(request_id: str) -> Pairs:
    return [(b"x-amzn-RequestId", request_id.encode())]


def _bad_gateway(ids: Pairs) -> Response:
    return Response(502, [(b"Content-Type", b"application/json"), *ids], b"Internal Server Error")


def _json(status: int, document: Mapping[str, str], request_id: str) -> Response:
    head = [(b"Content-Type", b"application/json"), *_ids_of(request_id)]
    return Response(status, head, orjson.dumps(document))


def _too_large(_request: Request) -> Response:
    return Response(
        413, [(b"Content-Type", b"application/json")], b'{"Message":"Request Entity Too Large"}', close=True
    )
