"""The writing side of one client connection: runs handlers and writes their answers, whole or as streams."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from http import HTTPStatus

from tidegate.core.message import Handler, Pairs, Request, Response
from tidegate.wire.body_stream import close_body
from tidegate.wire.client_socket import BUSY, CLOSING, FOREVER, IDLE, ClientSocket

log = logging.getLogger("tidegate.wire")

_BODILESS = frozenset((204, 304))
_JOIN_MAX = 65_536
"""Up to here head and body go out as one copy; larger bodies are not worth copying."""


def bare(status: int) -> Response:
    """What is answered where nobody else can: AWS's form of an error's body (its 500 has a blank after the colon)."""
    text = b'"message": "Internal server error"' if status == 500 else b'"message":"%b"' % _phrase(status)
    return Response(status, [(b"Content-Type", b"application/json")], b"{%b}" % text, close=True)


def _phrase(status: int) -> bytes:
    return HTTPStatus(status).phrase.encode()


def declared_length(headers: Pairs) -> int | None:
    """The Content-Length that a handler set. Raises ValueError when it is not a number."""
    for name, value in headers:
        if len(name) == 14 and name.lower() == b"content-length":
            return int(value)
    return None


class Responder(ClientSocket):
    """One answer at a time."""

    __slots__ = ()

    def start(self, request: Request, handle: Handler) -> None:
        """Run the handler; the answer, and what comes after it, happens in its task."""
        self._state = BUSY
        self.deadline = FOREVER
        self._task = self._hub.loop.create_task(self._serve(request, handle))

    async def _serve(self, request: Request, handle: Handler) -> None:
        keep = False
        try:
            try:
                response = await handle(request)
            except Exception:
                log.exception("no answer for %s %s", request.method, request.path)
                response = bare(500)
            body = response.body
            if not isinstance(body, bytes):
                keep = await self._write_stream(request, response, body)
            elif self._transport is not None:
                keep = self._write_whole(response)
            if self._write_paused:
                await self._writable()
        except BaseException:
            # Cancelled, or worse: the client must not wait for ever.
            self._drop()
            raise
        finally:
            self._task = None
        self._answered(keep)

    def _drop(self) -> None:
        if self._transport is None:
            self._hub.leave(self)
        else:
            self._transport.abort()

    def _may_keep(self, response: Response) -> bool:
        if not self._keep or not self._complete or response.close or self._state == CLOSING:
            return False
        # The last answer says so: to a client that shut down its side, and when the server drains.
        return bool(self._rest) or not (self._eof or self._hub.draining)

    def _write_whole(self, response: Response) -> bool:
        easy = self._keep and self._complete and not (response.close or self._eof or self._hub.draining)
        keep = easy or self._may_keep(response)
        try:
            self._send(response, keep)
        except Exception:
            log.exception("an answer could not be encoded")
            keep = False
            self._send(bare(500), keep)
        return keep

    def _send(self, response: Response, keep: bool) -> None:
        """Raises before anything is written when the answer cannot be encoded."""
        body, status = response.body, response.status
        assert isinstance(body, bytes) and self._transport is not None
        if self._head_only or status < 200 or status in _BODILESS:
            tail = self._tail_alone(response)
            body = b""
        else:
            tail = b"\r\nContent-Length: %d\r\n\r\n" % len(body)
        head = self._hub.heads.build(status, response.headers, keep, tail, response.encoded)
        if len(body) <= _JOIN_MAX:
            self._transport.write(head + body)
        else:
            self._transport.write(head)
            self._transport.write(body)

    def _tail_alone(self, response: Response) -> bytes:
        """The framing fields of an answer that is a head only."""
        if response.status < 200:
            raise ValueError(f"not a final answer: {response.status}")
        if response.status in _BODILESS:
            return b"\r\n\r\n"
        body = response.body
        length = len(body) if isinstance(body, bytes) and body else declared_length(response.headers) or 0
        return b"\r\nContent-Length: %d\r\n\r\n" % length

    async def _write_stream(self, request: Request, response: Response, body: AsyncIterator[bytes]) -> bool:
        """Whether the connection can be kept. Closes `body` in any case."""
        try:
            self._streaming = True
            if self._eof:
                self._gain_time()
            return await self._pump(request, response, body)
        except asyncio.CancelledError:
            task = asyncio.current_task()
            if self._transport is not None or task is None:
                raise
            task.uncancel()
            return False
        except Exception:
            log.exception("the answer to %s %s broke off", request.method, request.path)
            if self._transport is not None:
                # The only way to tell the client that what it has is not all.
                self._transport.abort()
            return False
        finally:
            self._streaming = False
            await close_body(body)

    async def _pump(self, request: Request, response: Response, body: AsyncIterator[bytes]) -> bool:
        transport = self._transport
        if transport is None:
            return False
        length = declared_length(response.headers)
        silent = self._head_only or response.status in _BODILESS
        chunked = length is None and request.http_version == "1.1" and response.status not in _BODILESS
        keep = self._may_keep(response) and (chunked or length is not None or silent)
        try:
            tail = _tail(length, chunked=chunked)
            head = self._hub.heads.build(response.status, response.headers, keep, tail, response.encoded)
        except ValueError:
            log.exception("an answer could not be encoded")
            self._send(bare(500), False)
            return False
        transport.write(head)
        if not silent:
            await self._copy(body, length, chunked=chunked)
        return keep

    async def _copy(self, body: AsyncIterator[bytes], length: int | None, *, chunked: bool) -> None:
        sent = 0
        async for chunk in body:
            if self._transport is None:
                return
            if not chunk:
                continue
            sent += len(chunk)
            self._copied += 1
            if length is not None and sent > length:
                raise ValueError(f"a body longer than its Content-Length of {length}")
            self._transport.write(b"%x\r\n%b\r\n" % (len(chunk), chunk) if chunked else chunk)
            if self._write_paused:
                await self._writable()
        if length is not None and sent != length:
            raise ValueError(f"a body of {sent} bytes, shorter than its Content-Length of {length}")
        if chunked and self._transport is not None:
            self._transport.write(b"0\r\n\r\n")

    # after an answer

    def _answered(self, keep: bool) -> None:
        hub = self._hub
        self._stream = None
        self._head_only = False
        if self._transport is None:
            hub.leave(self)
        elif not keep or self._state == CLOSING or ((hub.draining or self._eof) and not self._rest):
            self._finish()
        else:
            self._state = IDLE
            self.deadline = hub.loop.time() + hub.limits.idle_timeout
            if self._rest or self._reading_paused:
                self.resume()

    def answer_now(self, response: Response) -> None:
        """Answer without a handler, and close. Raises ValueError when the answer cannot be encoded."""
        if self._transport is not None:
            self._complete = False
            self._send(response, False)
            self._finish()

    def refuse(self, status: int) -> None:
        self.answer_now(bare(status))


def _tail(length: int | None, *, chunked: bool) -> bytes:
    if chunked:
        return b"\r\nTransfer-Encoding: chunked\r\n\r\n"
    return b"\r\n\r\n" if length is None else b"\r\nContent-Length: %d\r\n\r\n" % length
