"""https at the running program's one port: APIs, custom domains, the management API; and the authority over its life."""

from __future__ import annotations

import http.client
import socket
import ssl
import subprocess
import sys
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config

from tests.support.running import ApiBuilder, Server


def command(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "tidegate.cli", *arguments], capture_output=True, text=True, check=False
    )


def by_https(server: Server, name: str, target: str, context: ssl.SSLContext | None = None) -> tuple[int, bytes]:
    """A call of a name that is not in any DNS: connected here, checked against the name."""
    context = context or trusting(server)
    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as plain:
        connection = http.client.HTTPConnection(name)
        connection.sock = context.wrap_socket(plain, server_hostname=name)
        connection.request("GET", target)
        answer = connection.getresponse()
        try:
            return answer.status, answer.read()
        finally:
            connection.close()


def trusting(server: Server) -> ssl.SSLContext:
    return ssl.create_default_context(cadata=command("ca", "--endpoint", server.url).stdout)


def test_an_api_by_its_name(server: Server) -> None:
    template = "$context.domainName $context.protocol"
    api = ApiBuilder(server).mock("/", "GET", template).deploy()
    host = f"{api}.execute-api.us-east-1.amazonaws.com"
    assert by_https(server, host, "/prod/") == (200, f"{host} HTTP/1.1".encode())
    local = f"{api}.execute-api.localhost"
    assert by_https(server, local, "/prod/")[0] == 200


def test_a_custom_domain_has_a_certificate_as_soon_as_it_is_there(server: Server) -> None:
    client = server.client("apigateway")
    context = trusting(server)
    with pytest.raises(ssl.SSLCertVerificationError):
        by_https(server, "shop.example.org", "/", context)
    api = ApiBuilder(server).mock("/", "GET", "in the shop").deploy()
    arn = "arn:aws:acm:us-east-1:000000000000:certificate/c"
    client.create_domain_name(
        domainName="shop.example.org",
        regionalCertificateArn=arn,
        endpointConfiguration={"types": ["REGIONAL"]},
        securityPolicy="TLS_1_2",
    )
    client.create_base_path_mapping(domainName="shop.example.org", restApiId=api, stage="prod")
    assert by_https(server, "shop.example.org", "/", context) == (200, b"in the shop")
    client.delete_domain_name(domainName="shop.example.org")
    with pytest.raises(ssl.SSLCertVerificationError):
        by_https(server, "shop.example.org", "/", context)


def test_the_management_api_by_https(server: Server, tmp_path: Path) -> None:
    trust = tmp_path / "ca.pem"
    trust.write_text(command("ca", "--endpoint", server.url).stdout)
    client: Any = boto3.client(
        "apigateway",
        endpoint_url=f"https://localhost:{server.port}",
        region_name="us-east-1",
        aws_access_key_id="test",
        aws_secret_access_key="test",
        verify=str(trust),
        config=Config(retries={"max_attempts": 0}),
    )
    made = client.create_rest_api(name="by https", tags={"_custom_id_": "httpsmade1"})
    assert made["id"] == "httpsmade1"


def test_the_authority_stays_with_the_data_and_no_longer(tmp_path: Path) -> None:
    server = Server(tmp_path / "data").start()
    context = trusting(server)
    assert by_https(server, "localhost", "/_tidegate/health", context)[0] == 200
    server.stop()
    server = Server(tmp_path / "data").start()
    try:
        assert by_https(server, "localhost", "/_tidegate/health", context)[0] == 200
    finally:
        server.stop()
    gone = command("ca", "--endpoint", server.url)
    assert gone.returncode == 1
    assert f"no Tidegate answers at {server.url}" in gone.stderr
    (tmp_path / "data" / "ca" / "ca.key").write_text("spoiled")
    refused = command("start", "--port", "0", "--data", str(tmp_path / "data"))
    assert refused.returncode == 1
    assert "the certificate authority in" in refused.stderr
    assert "Traceback" not in refused.stderr
