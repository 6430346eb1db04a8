"""What access control costs a request: the same MOCK method open, signed, and behind authorizers and API keys, in turn.

`python -m bench.access [--rounds N] [--seconds N] [--out FILE]`. One server on its own core, wrk on the others; a figure is CPU
time of the server per request. Policies by themselves are timed in this process: one statement beside ten thousand.
"""

import argparse
import contextlib
import http.server
import io
import json
import os
import statistics
import sys
import tempfile
import threading
import time
import zipfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import jwt
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from cryptography.hazmat.primitives.asymmetric import rsa

from bench import cpu, load, machine
from bench.contestants import tidegate
from bench.processes import Child, free_port, stop, wait_for_line
from tidegate.aws.policy import Principal, Request, compile_policy
from tidegate.aws.policy.api_gateway import INVOKE

HERE = Path(__file__).resolve().parent
POOL = "us-east-1_bench"
_CONNECTIONS = 64
_AUTHORIZER = """
def handler(event, context):
    statement = {"Effect": "Allow", "Action": "execute-api:Invoke", "Resource": event["methodArn"].split("/")[0] + "/*"}
    return {"principalId": "p", "policyDocument": {"Version": "2012-10-17", "Statement": [statement]}}
"""
_ROLE = "arn:aws:iam::000000000000:role/r"


@dataclass(frozen=True)
class Case:
    """One method, and what a client sends to it."""

    name: str
    target: float | None
    """Microseconds more than an open method that are allowed."""
    method: Mapping[str, Any]
    headers: Callable[[str], Mapping[str, str]]
    """Of the URL."""


class Cost(NamedTuple):
    """Microseconds of CPU time per request."""

    user: float
    kernel: float

    @property
    def all(self) -> float:
        return self.user + self.kernel


Figures = dict[str, tuple[float | None, list[Cost]]]
"""By case: what is allowed, and the cost in each round."""


@contextlib.contextmanager
def issuer() -> Iterator[tuple[rsa.RSAPrivateKey, int]]:
    """A user pool's key, and the port on which its public half is served."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    public = json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(key.public_key())) | {
        "kid": "k",
        "alg": "RS256",
        "use": "sig",
    }
    body = json.dumps({"keys": [public]}).encode()

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield key, server.server_address[1]
    finally:
        server.shutdown()


def token(key: rsa.RSAPrivateKey) -> str:
    now = int(time.time())
    claims = {
        "iss": f"https://cognito-idp.us-east-1.amazonaws.com/{POOL}",
        "sub": "1",
        "aud": "client",
        "token_use": "id",
        "exp": now + 3600,
        "iat": now,
        "email": "a@example.com",
        "cognito:username": "a",
    }
    return jwt.encode(claims, key, algorithm="RS256", headers={"kid": "k"})


def signed(url: str, host: str) -> dict[str, str]:
    request = AWSRequest("GET", url, headers={"Host": host})
    SigV4Auth(Credentials("test", "test"), "execute-api", "us-east-1").add_auth(request)
    return dict(request.headers.items())


class Api:
    """One API with a method for each case."""

    def __init__(self, port: int) -> None:
        self.port = port
        self._gateway = tidegate.client("apigateway", port)
        self.id: str = self._gateway.create_rest_api(name="access")["id"]
        self._root = self._gateway.get_resources(restApiId=self.id)["items"][0]["id"]
        self.host = f"{self.id}.execute-api.us-east-1.amazonaws.com"

    def authorizer(self, name: str, **options: Any) -> str:
        return str(self._gateway.create_authorizer(restApiId=self.id, name=name, **options)["id"])

    def method(self, name: str, options: Mapping[str, Any]) -> None:
        made = self._gateway.create_resource(restApiId=self.id, parentId=self._root, pathPart=name)["id"]
        at = {"restApiId": self.id, "resourceId": made, "httpMethod": "GET"}
        self._gateway.put_method(**at, **{"authorizationType": "NONE", **options})
        template = {"application/json": '{"statusCode": 200}'}
        self._gateway.put_integration(**at, type="MOCK", requestTemplates=template)
        self._gateway.put_method_response(**at, statusCode="200")
        self._gateway.put_integration_response(**at, statusCode="200", responseTemplates={"application/json": "{}"})

    def deploy(self) -> str:
        """Also a usage plan; returns a key of it."""
        self._gateway.create_deployment(restApiId=self.id, stageName="bench")
        plan = self._gateway.create_usage_plan(name="bench", apiStages=[{"apiId": self.id, "stage": "bench"}])["id"]
        key = self._gateway.create_api_key(name="bench", enabled=True, value="benchmark-key-of-twenty-and-more")
        self._gateway.create_usage_plan_key(usagePlanId=plan, keyId=key["id"], keyType="API_KEY")
        return str(key["value"])

    def url(self, name: str) -> str:
        return f"http://127.0.0.1:{self.port}/bench/{name}"


def build(port: int, key: rsa.RSAPrivateKey) -> tuple[Api, list[Case]]:
    api = Api(port)
    functions = tidegate.client("lambda", port)
    arn = functions.create_function(
        FunctionName="authorizer",
        Runtime="python3.11",
        Handler="app.handler",
        Role=_ROLE,
        Code={"ZipFile": zipped("app.py", _AUTHORIZER)},
    )["FunctionArn"]
    functions.add_permission(
        FunctionName="authorizer", StatementId="s", Action="lambda:InvokeFunction", Principal="apigateway.amazonaws.com"
    )
    uri = f"arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/{arn}/invocations"
    source = "method.request.header.Token"
    pool = [f"arn:aws:cognito-idp:us-east-1:000000000000:userpool/{POOL}"]
    asked = api.authorizer("asked", type="TOKEN", authorizerUri=uri, identitySource=source)
    kept = api.authorizer("kept", type="COGNITO_USER_POOLS", providerARNs=pool, identitySource=source)
    fresh = {"type": "COGNITO_USER_POOLS", "providerARNs": pool, "identitySource": source}
    each = api.authorizer("each", **fresh, authorizerResultTtlInSeconds=0)
    bearer = token(key)
    pools = "COGNITO_USER_POOLS"
    cases = [
        Case("open", None, {}, lambda _: {}),
        Case("signed", 60, {"authorizationType": "AWS_IAM"}, lambda url: signed(url, api.host)),
        Case("authorizer", 15, {"authorizationType": "CUSTOM", "authorizerId": asked}, lambda _: {"Token": "one"}),
        Case("token", 15, {"authorizationType": pools, "authorizerId": kept}, lambda _: {"Token": bearer}),
        Case("verified", 300, {"authorizationType": pools, "authorizerId": each}, lambda _: {"Token": bearer}),
        Case("key", None, {"apiKeyRequired": True}, lambda _: {"x-api-key": "benchmark-key-of-twenty-and-more"}),
    ]
    for case in cases:
        api.method(case.name, case.method)
    api.deploy()
    return api, cases


def zipped(name: str, text: str) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr(name, text)
    return buffer.getvalue()


def measure(api: Api, child: Child, case: Case, seconds: int, cores: Sequence[int]) -> Cost:
    """What the server needs for a request. Raises LoadError when any was refused."""
    url = api.url(case.name)
    headers = {"Host": api.host, **case.headers(url)}
    load.run(url, headers, seconds=1, connections=_CONNECTIONS, threads=1, cores=cores)
    user, kernel = _times(child.pid)
    done = load.run(url, headers, seconds=seconds, connections=_CONNECTIONS, threads=1, cores=cores)
    if done.errors:
        raise load.LoadError(f"{case.name}: {done.errors} of {done.requests} requests failed")
    later_user, later_kernel = _times(child.pid)
    return Cost((later_user - user) / done.requests * 1e6, (later_kernel - kernel) / done.requests * 1e6)


def _times(pid: int) -> tuple[float, float]:
    """CPU seconds of a process, in its own code and in the kernel's."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return int(fields[11]) / cpu.TICKS_PER_SECOND, int(fields[12]) / cpu.TICKS_PER_SECOND


def policies() -> list[tuple[int, float]]:
    """Statements of a policy, and microseconds to decide about a request that one of them concerns."""
    asked = "arn:aws:execute-api:us-east-1:000000000000:api/prod/GET/pets"
    found = []
    for size in (1, 10_000):
        statements = [
            {
                "Effect": "Allow",
                "Action": INVOKE,
                "Resource": f"arn:aws:execute-api:us-east-1:000000000000:api{n}/prod/*",
            }
            for n in range(size - 1)
        ]
        statements.append({"Effect": "Allow", "Action": INVOKE, "Resource": asked})
        policy = compile_policy({"Version": "2012-10-17", "Statement": statements}, source_name="bench")
        times = []
        for _ in range(2000):
            request = Request(INVOKE, asked, Principal.root("000000000000"), {})
            begun = time.perf_counter_ns()
            assert policy.denial(request) is None and policy.allowance(request)[1] is not None
            times.append((time.perf_counter_ns() - begun) / 1000)
        found.append((size, statistics.median(times)))
    return found


def run(place: Path, rounds: int, seconds: int) -> Figures:
    """Every case in turn."""
    core, others = machine.split_cores()
    os.sched_setaffinity(0, others)
    with issuer() as (key, issuer_port):
        port = free_port()
        settings = {"AWS_ENDPOINT_URL_COGNITO_IDENTITY_PROVIDER": f"http://127.0.0.1:{issuer_port}"}
        child = tidegate.launch(place, port, (core,), settings)
        try:
            wait_for_line(child, "Ready.")
            api, cases = build(port, key)
            figures: Figures = {case.name: (case.target, []) for case in cases}
            for number in range(rounds):
                for case in cases:
                    figures[case.name][1].append(measure(api, child, case, seconds, others))
                print(
                    f"round {number + 1}: " + ", ".join(f"{n} {v[-1].all:.1f}" for n, (_, v) in figures.items()),
                    flush=True,
                )
        finally:
            stop(child)
    return figures


_TITLES = {
    "open": "authorization NONE",
    "signed": "AWS_IAM: Signature Version 4 verified, policies asked",
    "authorizer": "Lambda authorizer, its answer kept",
    "token": "user pool, the token's verification kept",
    "verified": "user pool, the token verified each time (RS256)",
    "key": "API key of a usage plan",
}


def report(figures: Figures, command: str, conditions: machine.Machine) -> str:
    """Extras are medians of each round's difference to the open method of the same round."""
    base = figures["open"][1]
    lines = [
        "# What access control costs",
        "",
        f"Measured {conditions.date} by `{command}` on {conditions.processor}, {conditions.cores} cores, Linux "
        f"{conditions.kernel}: a MOCK method of one server on one core, wrk with {_CONNECTIONS} connections. Microseconds of the "
        "server's CPU time per request, medians of the rounds; every request was answered 200. Guards make no system calls: what "
        "they cost is time in the server's own code. The kernel's time is told apart because it does not depend on them alone: "
        "the slower the server, the more often each answer has to wake the client, who then has nothing else to do.",
        "",
        "| method | own code | kernel | own code, more than open | all, more than open | target |",
        "| --- | ---: | ---: | ---: | ---: | ---: |",
    ]
    for name, (target, costs) in figures.items():
        own = statistics.median(cost.user - other.user for cost, other in zip(costs, base, strict=True))
        extra = statistics.median(cost.all - other.all for cost, other in zip(costs, base, strict=True))
        user, kernel = (statistics.median(part) for part in zip(*costs, strict=True))
        allowed = "" if target is None else f"≤ {target:g}"
        lines.append(f"| {_TITLES[name]} | {user:.1f} | {kernel:.1f} | {own:+.1f} | {extra:+.1f} | {allowed} |")
    lines += ["", "A policy's decision about a request that one of its statements concerns:", ""]
    lines += [f"- {size:,} statements: {microseconds:.2f} µs" for size, microseconds in policies()]
    return "\n".join([*lines, ""])


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.access", description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=3)
    parser.add_argument("--out", type=Path, default=HERE / "ACCESS.md")
    options = parser.parse_args(arguments)
    if trouble := load.missing():
        print(f"bench: {trouble}", file=sys.stderr)
        return 2
    conditions = machine.look()
    with tempfile.TemporaryDirectory() as directory:
        figures = run(Path(directory), options.rounds, options.seconds)
    text = report(figures, " ".join(["python -m bench.access", *arguments]), conditions)
    options.out.write_text(text)
    print(text)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
