"""The upstream pool against scripted backends: reuse, retry, limits, timeouts, streams, and whatever a backend may do wrong."""

from __future__ import annotations

import asyncio
import contextlib
import resource
from pathlib import Path

import pytest
import trustme

from tests.wire.support import GET, OK, backend, pool, read_head, run, saying, tls_server, until
from tidegate.core.message import Origin, UpstreamError, UpstreamTimeout, UpstreamTooLarge

CHUNKED_OK = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2;x=y\r\nok\r\n0\r\nT: u\r\n\r\n"
HEAD = b"HEAD / HTTP/1.1\r\nHost: a\r\n\r\n"
T = 5.0


def head(*fields: str, status: str = "200 OK") -> bytes:
    return "\r\n".join([f"HTTP/1.1 {status}", *fields, "", ""]).encode()


def test_connections_are_reused_last_in_first_out() -> None:
    async def scenario() -> None:
        seen: list[int] = []

        async def script(reader, writer) -> None:
            me = len(seen)
            while True:
                await read_head(reader)
                seen.append(me)
                await asyncio.sleep(0.002)
                writer.write(OK)

        async with backend(script) as origin, pool() as upstream:
            for _ in range(3):
                response = await upstream.send(origin, GET, b"", timeout=T)
                assert (response.status, response.headers, response.body) == (200, [(b"Content-Length", b"2")], b"ok")
            assert seen == [0, 0, 0]
            await asyncio.gather(*[upstream.send(origin, GET, b"", timeout=T) for _ in range(4)])
            assert upstream.counts(origin) == (4, 4)

    run(scenario())


REUSABLE = {
    "length": OK,
    "chunked": CHUNKED_OK,
    "no content": head(status="204 No Content"),
    "not modified, with a length": head("Content-Length: 99", status="304 Not Modified"),
    "no reason": b"HTTP/1.1 200\r\nContent-Length: 0\r\n\r\n",
    "interim answers first": head(status="100 Continue") + head("Link: x", status="103 Early Hints") + OK,
    "1.0 keep-alive": b"HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 0\r\n\r\n",
}


@pytest.mark.parametrize("name", REUSABLE)
@pytest.mark.parametrize("stream", [False, True])
def test_good_answers_leave_the_connection_usable(name: str, stream: bool) -> None:
    async def scenario() -> None:
        async with backend(saying(REUSABLE[name], OK)) as origin, pool() as upstream:
            response = await upstream.send(origin, GET, b"", timeout=T, stream=stream)
            assert response.status in (200, 204, 304)
            assert (b"Link", b"x") not in response.headers
            assert (b"T", b"u") not in response.headers
            if stream:
                assert response.stream is not None
                body = b"".join([chunk async for chunk in response.stream])
            else:
                body = response.body
            assert body in (b"", b"ok")
            assert upstream.counts(origin) == (1, 1)
            again = await upstream.send(origin, GET, b"", timeout=T)
            assert again.body == b"ok"
            assert upstream.counts(origin) == (1, 1)

    run(scenario())


NOT_REUSABLE = {
    "close": (head("Connection: close", "Content-Length: 2") + b"ok", b"ok"),
    "delimited by close": (head() + b"all of it", b"all of it"),
    "1.0": (b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok", b"ok"),
    "second answer behind": (OK + OK, b"ok"),
    "garbage behind": (OK + b"garbage", b"ok"),
    "behind a chunked one": (CHUNKED_OK + b"HTTP/1.1 200 OK\r\n", b"ok"),
    "behind a close": (head("Connection: close", "Content-Length: 2") + b"ok" + OK, b"ok"),
    "body of a 204": (head(status="204 No Content") + b"body", b""),
}


@pytest.mark.parametrize("name", NOT_REUSABLE)
def test_good_answers_after_which_the_connection_is_dropped(name: str) -> None:
    raw, body = NOT_REUSABLE[name]

    async def scenario() -> None:
        async with backend(saying(raw, close=True)) as origin, pool() as upstream:
            response = await upstream.send(origin, GET, b"", timeout=T)
            assert response.body == body
            assert upstream.counts(origin) == (0, 0)

    run(scenario())


GARBAGE = {
    "nothing": b"",
    "not http": b"SSH-2.0-OpenSSH\r\n",
    "http/2": b"HTTP/2.0 200 OK\r\nContent-Length: 0\r\n\r\n",
    "half a head": b"HTTP/1.1 200 OK\r\nA: b\r\n",
    "half a body": head("Content-Length: 5") + b"abc",
    "half a chunk": head("Transfer-Encoding: chunked") + b"5\r\nabc",
    "no last chunk": head("Transfer-Encoding: chunked") + b"3\r\nabc\r\n",
    "length and chunked": head("Content-Length: 5", "Transfer-Encoding: chunked") + b"0\r\n\r\n",
    "chunked and length": head("Transfer-Encoding: chunked", "Content-Length: 5") + b"0\r\n\r\n",
    "two lengths": head("Content-Length: 2", "Content-Length: 3") + b"abc",
    "bad length": head("Content-Length: x") + b"abc",
    "unknown coding": head("Transfer-Encoding: gzip, chunked") + b"0\r\n\r\n",
    "bad chunk": head("Transfer-Encoding: chunked") + b"zz\r\n",
    "bare lf": b"HTTP/1.1 200 OK\nContent-Length: 0\n\n",
    "blank before colon": head("Content-Length : 0"),
    "folded": head("A: b", " c", "Content-Length: 0"),
    "switching": head("Connection: upgrade", "Upgrade: x", status="101 Switching Protocols"),
    "bare 101": head(status="101 Switching Protocols"),
    "endless interim": head(status="102 Processing") * 20 + OK,
    "endless head": b"HTTP/1.1 200 OK\r\n" + b"A: bcdefgh\r\n" * 100_000,
    "endless trailer": head("Transfer-Encoding: chunked") + b"0\r\n" + b"A: bcdefgh\r\n" * 100_000,
    "endless extension": head("Transfer-Encoding: chunked") + b"1;" + b"x" * 1_000_000,
}


@pytest.mark.parametrize("name", GARBAGE)
def test_bad_answers_are_errors(name: str) -> None:
    async def scenario() -> None:
        async with backend(saying(GARBAGE[name], close=True)) as origin, pool() as upstream:
            with pytest.raises(UpstreamError) as caught:
                await upstream.send(origin, GET, b"", timeout=T)
            assert not isinstance(caught.value, UpstreamTimeout | UpstreamTooLarge)
            assert str(origin.port) in str(caught.value)
            assert upstream.counts(origin) == (0, 0)

    run(scenario())


@pytest.mark.parametrize(
    ("raw", "kept"),
    [
        (head("Content-Length: 99"), True),
        (head(), True),
        (head("Transfer-Encoding: chunked"), True),
        (head("Content-Length: 2") + b"ok", False),
        (head("Transfer-Encoding: chunked") + b"0\r\n\r\n", False),
        (head("Content-Length: 99", "Connection: close"), False),
        (b"HTTP/1.0 200 OK\r\nContent-Length: 99\r\n\r\n", False),
    ],
)
@pytest.mark.parametrize("stream", [False, True])
def test_head(raw: bytes, kept: bool, stream: bool) -> None:
    async def scenario() -> None:
        async with backend(saying(raw, OK)) as origin, pool() as upstream:
            response = await upstream.send(origin, HEAD, b"", timeout=T, head_only=True, stream=stream)
            assert (response.status, response.body) == (200, b"")
            if stream:
                assert response.stream is not None
                assert [chunk async for chunk in response.stream] == []
            assert upstream.counts(origin) == ((1, 1) if kept else (0, 0))
            if kept:
                assert (await upstream.send(origin, GET, b"", timeout=T)).body == b"ok"

    run(scenario())


def test_retry_on_a_dead_idle_connection() -> None:
    async def scenario() -> None:
        heads: list[bytes] = []

        async def script(reader, writer) -> None:
            heads.append(await read_head(reader))
            writer.write(OK)
            with contextlib.suppress(asyncio.IncompleteReadError):
                heads.append(await read_head(reader) + b"dropped")  # closes without an answer

        async with backend(script) as origin, pool() as upstream:
            for _ in range(3):
                assert (await upstream.send(origin, GET, b"", timeout=T)).body == b"ok"
            assert heads == [GET, GET + b"dropped", GET, GET + b"dropped", GET]
            with pytest.raises(UpstreamError, match="kept connection"):
                await upstream.send(origin, GET, b"", timeout=T, retry=False)

            async def body():
                yield b""

            await upstream.send(origin, GET, b"", timeout=T)
            with pytest.raises(UpstreamError, match="kept connection"):
                await upstream.send(origin, GET, body(), timeout=T)

    run(scenario())


def test_no_retry_after_the_first_byte_or_on_a_fresh_connection() -> None:
    async def scenario() -> None:
        number = 0

        async def script(reader, writer) -> None:
            nonlocal number
            number += 1
            await read_head(reader)
            writer.write(OK)
            await read_head(reader)
            writer.write(b"H")
            await writer.drain()

        async def mute(reader, writer) -> None:
            nonlocal number
            number += 1
            await read_head(reader)

        async with backend(script) as origin, pool() as upstream:
            await upstream.send(origin, GET, b"", timeout=T)
            with pytest.raises(UpstreamError, match="before its answer was complete"):
                await upstream.send(origin, GET, b"", timeout=T)
            assert number == 1
        async with backend(mute) as origin, pool() as upstream:
            with pytest.raises(UpstreamError):
                await upstream.send(origin, GET, b"", timeout=T)
            assert number == 2

    run(scenario())


def test_a_connection_closed_while_idle_is_noticed() -> None:
    async def scenario() -> None:
        async with backend(saying(OK, close=True)) as origin, pool() as upstream:
            await upstream.send(origin, GET, b"", timeout=T)
            await until(lambda: upstream.counts(origin) == (0, 0))
            assert (await upstream.send(origin, GET, b"", timeout=T, retry=False)).body == b"ok"

    run(scenario())


def test_an_unasked_answer_on_an_idle_connection_is_never_used() -> None:
    async def scenario() -> None:
        async def script(reader, writer) -> None:
            await read_head(reader)
            writer.write(OK)
            await asyncio.sleep(0.002)
            writer.write(OK.replace(b"ok", b"no"))
            await reader.read()

        async with backend(script) as origin, pool() as upstream:
            await upstream.send(origin, GET, b"", timeout=T)
            await until(lambda: upstream.counts(origin) == (0, 0))
            assert (await upstream.send(origin, GET, b"", timeout=T)).body == b"ok"

    run(scenario())


def test_idle_connections_are_reaped_and_bounded() -> None:
    async def scenario() -> None:
        async def script(reader, writer) -> None:
            while True:
                await read_head(reader)
                await asyncio.sleep(0.002)
                writer.write(OK)

        async with backend(script) as origin, pool(idle=2, idle_timeout=0.02) as upstream:
            await asyncio.gather(*[upstream.send(origin, GET, b"", timeout=T) for _ in range(5)])
            assert upstream.counts(origin) == (2, 2)
            await until(lambda: upstream.counts(origin) == (0, 0))

    run(scenario())


class Gated:
    """A backend that answers when it is let."""

    def __init__(self) -> None:
        self.gate = asyncio.Event()
        self.asked: list[bytes] = []
        self.open = self.most = 0

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.open += 1
        self.most = max(self.most, self.open)
        try:
            while True:
                self.asked.append((await read_head(reader)).split()[1])
                await self.gate.wait()
                writer.write(OK)
        finally:
            self.open -= 1


def numbered(number: int) -> bytes:
    return GET.replace(b" / ", b" /%d " % number)


def test_connections_are_limited_and_waiting_is_fair() -> None:
    async def scenario() -> None:
        script = Gated()
        async with backend(script) as origin, pool(connections=2) as upstream:
            work = [asyncio.ensure_future(upstream.send(origin, numbered(n), b"", timeout=T)) for n in range(8)]
            await until(lambda: len(script.asked) == 2)
            assert upstream.counts(origin) == (2, 0)
            script.gate.set()
            await asyncio.gather(*work)
            assert script.most == 2
            assert sorted(script.asked[:2]) == [b"/0", b"/1"]
            # Two connections may be overtaken by each other, the queue may not.
            assert all(abs(int(path[1:]) - place) <= 1 for place, path in enumerate(script.asked))
            assert upstream.counts(origin) == (2, 2)

    run(scenario())


def test_waiting_counts_into_the_timeout_and_may_be_cancelled() -> None:
    async def scenario() -> None:
        script = Gated()
        async with backend(script) as origin, pool(connections=1) as upstream:
            first = asyncio.ensure_future(upstream.send(origin, numbered(0), b"", timeout=T))
            await until(lambda: len(script.asked) == 1)
            with pytest.raises(UpstreamTimeout, match="free"):
                await upstream.send(origin, numbered(1), b"", timeout=0.01)
            gone = asyncio.ensure_future(upstream.send(origin, numbered(2), b"", timeout=T))
            last = asyncio.ensure_future(upstream.send(origin, numbered(3), b"", timeout=T))
            await asyncio.sleep(0)
            gone.cancel()
            script.gate.set()
            assert (await first).body == (await last).body == b"ok"
            assert script.asked == [b"/0", b"/3"]
            assert upstream.counts(origin) == (1, 1)

    run(scenario())


@pytest.mark.parametrize("steps", range(12))
def test_cancelling_at_any_moment_leaves_nothing_half_used(steps: int) -> None:
    async def scenario() -> None:
        async def script(reader, writer) -> None:
            while True:
                path = (await read_head(reader)).split()[1]
                writer.write(head(f"Content-Length: {len(path)}"))
                await asyncio.sleep(0)
                writer.write(path)

        async with backend(script) as origin, pool(connections=2) as upstream:
            for round_ in range(20):
                stream = round_ % 2 == 1
                victims = [
                    asyncio.ensure_future(upstream.send(origin, numbered(n), b"", timeout=T, stream=stream))
                    for n in range(4)
                ]
                for _ in range(steps):
                    await asyncio.sleep(0)
                for victim in victims:
                    victim.cancel()
                for result in await asyncio.gather(*victims, return_exceptions=True):
                    if not isinstance(result, BaseException) and result.stream is not None:
                        await result.stream.aclose()
                answers = await asyncio.gather(
                    *[upstream.send(origin, numbered(n), b"", timeout=T) for n in range(10, 14)]
                )
                assert [answer.body for answer in answers] == [b"/10", b"/11", b"/12", b"/13"]
            total, idle = upstream.counts(origin)
            assert total == idle <= 2

    run(scenario())


def test_timeouts() -> None:
    async def scenario() -> None:
        async def partly(reader, writer) -> None:
            await read_head(reader)
            writer.write(head("Content-Length: 100") + b"some")
            await reader.read()

        async with backend(saying()) as origin, pool() as upstream:
            with pytest.raises(UpstreamTimeout):
                await upstream.send(origin, GET, b"", timeout=0.01)
            assert upstream.counts(origin) == (0, 0)
        async with backend(partly) as origin, pool() as upstream:
            with pytest.raises(UpstreamTimeout):
                await upstream.send(origin, GET, b"", timeout=0.01)
            response = await upstream.send(origin, GET, b"", timeout=0.02, stream=True)
            assert response.stream is not None
            assert await anext(response.stream) == b"some"
            with pytest.raises(UpstreamTimeout):
                await anext(response.stream)
            assert upstream.counts(origin) == (0, 0)

    run(scenario())


def test_connecting_has_a_timeout() -> None:
    async def scenario() -> None:
        # A listener whose backlog is full takes no more connections.
        import socket

        with socket.socket() as listener:
            listener.bind(("127.0.0.1", 0))
            listener.listen(0)
            fillers = [socket.socket() for _ in range(4)]
            for filler in fillers:
                filler.setblocking(False)
                filler.connect_ex(listener.getsockname())
            async with pool(connect_timeout=0.02) as upstream:
                origin = Origin("http", "127.0.0.1", listener.getsockname()[1])
                with pytest.raises(UpstreamTimeout, match="not connected"):
                    await upstream.send(origin, GET, b"", timeout=T)
                assert upstream.counts(origin) == (0, 0)
            for filler in fillers:
                filler.close()

    run(scenario())


@pytest.mark.parametrize("host", ["127.0.0.1", "name.invalid", "bad..name", "a" * 300])
def test_unreachable_backends(host: str) -> None:
    async def scenario() -> None:
        async with backend(saying()) as closed:
            pass
        async with pool() as upstream:
            origin = Origin("http", host, closed.port)
            with pytest.raises(UpstreamError, match="not connected"):
                await upstream.send(origin, GET, b"", timeout=T)
            assert upstream.counts(origin) == (0, 0)

    run(scenario())


@pytest.mark.parametrize(
    "raw", [head("Content-Length: 11") + b"x" * 11, head("Transfer-Encoding: chunked") + b"b\r\n" + b"x" * 11]
)
def test_too_large(raw: bytes) -> None:
    async def scenario() -> None:
        async with backend(saying(raw)) as origin, pool() as upstream:
            with pytest.raises(UpstreamTooLarge):
                await upstream.send(origin, GET, b"", timeout=T, max_body=10)
            assert upstream.counts(origin) == (0, 0)
            assert (
                len((await upstream.send(origin, GET, b"", timeout=T, max_body=11)).body) == 11
                if b"Len" in raw
                else True
            )

    run(scenario())


def test_a_hundred_megabytes_in_bounded_memory() -> None:
    total = 100_000_000

    async def script(reader, writer) -> None:
        await read_head(reader)
        writer.write(head(f"Content-Length: {total}"))
        for _ in range(total // 1_000_000):
            writer.write(b"x" * 1_000_000)
            await writer.drain()
        await reader.read()

    async def scenario() -> None:
        async with backend(script) as origin, pool() as upstream:
            before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
            response = await upstream.send(origin, GET, b"", timeout=T, stream=True)
            assert response.stream is not None
            size = most = 0
            await asyncio.sleep(0.01)
            async for chunk in response.stream:
                size += len(chunk)
                most = max(most, response.stream.buffered)  # type: ignore[attr-defined]
            assert size == total
            assert most < 1_000_000
            assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 30_000  # kilobytes
            assert upstream.counts(origin) == (1, 1)

    run(scenario())


def test_a_stream_given_up_early_drops_its_connection() -> None:
    async def scenario() -> None:
        async with backend(saying(head("Content-Length: 100") + b"some")) as origin, pool() as upstream:
            response = await upstream.send(origin, GET, b"", timeout=T, stream=True)
            assert response.stream is not None
            assert await anext(response.stream) == b"some"
            await response.stream.aclose()  # type: ignore[attr-defined]
            assert upstream.counts(origin) == (0, 0)
            with pytest.raises(StopAsyncIteration):
                await anext(response.stream)

    run(scenario())


def test_a_stream_that_ends_too_soon_says_so() -> None:
    async def scenario() -> None:
        async with backend(saying(head("Content-Length: 100") + b"some", close=True)) as origin, pool() as upstream:
            response = await upstream.send(origin, GET, b"", timeout=T, stream=True)
            assert response.stream is not None
            assert await anext(response.stream) == b"some"
            with pytest.raises(UpstreamError, match="before its answer was complete"):
                await anext(response.stream)

    run(scenario())


def test_bodies_that_come_piece_by_piece() -> None:
    async def scenario() -> None:
        total = 20_000_000
        produced = closed = 0

        async def body():
            nonlocal produced, closed
            try:
                for _ in range(total // 100_000):
                    produced += 100_000
                    yield b"x" * 100_000
            finally:
                closed += 1

        gate = asyncio.Event()

        async def slow(reader, writer) -> None:
            await read_head(reader)
            await gate.wait()
            await reader.readexactly(total)
            writer.write(OK)
            await reader.read()

        request = f"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: {total}\r\n\r\n".encode()
        async with backend(slow) as origin, pool() as upstream:
            work = asyncio.ensure_future(upstream.send(origin, request, body(), timeout=T))
            await asyncio.sleep(0.02)
            assert 0 < produced < total
            gate.set()
            assert (await work).body == b"ok"
            assert (produced, closed) == (total, 1)
            assert upstream.counts(origin) == (1, 1)

    run(scenario())


def test_an_answer_before_the_request_was_sent_ends_the_sending() -> None:
    async def scenario() -> None:
        closed: list[bool] = []

        async def endless():
            try:
                while True:
                    yield b"x" * 1000
                    await asyncio.sleep(0.001)
            finally:
                closed.append(True)

        early = head("Content-Length: 2", status="413 Too Large") + b"no"
        async with backend(saying(early)) as origin, pool() as upstream:
            response = await upstream.send(origin, GET, endless(), timeout=T)
            assert response.status == 413
            await until(lambda: closed == [True])
            assert upstream.counts(origin) == (0, 0)
            whole = await upstream.send(origin, GET, b"x" * 50_000_000, timeout=T)
            assert whole.status == 413
            assert upstream.counts(origin) == (0, 0)

    run(scenario())


def test_what_a_body_raises_reaches_the_caller() -> None:
    async def scenario() -> None:
        async def body():
            yield b"x"
            raise ConnectionResetError("the client went away")

        async with backend(saying()) as origin, pool() as upstream:
            with pytest.raises(ConnectionResetError, match="went away"):
                await upstream.send(origin, GET, body(), timeout=T)
            assert upstream.counts(origin) == (0, 0)

    run(scenario())


def test_closing_the_pool_ends_everything() -> None:
    async def scenario() -> None:
        script = Gated()
        async with backend(script) as origin, pool(connections=2) as upstream:
            work = [asyncio.ensure_future(upstream.send(origin, GET, b"", timeout=T)) for _ in range(4)]
            await until(lambda: len(script.asked) == 2)
            await upstream.aclose()
            results = await asyncio.gather(*work, return_exceptions=True)
            assert all(isinstance(result, UpstreamError) for result in results)
            with pytest.raises(UpstreamError, match="closed"):
                await upstream.send(origin, GET, b"", timeout=T)
            script.gate.set()
            await until(lambda: script.open == 0)

    run(scenario())


def test_tls(tmp_path: Path) -> None:
    async def scenario() -> None:
        authority = trustme.CA()
        trusted = tmp_path / "ca.pem"
        authority.cert_pem.write_to_path(str(trusted))
        async with backend(saying(OK, OK), ssl=tls_server(authority, "127.0.0.1")) as origin:
            async with pool(ca_file=str(trusted)) as upstream:
                for _ in range(2):
                    assert (await upstream.send(origin, GET, b"", timeout=T)).body == b"ok"
                assert upstream.counts(origin) == (1, 1)
            async with pool() as upstream:
                with pytest.raises(UpstreamError, match="certificate is not trusted"):
                    await upstream.send(origin, GET, b"", timeout=T)
                unchecked = Origin("https", "127.0.0.1", origin.port, verify=False)
                assert (await upstream.send(unchecked, GET, b"", timeout=T)).body == b"ok"
        async with (
            backend(saying(OK), ssl=tls_server(authority, "other.example")) as origin,
            pool(ca_file=str(trusted)) as upstream,
        ):
            with pytest.raises(UpstreamError, match="certificate is not trusted"):
                await upstream.send(origin, GET, b"", timeout=T)
            assert upstream.counts(origin) == (0, 0)
        async with backend(saying(OK)) as plain, pool() as upstream:
            with pytest.raises(UpstreamError):
                await upstream.send(Origin("https", "127.0.0.1", plain.port), GET, b"", timeout=0.05)

    run(scenario())
