"""TLS on the port that answers http: who gets a handshake, with whose certificate, and how it ends when it goes wrong."""

from __future__ import annotations

import asyncio
import shutil
import socket
import ssl
import subprocess
import threading
import urllib.request
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from tests.wire.support import GET, Served, answers, endpoint, get, run, served, until
from tidegate.core.message import Request, Response
from tidegate.wire.authority import Authority, AuthorityError
from tidegate.wire.local_certificates import LocalCertificates
from tidegate.wire.server import Limits

API = "abc.execute-api.us-east-1.amazonaws.com"
DOMAIN = "api.example.com"
LIMITS: dict[str, Any] = {"tick": 0.005, "linger": 0.1}


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority.at(tmp_path_factory.mktemp("tls") / "ca")


@pytest.fixture(scope="module")
def certificates(authority: Authority) -> LocalCertificates:
    return LocalCertificates(authority, lambda name: name == DOMAIN)


def trusting(authority: Authority, **options: Any) -> ssl.SSLContext:
    context = ssl.create_default_context(cadata=authority.certificate)
    for name, value in options.items():
        setattr(context, name, value)
    return context


async def scheme(request: Request) -> Response:
    return Response(200, [], f"{request.scheme} {request.path} ".encode() + request.body)


async def exchange(app: Served, data: bytes, context: ssl.SSLContext, name: str = API) -> bytes:
    # uvloop's client loses what it has not handed over when the server closes while reading is paused: never pause.
    reader, writer = await app.connect(ssl=context, server_hostname=name, limit=1 << 26)
    writer.write(data)
    try:
        return await reader.read()
    finally:
        writer.close()


def test_one_port_answers_both(authority: Authority, certificates: LocalCertificates) -> None:
    async def scenario() -> None:
        async with served(endpoint(scheme), secure=certificates) as app:
            plain = await app.ask(get("/a", "Connection: close"))
            assert answers(plain)[0].body == b"http /a "
            context = trusting(authority)
            post = b"POST /p HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nConnection: close\r\n\r\nxyz"
            (first, second) = answers(await exchange(app, get("/b") + post, context))
            assert (first.body, second.body) == (b"https /b ", b"https /p xyz")
            await until(lambda: app.server.connections == 0)

    run(scenario())


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_versions_and_protocols(authority: Authority, certificates: LocalCertificates, version: ssl.TLSVersion) -> None:
    async def scenario() -> None:
        context = trusting(authority, minimum_version=version, maximum_version=version)
        context.set_alpn_protocols(["h2", "http/1.1"])
        async with served(endpoint(scheme), secure=certificates) as app:
            _, writer = await app.connect(ssl=context, server_hostname=API)
            secured = writer.get_extra_info("ssl_object")
            assert secured.selected_alpn_protocol() == "http/1.1"
            assert secured.version() == {1: "TLSv1.2", 2: "TLSv1.3"}[version - ssl.TLSVersion.TLSv1_1]
            writer.close()

    run(scenario())


def test_old_versions_are_refused(certificates: LocalCertificates) -> None:
    async def scenario() -> None:
        context = ssl._create_unverified_context()
        context.set_ciphers("DEFAULT:@SECLEVEL=0")
        context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1_1
        async with served(secure=certificates) as app:
            with pytest.raises((ssl.SSLError, ConnectionError)):
                await exchange(app, GET, context)

    with pytest.warns(DeprecationWarning):
        run(scenario())


def subject_names(connection: Any) -> list[str]:
    return [value for _, value in connection.getpeercert()["subjectAltName"]]


@pytest.mark.parametrize(
    "name",
    [
        API,
        API.upper(),
        "cognito-idp.us-east-1.amazonaws.com",
        "bucket.s3.amazonaws.com",
        "abc.execute-api.cn-north-1.amazonaws.com.cn",
        "xyz.lambda-url.us-east-1.on.aws",
        "abc.execute-api.localhost",
        "shop.auth.us-east-1.amazoncognito.com",
        "tidegate",
        "host.docker.internal",
        DOMAIN,
    ],
)
def test_names_that_are_answered_have_a_certificate_each(
    authority: Authority, certificates: LocalCertificates, name: str
) -> None:
    async def scenario() -> None:
        async with served(secure=certificates) as app:
            _, writer = await app.connect(ssl=trusting(authority), server_hostname=name)
            assert subject_names(writer.get_extra_info("ssl_object")) == [name.lower()]
            writer.close()

    run(scenario())


@pytest.mark.parametrize("name", ["example.com", "amazonaws.com.evil.example", "xn--a.com", "notapi.example.com"])
def test_nobody_else_is_impersonated(authority: Authority, certificates: LocalCertificates, name: str) -> None:
    async def scenario() -> None:
        async with served(secure=certificates) as app:
            with pytest.raises(ssl.SSLCertVerificationError, match=f"not valid for '{name}'"):
                await exchange(app, GET, trusting(authority), name)
            await until(lambda: app.server.connections == 0)

    run(scenario())


def test_an_address_gets_a_certificate_of_this_machine(authority: Authority, certificates: LocalCertificates) -> None:
    async def scenario() -> None:
        async with served(secure=certificates) as app:
            for name in ("127.0.0.1", "localhost"):
                _, writer = await app.connect(ssl=trusting(authority), server_hostname=name)
                names = subject_names(writer.get_extra_info("ssl_object"))
                assert names == ["localhost", "127.0.0.1", "0:0:0:0:0:0:0:1"]
                writer.close()
        async with served(secure=certificates) as app:
            # Another address of this machine, as a neighbour on the network uses it.
            port = await app.server.start("127.0.0.9", 0)
            _, writer = await asyncio.open_connection(
                "127.0.0.9", port, ssl=trusting(authority), server_hostname="127.0.0.9"
            )
            assert "127.0.0.9" in subject_names(writer.get_extra_info("ssl_object"))
            writer.close()

    run(scenario())


def test_certificates_are_kept_but_not_without_end(authority: Authority, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tidegate.wire.local_certificates._KEPT", 4)
    certificates = LocalCertificates(authority, lambda _: False)
    first, second = certificates("10.0.0.1"), certificates("10.0.0.2")
    assert certificates("10.0.0.1") is first
    for number in (3, 4, 5):
        certificates(f"10.0.0.{number}")
    assert certificates("10.0.0.1") is first, "the one that was asked for last stays"
    assert certificates("10.0.0.2") is not second
    assert len(certificates._contexts) == 4


def test_a_session_is_resumed_under_the_name_it_began_with(
    authority: Authority, certificates: LocalCertificates
) -> None:
    async def scenario() -> None:
        async with served(endpoint(scheme), secure=certificates) as app:
            await asyncio.get_running_loop().run_in_executor(None, resume_session, app.port, trusting(authority))

    run(scenario())


def resume_session(port: int, context: ssl.SSLContext) -> None:
    session = None
    for _ in range(2):
        with (
            socket.create_connection(("127.0.0.1", port)) as plain,
            context.wrap_socket(plain, server_hostname=API, session=session) as secured,
        ):
            assert secured.session_reused == (session is not None)
            secured.sendall(get("/", "Connection: close"))
            assert secured.recv(1000).startswith(b"HTTP/1.1 200")
            session = secured.session


@pytest.mark.skipif(shutil.which("curl") is None, reason="no curl on this machine")
def test_curl_and_urllib(authority: Authority, certificates: LocalCertificates, tmp_path: Path) -> None:
    trust = tmp_path / "ca.pem"
    trust.write_text(authority.certificate)

    def clients(port: int) -> list[bytes]:
        at = f"{API}:443:127.0.0.1:{port}"
        curl = ["curl", "-sS", "--cacert", str(trust), "--connect-to", at, f"https://{API}/curl"]
        context = trusting(authority)
        with urllib.request.urlopen(f"https://localhost:{port}/urllib", context=context) as answer:
            return [subprocess.run(curl, capture_output=True, check=True).stdout, answer.read()]

    async def scenario() -> None:
        async with served(endpoint(scheme), secure=certificates) as app:
            found = await asyncio.get_running_loop().run_in_executor(None, clients, app.port)
            assert found == [b"https /curl ", b"https /urllib "]

    run(scenario())


def test_large_bodies_both_ways(authority: Authority, certificates: LocalCertificates) -> None:
    body = bytes(range(256)) * 8192

    async def doubled(request: Request) -> Response:
        async def chunks() -> AsyncIterator[bytes]:
            yield request.body
            yield request.body

        return Response(200, [], chunks())

    async def scenario() -> None:
        async with served(endpoint(doubled, max_body=len(body)), secure=certificates) as app:
            head = b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\nConnection: close\r\n\r\n" % len(body)
            (answer,) = answers(await exchange(app, head + body, trusting(authority)))
            assert answer.body == body * 2

    run(scenario())


@pytest.mark.parametrize("stall", [30.0, 0.1])
def test_a_slow_reader_gets_all_of_it_and_one_that_stalls_is_cut_off(
    authority: Authority, certificates: LocalCertificates, stall: float
) -> None:
    body = bytes(16 * 1024 * 1024)  # more than the kernel takes

    async def large(_request: Request) -> Response:
        return Response(200, [], body)

    async def scenario() -> None:
        limits = Limits(tick=0.005, linger=0.02, write_stall=stall)
        async with served(endpoint(large), secure=certificates, limits=limits) as app:
            reader, writer = await app.connect(ssl=trusting(authority), server_hostname=API, limit=1024)
            writer.write(get("/", "Connection: close"))
            if stall < 1:
                await until(lambda: app.server.connections == 0)
                writer.transport.abort()
                return
            await reader.readexactly(1)
            await asyncio.sleep(10 * limits.linger)
            got = 0
            while piece := await reader.read(512 * 1024):
                got += len(piece)
            assert got > len(body)
            writer.close()

    run(scenario())


Client = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


async def silence(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
    assert await reader.read() == b"", "nobody answers, and the end comes"


async def wait(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
    assert (await reader.read())[0] == 0x16, "the server's hello, and the end comes"


async def vanish(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.transport.abort()


async def hang_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write_eof()
    await reader.read()


def hello(name: str = API) -> bytes:
    """A client's first flight, as OpenSSL makes it."""
    out = ssl.MemoryBIO()
    client = ssl.create_default_context().wrap_bio(ssl.MemoryBIO(), out, server_hostname=name)
    with pytest.raises(ssl.SSLWantReadError):
        client.do_handshake()
    return out.read()


async def follow_with_garbage(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    assert (await reader.read(5))[0] == 0x16, "the server's hello"
    writer.write(b"no, not like that\r\n\r\n" * 100)
    await reader.read()


HOSTILE: dict[str, tuple[list[bytes], Client]] = {
    "one byte": ([b"\x16"], silence),
    "half a hello": ([hello()[:100]], silence),
    "a hello, then nothing": ([hello()], wait),
    "garbage": ([b"\x16 GET / HTTP/1.1\r\n\r\n"], silence),
    "a long record of zeros": ([b"\x16\x03\x01\x40\x00" + bytes(16384)], silence),
    "an endless hello": (
        [b"\x16\x03\x01\x40\x00\x01\xff\xff\xff" + bytes(16380), *[b"\x16\x03\x01\x40\x00"] * 3],
        silence,
    ),
    "ssl 2": ([b"\x16\x00\x02"], silence),
    "a hello for nobody": ([hello("www.example.com")], wait),
    "a hello, then garbage": ([hello()], follow_with_garbage),
    "a hello, and half of it again": ([hello() + hello()[:50]], hang_up),
    "vanishes after one byte": ([b"\x16"], vanish),
    "vanishes after its hello": ([hello()], vanish),
    "vanishes in its hello": ([hello()[:10]], vanish),
    "half-closes": ([hello()[:10]], hang_up),
    "half-closes after its hello": ([hello()], hang_up),
    "a hello byte by byte": ([bytes([byte]) for byte in hello()], wait),
}


@pytest.mark.parametrize("case", HOSTILE)
def test_handshakes_that_fail_leave_nothing(
    authority: Authority, certificates: LocalCertificates, case: str, caplog: pytest.LogCaptureFixture
) -> None:
    pieces, client = HOSTILE[case]

    async def scenario() -> None:
        limits = Limits(**LIMITS, handshake_timeout=0.3)
        async with served(endpoint(scheme), secure=certificates, limits=limits) as app:
            tasks = len(asyncio.all_tasks())
            reader, writer = await app.connect()
            for piece in pieces:
                writer.write(piece)
                await asyncio.sleep(0)
            await until(lambda: app.server.connections == 1 or reader.at_eof())
            with suppress(ConnectionError):
                await client(reader, writer)
            writer.close()
            await until(lambda: app.server.connections == 0)
            await until(lambda: len(asyncio.all_tasks()) == tasks)
            assert answers(await exchange(app, get("/", "Connection: close"), trusting(authority)))[0].status == 200

    run(scenario())
    assert not [record for record in caplog.records if record.levelname in ("WARNING", "ERROR")]


@pytest.mark.parametrize("size", [1, 7, 300])
def test_a_handshake_in_pieces(authority: Authority, certificates: LocalCertificates, size: int) -> None:
    async def scenario() -> None:
        incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        client = trusting(authority).wrap_bio(incoming, outgoing, server_hostname=API)
        async with served(endpoint(scheme), secure=certificates) as app:
            reader, writer = await app.connect()

            async def flight() -> None:
                data = outgoing.read()
                for at in range(0, len(data), size):
                    writer.write(data[at : at + size])
                    await asyncio.sleep(0)

            async def step(action: Callable[[], Any]) -> Any:
                while True:
                    try:
                        return action()
                    except ssl.SSLWantReadError:
                        await flight()
                        incoming.write(await reader.read(size))

            await step(client.do_handshake)
            client.write(get("/pieces"))
            await flight()
            answer = b""
            while b"https /pieces " not in answer:
                answer += await step(lambda: client.read(1000))
            writer.close()

    run(scenario())


def test_no_certificate_is_an_error_of_ours(caplog: pytest.LogCaptureFixture) -> None:
    def broken(_address: str) -> ssl.SSLContext:
        raise OSError("no space left")

    async def scenario() -> None:
        async with served(endpoint(scheme), secure=broken) as app:
            assert await app.ask(hello()) == b""
            assert answers(await app.ask(get("/", "Connection: close")))[0].status == 200

    run(scenario())
    assert [record.getMessage() for record in caplog.records] == ["no certificate can be shown"]


def test_a_handshake_can_only_be_the_beginning(authority: Authority, certificates: LocalCertificates) -> None:
    async def scenario() -> None:
        async with served(endpoint(scheme), secure=certificates) as app:
            after_a_request = answers(await app.ask(GET, hello()))
            assert [answer.status for answer in after_a_request] == [200, 400]
            inside = answers(await exchange(app, hello(), trusting(authority)))
            assert [answer.status for answer in inside] == [400]

    run(scenario())


@pytest.mark.skipif(shutil.which("openssl") is None, reason="no openssl on this machine")
def test_renegotiation_is_refused(certificates: LocalCertificates, authority: Authority) -> None:
    async def scenario() -> None:
        async with served(endpoint(scheme), secure=certificates) as app:
            client = ["openssl", "s_client", "-connect", f"127.0.0.1:{app.port}", "-servername", API, "-tls1_2"]
            process = await asyncio.create_subprocess_exec(
                *client, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
            )
            output, _ = await process.communicate(b"R\n")
            assert b"RENEGOTIATING" in output
            assert b"no renegotiation" in output
            await until(lambda: app.server.connections == 0)

    run(scenario())


def test_idle_and_dead_connections_are_closed(authority: Authority, certificates: LocalCertificates) -> None:
    async def scenario() -> None:
        limits = Limits(**LIMITS, idle_timeout=0.2, header_timeout=0.2)
        async with served(endpoint(scheme), secure=certificates, limits=limits) as app:
            # Idle from the start, idle after a request, stuck in a head: each hears a proper end.
            assert await exchange(app, b"", trusting(authority)) == b""
            assert b"https /" in await exchange(app, get("/"), trusting(authority))
            assert answers(await exchange(app, b"GET / HT", trusting(authority)))[0].status == 408
            await until(lambda: app.server.connections == 0)
            # One that never says goodbye itself.
            loop = asyncio.get_running_loop()
            plain = await loop.run_in_executor(None, deaf_client, app.port, trusting(authority))
            await until(lambda: app.server.connections == 0)
            plain.close()

    run(scenario())


def deaf_client(port: int, context: ssl.SSLContext) -> ssl.SSLSocket:
    return context.wrap_socket(socket.create_connection(("127.0.0.1", port)), server_hostname=API)


def test_a_goodbye_in_the_middle_of_an_answer(
    authority: Authority, certificates: LocalCertificates, caplog: pytest.LogCaptureFixture
) -> None:
    """The client sends close_notify behind its request: the handler ends, nothing hangs, nothing is logged."""
    begun, go = threading.Event(), asyncio.Event()

    async def slow(_request: Request) -> Response:
        begun.set()
        await go.wait()
        return Response(200, [], b"late")

    def client(port: int) -> None:
        secured = deaf_client(port, trusting(authority))
        secured.sendall(GET)
        begun.wait(5)
        secured.unwrap()
        secured.close()

    async def scenario() -> None:
        async with served(endpoint(slow), secure=certificates) as app:
            await asyncio.get_running_loop().run_in_executor(None, client, app.port)
            go.set()
            await until(lambda: app.server.connections == 0)

    run(scenario())
    assert not caplog.records


@asynccontextmanager
async def stuck(app: Served) -> AsyncIterator[asyncio.StreamReader]:
    reader, writer = await app.connect()
    writer.write(hello())
    await until(lambda: app.server.connections == 1)
    yield reader
    writer.close()


def test_draining(authority: Authority, certificates: LocalCertificates) -> None:
    async def scenario() -> None:
        async with served(endpoint(scheme), secure=certificates) as app:
            async with stuck(app) as reader:
                assert not await app.server.drain(0.02), "a handshake that does not end is cut off"
                await reader.read()
            assert app.server.connections == 0
        async with served(endpoint(scheme), secure=certificates) as app:
            reader, writer = await app.connect(ssl=trusting(authority), server_hostname=API)
            writer.write(get("/kept"))
            assert b"200 OK" in await reader.readuntil(b"\r\n\r\n")
            assert await app.server.drain(5)
            assert await reader.read() == b"https /kept "
            writer.close()
        async with served(endpoint(scheme), secure=certificates, limits=Limits(tick=0.005, linger=60)) as app:
            loop = asyncio.get_running_loop()
            deaf = await loop.run_in_executor(None, deaf_client, app.port, trusting(authority))
            await until(lambda: app.server.connections == 1)
            assert await app.server.drain(5), "nobody waits for an idle client's goodbye"
            deaf.close()

    run(scenario())


def test_handshakes_count_as_connections(certificates: LocalCertificates) -> None:
    async def scenario() -> None:
        async with served(secure=certificates, limits=Limits(**LIMITS, connections=1)) as app, stuck(app):
            assert answers(await app.ask(GET))[0].status == 503

    run(scenario())


def test_on_the_event_loop_of_the_standard_library(authority: Authority, certificates: LocalCertificates) -> None:
    async def scenario() -> None:
        async with served(endpoint(scheme), secure=certificates, limits=Limits(**LIMITS, idle_timeout=0.2)) as app:
            assert b"https /x" in await exchange(app, get("/x", "Connection: close"), trusting(authority))
            assert b"https /y" in await exchange(app, get("/y"), trusting(authority))
            async with stuck(app):
                assert not await app.server.drain(0.02)
            assert app.server.connections == 0

    asyncio.run(asyncio.wait_for(scenario(), 10))


# the authority itself


def test_the_authority_is_made_once(tmp_path: Path) -> None:
    first = Authority.at(tmp_path / "data" / "ca")
    assert Authority.at(tmp_path / "data" / "ca").certificate == first.certificate
    assert {path.name: path.stat().st_mode & 0o777 for path in (tmp_path / "data" / "ca").iterdir()} == {
        "ca.key": 0o600,
        "ca.pem": 0o600,
    }
    assert (tmp_path / "data" / "ca").stat().st_mode & 0o777 == 0o700
    assert [path.name for path in (tmp_path / "data").iterdir()] == ["ca"]
    assert Authority.at(tmp_path / "other").certificate != first.certificate


def test_an_authority_made_twice_at_a_time_is_one(tmp_path: Path) -> None:
    gate = threading.Barrier(8)
    found: list[str] = []

    def make() -> None:
        gate.wait()
        found.append(Authority.at(tmp_path / "ca").certificate)

    threads = [threading.Thread(target=make) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 8
    assert len(set(found)) == 1


@pytest.mark.parametrize("spoil", ["ca.key", "ca.pem", "missing", "mixed"])
def test_a_spoiled_authority_is_said_to_be_one(tmp_path: Path, spoil: str) -> None:
    Authority.at(tmp_path / "ca")
    Authority.at(tmp_path / "other")
    if spoil == "missing":
        (tmp_path / "ca" / "ca.key").unlink()
    elif spoil == "mixed":
        (tmp_path / "other" / "ca.pem").rename(tmp_path / "ca" / "ca.pem")
    else:
        (tmp_path / "ca" / spoil).write_text("garbage")
    with pytest.raises(AuthorityError, match="remove it, and another is made"):
        Authority.at(tmp_path / "ca")
