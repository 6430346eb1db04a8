"""The end of a server: what has been asked is answered, nothing new is taken, nobody is waited for longer than told."""

from __future__ import annotations

import asyncio
import contextlib

import pytest

from tests.wire.support import GET, answers, endpoint, get, run, served, until
from tidegate.core.message import Request, Response


class Gate:
    """A handler that waits until it is let through."""

    def __init__(self) -> None:
        self.open = asyncio.Event()
        self.waiting = 0
        self.cancelled = 0

    async def handle(self, request: Request) -> Response:
        self.waiting += 1
        try:
            await self.open.wait()
        except asyncio.CancelledError:
            self.cancelled += 1
            raise
        return Response(200, [], request.path.encode())


def test_drain_loses_nothing() -> None:
    async def scenario() -> None:
        gate = Gate()
        async with served(endpoint(gate.handle)) as app:
            idle_reader, idle_writer = await app.connect()
            clients = [await app.connect() for _ in range(50)]
            for number, (_, writer) in enumerate(clients):
                writer.write(get(f"/{number}/a") + (get(f"/{number}/b") if number % 2 else b""))
            await until(lambda: gate.waiting == 50)
            half_reader, half_writer = await app.connect()
            half_writer.write(GET[:10])
            await until(lambda: app.server.connections == 52)
            await asyncio.sleep(0.005)
            drained = asyncio.get_running_loop().create_task(app.server.drain(5))
            assert await idle_reader.read() == b""
            with pytest.raises(OSError):
                await app.connect()
            half_writer.write(GET[10:])
            gate.open.set()
            for number, (reader, writer) in enumerate(clients):
                found = answers(await reader.read())
                assert [answer.body.decode() for answer in found] == [
                    f"/{number}/{x}" for x in ("ab" if number % 2 else "a")
                ]
                assert [answer.headers["connection"] for answer in found][-1] == "close"
                writer.close()
            (answer,) = answers(await half_reader.read())
            assert (answer.status, answer.headers["connection"]) == (200, "close")
            assert await drained
            assert app.server.connections == 0
            half_writer.close()
            idle_writer.close()

    run(scenario())


def test_drain_cuts_off_what_does_not_end() -> None:
    async def scenario() -> None:
        gate = Gate()
        async with served(endpoint(gate.handle)) as app:
            reader, writer = await app.connect()
            writer.write(GET)
            await until(lambda: gate.waiting == 1)
            assert not await app.server.drain(0.01)
            assert gate.cancelled == 1
            with contextlib.suppress(ConnectionError):
                assert await reader.read() == b""
            writer.close()

    run(scenario())


def test_drain_waits_for_the_handler_of_a_client_that_has_gone() -> None:
    async def scenario() -> None:
        gate = Gate()
        async with served(endpoint(gate.handle)) as app:
            _, writer = await app.connect()
            writer.write(GET)
            await until(lambda: gate.waiting == 1)
            writer.transport.abort()
            drained = asyncio.get_running_loop().create_task(app.server.drain(5))
            await asyncio.sleep(0.01)
            assert not drained.done()
            gate.open.set()
            assert await drained
            assert gate.cancelled == 0

    run(scenario())


def test_drain_of_an_idle_server_is_immediate() -> None:
    async def scenario() -> None:
        async with served() as app:
            assert await app.server.drain(0)

    run(scenario())
