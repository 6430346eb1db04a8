"""Code in functions calls AWS's own names, and reaches the gateway that runs it: every library's way, every family."""

from __future__ import annotations

import importlib.util
import json
import shutil
import ssl
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.functions.harness import zipped
from tests.support.running import ApiBuilder, Server
from tidegate.functions.isolation import Isolation

INVOKE = {"StatementId": "api", "Action": "lambda:InvokeFunction", "Principal": "apigateway.amazonaws.com"}

# The function calls its own API. `/inner` tells how it was called; `/outer` does what the query asks for.
PYTHON = """
import asyncio, http.client, json, os, socket, ssl, subprocess, sys, urllib.request

seen = dict(os.environ)

def by_urllib(url):
    return urllib.request.urlopen(url, timeout=10).read()

def by_http_client(url):
    host, _, path = url.removeprefix("https://").partition("/")
    connection = http.client.HTTPSConnection(host, timeout=10)
    connection.request("POST", "/" + path, body=b"x" * 100_000)
    return connection.getresponse().read()

def by_urllib3(url):
    import urllib3
    return urllib3.PoolManager().request("GET", url, timeout=10, retries=False).data

def by_requests(url):
    import requests
    return requests.get(url, timeout=10).content

def by_asyncio(url):
    host, _, path = url.removeprefix("https://").partition("/")
    async def call():
        reader, writer = await asyncio.open_connection(host, 443, ssl=True)
        writer.write(f"GET /{path} HTTP/1.1\\r\\nHost: {host}\\r\\nConnection: close\\r\\n\\r\\n".encode())
        answer = await reader.read()
        writer.close()
        return answer.partition(b"\\r\\n\\r\\n")[2]
    return asyncio.run(call())

def by_address(url):
    # As anyio does: resolve, keep the address and forget the port, connect to the port that was meant.
    host, _, path = url.removeprefix("https://").partition("/")
    (*_, address), *_ = socket.getaddrinfo(host, "https", type=socket.SOCK_STREAM)
    with socket.socket() as plain:
        assert plain.connect_ex((address[0], 443)) == 0
        with ssl.create_default_context().wrap_socket(plain, server_hostname=host) as secured:
            secured.sendall(f"GET /{path} HTTP/1.1\\r\\nHost: {host}\\r\\nConnection: close\\r\\n\\r\\n".encode())
            return b"".join(iter(lambda: secured.recv(65536), b"")).partition(b"\\r\\n\\r\\n")[2]

def by_socket(url):
    host, _, path = url.removeprefix("https://").partition("/")
    with socket.socket() as plain:
        plain.connect((host, 80))
        plain.sendall(f"GET /{path} HTTP/1.1\\r\\nHost: {host}\\r\\nConnection: close\\r\\n\\r\\n".encode())
        return b"".join(iter(lambda: plain.recv(65536), b"")).partition(b"\\r\\n\\r\\n")[2]

def by_plain_http(url):
    return urllib.request.urlopen(url.replace("https:", "http:"), timeout=10).read()

def by_boto3(url):
    import boto3
    from botocore.config import Config
    at_aws = Config(ignore_configured_endpoint_urls=True)
    clients = [boto3.client(name, config=at_aws) for name in ("sts", "apigateway", "lambda")]
    assert all(".amazonaws.com" in client.meta.endpoint_url for client in clients)
    account = clients[0].get_caller_identity()["Account"]
    api = clients[1].get_rest_api(restApiId=url.split("/")[2].split(".")[0])["name"]
    return json.dumps([account, api, clients[2].get_function(FunctionName="caller")["Configuration"]["FunctionName"]])

def by_host_alone(url):
    import boto3
    s3 = boto3.client("s3")
    s3.create_bucket(Bucket="things")
    s3.put_object(Bucket="things", Key="one", Body=b'"found"', ACL="public-read")
    return by_urllib("https://things.s3.us-east-1.amazonaws.com/one")

def by_keys_of_a_pool(url):
    import boto3
    pool = boto3.client("cognito-idp").create_user_pool(PoolName="p")["UserPool"]["Id"]
    issuer = f"https://cognito-idp.{os.environ['AWS_REGION']}.amazonaws.com/{pool}"
    return json.dumps(list(json.loads(by_urllib(issuer + "/.well-known/jwks.json"))))

def by_environment(url):
    return json.dumps({"variables": [k for k in seen if "TIDEGATE" in k.upper()], "bundle": seen["SSL_CERT_FILE"],
                       "readable": len(open(seen["SSL_CERT_FILE"]).read()), "tmp": os.listdir("/tmp"),
                       "modules": sorted(sys.modules)})

def by_name(url):
    return json.dumps([socket.getaddrinfo(name, 443)[0][4][0] for name in ("localhost", "10.1.2.3")])

def handler(event, context):
    if event["resource"] == "/inner":
        scheme = event["headers"]["X-Forwarded-Proto"]
        body = json.dumps([event["requestContext"]["domainName"], scheme, len(event["body"] or "")])
        return {"statusCode": 200, "body": body}
    asked = event["queryStringParameters"]["way"]
    context = event["requestContext"]
    found = globals()["by_" + asked](f"https://{context['domainName']}/{context['stage']}/inner")
    return {"statusCode": 200, "body": found if isinstance(found, str) else found.decode()}
"""

NODE = """
const https = require('https'), http = require('http'), net = require('net'), tls = require('tls');
const text = (stream) => new Promise((done, fail) => {
  let all = '';
  stream.on('data', (piece) => { all += piece; }).on('end', () => done(all)).on('error', fail);
});
const got = (get, url, options) => new Promise((done, fail) => get(url, options, (a) => done(text(a))).on('error', fail));
const raw = async (socket, host, path) => {
  socket.write(`GET ${path} HTTP/1.1\\r\\nHost: ${host}\\r\\nConnection: close\\r\\n\\r\\n`);
  return (await text(socket)).split('\\r\\n\\r\\n')[1];
};
const ways = {
  https: (url) => got(https.get, url, {}),
  kept_alive: (url) => got(https.get, url, { agent: new https.Agent({ keepAlive: true }) }),
  http: (url) => got(http.get, url.replace('https:', 'http:'), {}),
  fetch: async (url) => (await fetch(url)).text(),
  tls: (url, host, path) => raw(tls.connect({ host, port: 443, servername: host }), host, path),
  net: (url, host, path) => raw(net.connect(80, host), host, path),
  environment: async () => JSON.stringify(Object.keys(process.env).filter((name) => /tidegate/i.test(name))),
};
exports.handler = async (event) => {
  const { domainName: host, stage } = event.requestContext;
  if (event.resource === '/inner') {
    return { statusCode: 200, body: JSON.stringify([host, event.headers['X-Forwarded-Proto'], 0]) };
  }
  const path = `/${stage}/inner`;
  return { statusCode: 200, body: await ways[event.queryStringParameters.way](`https://${host}${path}`, host, path) };
};
"""


def library(*names: str) -> dict[str, bytes]:
    """Packages of this environment, for a function to bring along."""
    files: dict[str, bytes] = {}
    for name in names:
        spec = importlib.util.find_spec(name)
        assert spec is not None
        assert spec.origin is not None
        root = Path(spec.origin).parent
        for path in root.rglob("*"):
            if path.is_file() and "__pycache__" not in path.parts:
                files[f"{name}/{path.relative_to(root)}"] = path.read_bytes()
    return files


def make(server: Server, name: str, files: Mapping[str, str | bytes], **options: Any) -> str:
    client = server.client("lambda")
    made = client.create_function(
        FunctionName=name,
        Code={"ZipFile": zipped(files)},
        Role="arn:aws:iam::000000000000:role/r",
        Handler="app.handler",
        Timeout=30,
        **options,
    )
    client.add_permission(FunctionName=name, **INVOKE)
    return str(made["FunctionArn"])


def calling_itself(server: Server, arn: str) -> str:
    """A REST API of two resources; both of the function."""
    builder = ApiBuilder(server, "own")
    for path in ("/inner", "/outer"):
        builder.function(path, "ANY", arn)
    return builder.deploy()


@pytest.fixture(scope="module")
def python_api(server: Server) -> Iterator[str]:
    arn = make(server, "caller", {"app.py": PYTHON, **library("requests", "certifi", "idna", "charset_normalizer")},
               Runtime="python3.11")  # fmt: skip
    yield calling_itself(server, arn)
    server.client("lambda").delete_function(FunctionName="caller")


def ask(server: Server, api: str, way: str) -> Any:
    answer = server.request("GET", f"/restapis/{api}/prod/_user_request_/outer?way={way}")
    assert answer.status == 200, (answer.body, server.messages[-5:])
    return answer.json


HTTPS = ("urllib", "urllib3", "requests", "asyncio", "address")


@pytest.mark.parametrize("way", [*HTTPS, "http_client", "socket", "plain_http"])
def test_a_python_function_calls_its_own_api(server: Server, python_api: str, way: str) -> None:
    scheme = "http" if way in ("socket", "plain_http") else "https"
    length = 100_000 if way == "http_client" else 0
    host = f"{python_api}.execute-api.us-east-1.amazonaws.com"
    assert ask(server, python_api, way) == [host, scheme, length]


def test_clients_without_an_endpoint(server: Server, python_api: str) -> None:
    assert ask(server, python_api, "boto3") == ["000000000000", "own", "caller"]


def test_what_needs_no_signature_is_found_by_its_host(server: Server, python_api: str) -> None:
    assert ask(server, python_api, "host_alone") == "found"
    assert ask(server, python_api, "keys_of_a_pool") == ["keys"]


def test_what_a_python_function_sees_of_it(server: Server, python_api: str) -> None:
    seen = ask(server, python_api, "environment")
    assert seen["variables"] == []
    inside = Isolation().available()
    assert seen["bundle"] == (
        "/var/trust/bundle.pem" if inside else str(server.data.resolve() / "trust" / "bundle.pem")
    )
    assert seen["readable"] > 100_000, "the system's certificates are there too"
    assert "launch" not in seen["modules"]
    own = {Path(sys.prefix).parts[2]} if Path(sys.prefix).is_relative_to("/tmp") else set()
    assert not inside or set(seen["tmp"]) <= own, "a gateway's data that lies in /tmp does not show there"
    assert ask(server, python_api, "name") == ["127.0.0.1", "10.1.2.3"], "all else resolves as ever"


@pytest.mark.skipif(shutil.which("node") is None, reason="no node on this machine")
def test_a_node_function_calls_its_own_api(server: Server) -> None:
    api = calling_itself(server, make(server, "node-caller", {"app.js": NODE}, Runtime="nodejs20.x"))
    host = f"{api}.execute-api.us-east-1.amazonaws.com"
    for way in ("https", "kept_alive", "fetch", "tls"):
        assert ask(server, api, way) == [host, "https", 0], way
    for way in ("http", "net"):
        assert ask(server, api, way) == [host, "http", 0], way
    assert ask(server, api, "environment") == []


def test_a_function_may_trust_whom_it_likes(server: Server) -> None:
    code = "import os\ndef handler(event, context): return [os.environ['SSL_CERT_FILE'], 'AWS_CA_BUNDLE' in os.environ]"
    own = {"Variables": {"SSL_CERT_FILE": "/var/task/own.pem"}}
    make(server, "own-trust", {"app.py": code}, Runtime="python3.11", Environment=own)
    answer = server.client("lambda").invoke(FunctionName="own-trust")
    assert json.loads(answer["Payload"].read()) == ["/var/task/own.pem", True]


def test_a_custom_runtime_has_the_certificates_and_no_names(server: Server) -> None:
    script = """#!/bin/sh
api=http://$AWS_LAMBDA_RUNTIME_API/2018-06-01/runtime/invocation
while curl -sD $TMPDIR/head -o /dev/null $api/next; do
  id=$(sed -n "s/^Lambda-Runtime-Aws-Request-Id: //p" $TMPDIR/head | tr -d "\\r")
  https=https://localhost:${AWS_ENDPOINT_URL##*:}/_tidegate/health
  curl -so $TMPDIR/out $api/$id/response -d "[\\"$(env | grep -c TIDEGATE)\\", $(curl -sS $https)]"
done
"""
    client = server.client("lambda")
    package = zipped({}, {"bootstrap": script})
    client.create_function(
        FunctionName="custom-outside", Runtime="provided.al2023", Handler="any", Code={"ZipFile": package},
        Role="arn:aws:iam::000000000000:role/r", Timeout=20,
    )  # fmt: skip
    names, health = json.loads(client.invoke(FunctionName="custom-outside")["Payload"].read())
    assert names == "0"
    assert health["status"] == "ok"


def test_the_certificate_is_there_for_everybody(server: Server) -> None:
    pem = server.request("GET", "/_tidegate/ca.pem").body.decode()
    assert (server.data / "trust" / "ca.pem").read_text() == pem
    assert (server.data / "ca" / "ca.key").stat().st_mode & 0o777 == 0o600
    context = ssl.create_default_context(cadata=pem)
    assert context.cert_store_stats()["x509_ca"] == 1
