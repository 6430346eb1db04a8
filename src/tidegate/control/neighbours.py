"""Calls for services that are not ours go to the neighbours: an endpoint that the environment names, or moto as a child.

The child is started by the first call that needs it, so that a server without neighbours starts at once. Bodies are passed
on as they come, in bounded memory.
"""

from __future__ import annotations

import asyncio
import importlib.util
import logging
import os
import socket
import sys
import tempfile
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import AsyncIterator, Mapping
from urllib.parse import urlsplit

import orjson

from tidegate.aws.scope import read_credential
from tidegate.core.message import Origin, Pairs, Request, Response, Upstream, UpstreamError

log = logging.getLogger("tidegate.neighbours")

_HOP_BY_HOP = frozenset(b"connection keep-alive proxy-connection te trailer transfer-encoding upgrade expect".split())
_TIMEOUT = 120.0
_START_SECONDS = 60.0


class NeighbourError(Exception):
    """There is nobody to pass the call on to; the message says what to do."""


class Neighbours:
    """`endpoints`: by signing name, and `*` for all others, as `AWS_ENDPOINT_URL[_SERVICE]` gave them."""

    def __init__(self, upstream: Upstream, endpoints: Mapping[str, str], account: str) -> None:
        self._upstream = upstream
        self._origins = {service: _origin(url) for service, url in endpoints.items()}
        self._account = account
        self.own_port = 0
        """Where Tidegate listens: tasks of state machines call it."""
        self._process: Process | None = None
        self._child: asyncio.Task[Origin] | None = None

    async def handle(self, request: Request) -> Response:
        credential = read_credential(request)
        service = credential.service if credential else "s3"
        try:
            origin = await self._find(service)
            return await self._pass_on(request, origin)
        except (NeighbourError, UpstreamError) as error:
            log.error("%s: %s", service, error)
            body = orjson.dumps({"__type": "ServiceUnavailableException", "message": f"{service}: {error}"})
            return Response(503, [(b"Content-Type", b"application/json")], body)

    async def origin(self, service: str) -> Origin:
        """Where a service is reached, by its signing name. Raises UpstreamError."""
        try:
            return await self._find(service)
        except NeighbourError as error:
            raise UpstreamError(f"{service}: {error}") from error

    async def _find(self, service: str) -> Origin:
        known = self._origins.get(service) or self._origins.get("*")
        if known is not None:
            return known
        if self._process is not None and self._process.returncode is not None:
            log.error("the neighbours' process ended with status %s; starting another", self._process.returncode)
            self._child = None
        if self._child is None:
            self._child = asyncio.get_running_loop().create_task(self._start())
        child = self._child
        try:
            return await asyncio.shield(child)
        except NeighbourError:
            if self._child is child:
                self._child = None
            raise

    async def _start(self) -> Origin:
        if importlib.util.find_spec("moto") is None:
            raise NeighbourError(
                "not one of Tidegate's services; install the extra `tidegate[neighbours]` or set AWS_ENDPOINT_URL"
            )
        port = _free_port()
        environment = {
            "MOTO_ACCOUNT_ID": self._account,
            "MOTO_PORT": str(self.own_port),
            "HOME": tempfile.gettempdir(),
            "PATH": os.defpath,
            # moto itself makes boto3 sessions, which want a region.
            "AWS_DEFAULT_REGION": "us-east-1",
        }
        self._process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "tidegate.control.neighbour_process", str(port)),
            stdin=PIPE,
            stdout=DEVNULL,
            stderr=DEVNULL,
            env=environment,
            start_new_session=True,
        )
        log.info("starting the neighbours (moto) on port %d", port)
        origin = Origin("http", "127.0.0.1", port)
        loop = asyncio.get_running_loop()
        end = loop.time() + _START_SECONDS
        while loop.time() < end and self._process.returncode is None:
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", port)
            except OSError:
                await asyncio.sleep(0.05)
            else:
                writer.close()
                return origin
        raise NeighbourError("moto's server did not start; `python -m moto.server` tells why")

    async def _pass_on(self, request: Request, origin: Origin) -> Response:
        head = [f"{request.method} {request.target.decode('latin-1')} HTTP/1.1\r\n".encode("latin-1")]
        for lower, name, value in request.headers.entries:
            if lower not in _HOP_BY_HOP:
                head += (name, b": ", value, b"\r\n")
        chunked = request.stream is not None and b"content-length" not in request.headers
        if chunked:
            head.append(b"Transfer-Encoding: chunked\r\n")
        head.append(b"\r\n")
        body: bytes | AsyncIterator[bytes] = request.body
        if request.stream is not None:
            body = _chunks(request.stream) if chunked else request.stream
        answer = await self._upstream.send(
            origin, b"".join(head), body, timeout=_TIMEOUT, head_only=request.method == "HEAD", stream=True
        )
        headers: Pairs = [pair for pair in answer.headers if pair[0].lower() not in _HOP_BY_HOP | {b"date"}]
        return Response(answer.status, headers, answer.body if answer.stream is None else answer.stream)

    async def reset(self) -> None:
        """Forget what the child holds: the next call starts a new one."""
        await self.aclose()

    async def aclose(self) -> None:
        process, self._process, self._child = self._process, None, None
        if process is not None and process.returncode is None:
            process.kill()
            await process.wait()


async def _chunks(stream: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    async for chunk in stream:
        yield b"%x\r\n%b\r\n" % (len(chunk), chunk)
    yield b"0\r\n\r\n"


def _origin(url: str) -> Origin:
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise NeighbourError(f"not an endpoint URL: {url}")
    return Origin(parts.scheme, parts.hostname, parts.port or (443 if parts.scheme == "https" else 80))


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
