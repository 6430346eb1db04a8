"""HTTPS backends of a private authority: trusted, not trusted, and with `insecureSkipVerification`."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
import trustme

from tests.support.backend import Backend
from tests.support.running import Answer, ApiBuilder, Server

SKIP = {"tlsConfig": {"insecureSkipVerification": True}}


def secured(certificate: trustme.LeafCert) -> Backend:
    backend = Backend().start()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    certificate.configure_cert(context)
    backend.server.socket = context.wrap_socket(backend.server.socket, server_side=True)
    return backend


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture(scope="module")
def backends(authority: trustme.CA) -> Iterator[dict[str, Backend]]:
    """By what their certificates say."""
    past = datetime(2020, 1, 1, tzinfo=UTC)
    running = {
        "good": secured(authority.issue_cert("localhost")),
        "expired": secured(authority.issue_cert("localhost", not_after=past)),
        "other": secured(authority.issue_cert("elsewhere.example.com", "*.private.example.com")),
        "address": secured(authority.issue_cert("127.0.0.1", "*.example.com")),
    }
    yield running
    for backend in running.values():
        backend.stop()


@pytest.fixture(scope="module")
def trusting(tmp_path_factory: pytest.TempPathFactory, authority: trustme.CA) -> Iterator[Server]:
    place = tmp_path_factory.mktemp("trusting")
    authority.cert_pem.write_to_path(str(place / "ca.pem"))
    running = Server(place / "data", environment={"TIDEGATE_CA_FILE": str(place / "ca.pem")}).start()
    yield running
    running.stop()


def call(server: Server, backend: Backend, host: str = "localhost", **more: Any) -> Answer:
    api = ApiBuilder(server).proxy_to("/x", "GET", f"https://{host}:{backend.server.server_address[1]}/in", **more)
    return server.call(api.deploy(), "/prod/x")


def test_who_trusts_the_authority_takes_good_certificates_only(trusting: Server, backends: dict[str, Backend]) -> None:
    assert call(trusting, backends["good"]).json["target"] == "/in"
    assert call(trusting, backends["address"], "127.0.0.1").status == 200
    for bad in ("expired", "other", "address"):
        answer = call(trusting, backends[bad])
        assert (answer.status, answer.json) == (504, {"message": "Network error communicating with endpoint"}), bad
        # AWS: what is skipped is who issued the certificate, not for whom and until when.
        assert call(trusting, backends[bad], **SKIP).status == 504, bad
    trusting.wait_for("its certificate has expired")
    trusting.wait_for("its certificate is not for localhost")


def test_an_unknown_authority_is_taken_when_the_integration_says_so(
    server: Server, backends: dict[str, Backend]
) -> None:
    api = ApiBuilder(server)
    uri = f"https://localhost:{backends['good'].server.server_address[1]}/in"
    for path, more in (("/strict", {}), ("/lax", SKIP)):
        api.proxy_to(path, "GET", uri, **more)
        api.method(f"{path}/custom", "GET", {"type": "HTTP", "integrationHttpMethod": "GET", "uri": uri, **more})
        api.answers(f"{path}/custom", "GET", {"200": {}})
    id_ = api.deploy()
    found = {
        path: server.call(id_, f"/prod{path}").status for path in ("/strict", "/lax", "/strict/custom", "/lax/custom")
    }
    assert found == {"/strict": 504, "/lax": 200, "/strict/custom": 504, "/lax/custom": 200}
    server.wait_for("its certificate is not trusted")
    assert call(server, backends["address"], "127.0.0.1", **SKIP).status == 200


def test_behind_a_vpc_link_the_uris_host_has_to_be_named(
    server: Server, trusting: Server, backends: dict[str, Backend]
) -> None:
    for running, more in ((trusting, {}), (server, SKIP)):
        balancer = "arn:aws:elasticloadbalancing:us-east-1:000000000000:loadbalancer/net/n/50dc6c495c0c9188"
        address = f"127.0.0.1:{backends['other'].server.server_address[1]}"
        link = running.client("apigateway").create_vpc_link(
            name="l", targetArns=[balancer], tags={"_address_": address}
        )
        api = ApiBuilder(running)
        for path, host in (
            ("/a", "elsewhere.example.com"),
            ("/b", "a.private.example.com"),
            ("/c", "a.b.private.example.com"),
        ):
            private = {"connectionType": "VPC_LINK", "connectionId": link["id"], **more}
            api.proxy_to(path, "GET", f"https://{host}/in", **private)
        id_ = api.deploy()
        assert [running.call(id_, f"/prod{path}").status for path in ("/a", "/b", "/c")] == [200, 200, 504]
        assert backends["other"].received[-2].header("Host") == "elsewhere.example.com"
