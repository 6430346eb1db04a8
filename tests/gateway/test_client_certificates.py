"""A stage's client certificate: HTTPS backends that ask for one see it, and know that it is the gateway's."""

from __future__ import annotations

import ssl
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import trustme
from botocore.exceptions import ClientError

from tests.support.running import ApiBuilder, Server


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        shown = self.connection.getpeercert()  # type: ignore[attr-defined]
        subject = dict(pair[0] for pair in shown["subject"]) if shown else {}
        body = f"{shown.get('serialNumber') if shown else None} {sorted(subject)}".encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_arguments: Any) -> None:
        """Quiet."""


def tls_backend(authority: trustme.CA, trusted: str | None) -> ThreadingHTTPServer:
    """An HTTPS server; with `trusted` (PEM), it takes nobody who does not show that certificate."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(context)
    if trusted is not None:
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_verify_locations(cadata=trusted)
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture(scope="module")
def trusting(tmp_path_factory: pytest.TempPathFactory, authority: trustme.CA) -> Iterator[Server]:
    """A Tidegate that trusts the backends' authority."""
    place = tmp_path_factory.mktemp("trusting")
    ca_file: Path = place / "ca.pem"
    authority.cert_pem.write_to_path(str(ca_file))
    running = Server(place / "data", environment={"TIDEGATE_CA_FILE": str(ca_file)}).start()
    yield running
    running.stop()


def set_certificate(api: ApiBuilder, certificate: str) -> None:
    operation = {"op": "replace", "path": "/clientCertificateId", "value": certificate}
    api.client.update_stage(restApiId=api.id, stageName="prod", patchOperations=[operation])


def test_a_backend_takes_nobody_but_the_stage_with_the_certificate(trusting: Server, authority: trustme.CA) -> None:
    client = trusting.client("apigateway")
    made = client.generate_client_certificate(description="to the backend")
    backend = tls_backend(authority, made["pemEncodedCertificate"])
    try:
        api = ApiBuilder(trusting).proxy_to("/", "GET", f"https://localhost:{backend.server_port}/")
        api.deploy()
        assert trusting.call(api.id, "/prod/").status == 504
        set_certificate(api, made["clientCertificateId"])
        answer = trusting.call(api.id, "/prod/")
        assert answer.status == 200
        assert answer.body.decode().startswith(tuple("0123456789ABCDEF"))
        # Another stage's certificate does not open the door, and shares no connection with the one that does.
        other = client.generate_client_certificate()
        set_certificate(api, other["clientCertificateId"])
        assert trusting.call(api.id, "/prod/").status == 504
        tested = client.test_invoke_method(
            restApiId=api.id,
            resourceId=api.resources["/"],
            httpMethod="GET",
            clientCertificateId=made["clientCertificateId"],
        )
        assert tested["status"] == 200
    finally:
        backend.shutdown()


def test_an_unknown_certificate_is_refused(trusting: Server) -> None:
    api = ApiBuilder(trusting).mock("/", "GET")
    api.deploy()
    with pytest.raises(ClientError, match="Invalid Client Certificate identifier specified"):
        set_certificate(api, "nope12")
    with pytest.raises(ClientError, match="Invalid Client Certificate identifier specified"):
        api.client.test_invoke_method(
            restApiId=api.id, resourceId=api.resources["/"], httpMethod="GET", clientCertificateId="nope12"
        )


def test_one_in_use_cannot_be_deleted(trusting: Server) -> None:
    api = ApiBuilder(trusting).mock("/", "GET")
    api.deploy()
    certificate = api.client.generate_client_certificate()["clientCertificateId"]
    set_certificate(api, certificate)
    with pytest.raises(ClientError):
        api.client.delete_client_certificate(clientCertificateId=certificate)
    api.client.update_stage(
        restApiId=api.id,
        stageName="prod",
        patchOperations=[{"op": "replace", "path": "/clientCertificateId", "value": ""}],
    )
    api.client.delete_client_certificate(clientCertificateId=certificate)
