"""Hostile calls of every operation: the server answers each with AWS's errors, writes no traceback, and lets nobody see
what is another account's or region's.

The calls are made out of botocore's model (`tests.support.hostile`): once from a fixed seed, and from fresh chance.
"""

from __future__ import annotations

import http.client
import random
import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support.hostile import ACCOUNT, OTHER_ACCOUNT, Call, Hostility
from tests.support.patch_paths import AWS
from tests.support.running import ApiBuilder, Server
from tidegate.aws.model import load_service_model
from tidegate.control.apigateway.unsupported import UNSUPPORTED

SERVICE = load_service_model("apigateway")
OPERATIONS = list(SERVICE.operation_names)
ROUNDS = 12
"""Of the fixed seed, each with every operation once."""
CERTIFICATE = f"arn:aws:acm:us-east-1:{ACCOUNT}:certificate/1"
FUNCTION = f"arn:aws:lambda:us-east-1:{ACCOUNT}:function:none"
AUTHORIZER = f"arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/{FUNCTION}/invocations"
EXAMPLES = {"{name}": "method.request.header.A", "{type}": "application~1json", "{path}": "~1a", "{verb}": "GET"}
PATHS = {
    operation: [
        (op, re.sub(r"\{\w+\}", lambda found: EXAMPLES.get(found[0], "x"), path))
        for path, ops in paths.items()
        for op in ops.split()
    ]
    for operation, paths in AWS.items()
}


@pytest.fixture(scope="module")
def attacked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    running = Server(tmp_path_factory.mktemp("attacked")).start()
    yield running
    running.stop()


class Caller:
    """Sends calls over one connection, each held to what every answer must be."""

    def __init__(self, server: Server, account: str = ACCOUNT, region: str = "us-east-1") -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)
        scope = f"{account}/20260101/{region}/apigateway/aws4_request"
        self._authorization = f"AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature=0"

    def send(self, call: Call) -> tuple[int, bytes]:
        head = {**call.headers, "Authorization": self._authorization}
        self._connection.request(call.verb, call.target, body=call.body, headers=head)
        answer = self._connection.getresponse()
        body = answer.read()
        # 501: refused by name. 503: a definition that cannot be stored would be one.
        assert answer.status < 500 or (answer.status == 501 and b"does not support" in body), (
            call,
            answer.status,
            body,
        )
        return answer.status, body

    def close(self) -> None:
        self._connection.close()


def world(server: Server, account: str = ACCOUNT, region: str = "us-east-1") -> dict[str, list[str]]:
    """One of everything; its ids by the names of the members that take them, in lower case."""
    client = server.client("apigateway", key=account, region=region)
    made = client.create_rest_api(name="hostile", tags={"team": "a"})
    api, root = made["id"], made["rootResourceId"]
    builder = ApiBuilder.__new__(ApiBuilder)
    builder.client, builder.id, builder.resources = client, api, {"/": root}
    builder.mock("/a", "GET", "{}", A="'a'")
    builder.mock("/b", "POST")
    validator = client.create_request_validator(restApiId=api, name="v", validateRequestBody=True)["id"]
    authorizer = client.create_authorizer(
        restApiId=api, name="t", type="TOKEN", authorizerUri=AUTHORIZER, identitySource="method.request.header.Auth"
    )["id"]
    schema = '{"type": "object", "properties": {"a": {"type": "string"}}}'
    client.create_model(restApiId=api, name="Pet", contentType="application/json", schema=schema)
    part = client.create_documentation_part(restApiId=api, location={"type": "API"}, properties="{}")["id"]
    client.create_documentation_version(restApiId=api, documentationVersion="1.0")
    client.put_gateway_response(restApiId=api, responseType="DEFAULT_4XX", statusCode="418")
    deployment = client.create_deployment(restApiId=api, stageName="prod")["id"]
    canary = {"percentTraffic": 10.0, "stageVariableOverrides": {"v": "x"}}
    second = client.create_deployment(restApiId=api, stageName="prod", canarySettings=canary)["id"]
    key = client.create_api_key(name="hostile", enabled=True)["id"]
    stages = [{"apiId": api, "stage": "prod", "throttle": {"/a/GET": {"rateLimit": 1.0, "burstLimit": 1}}}]
    quota = {"limit": 10, "period": "DAY"}
    plan = client.create_usage_plan(name="hostile", apiStages=stages, quota=quota)["id"]
    client.create_usage_plan_key(usagePlanId=plan, keyId=key, keyType="API_KEY")
    balancer = f"arn:aws:elasticloadbalancing:{region}:{account}:loadbalancer/net/n/1"
    link = client.create_vpc_link(name="l", targetArns=[balancer])["id"]
    certificate = client.generate_client_certificate()["clientCertificateId"]
    name = f"{api}.example.com"
    client.create_domain_name(domainName=name, certificateArn=CERTIFICATE.replace(ACCOUNT, account))
    client.create_base_path_mapping(domainName=name, basePath="v1", restApiId=api, stage="prod")
    arn = f"arn:aws:apigateway:{region}::"
    return {
        "restapiid": [api],
        "clonefrom": [api],
        "apiid": [api],
        "resourceid": [root, *(builder.resources[path] for path in ("/a", "/b"))],
        "parentid": [root, builder.resources["/a"]],
        "requestvalidatorid": [validator],
        "authorizerid": [authorizer],
        "modelname": ["Pet", "Empty", "Error"],
        "documentationpartid": [part],
        "documentationversion": ["1.0"],
        "deploymentid": [deployment, second],
        "stagename": ["prod"],
        "stage": ["prod"],
        "apikey": [key],
        "keyid": [key],
        "usageplanid": [plan],
        "vpclinkid": [link],
        "connectionid": [link],
        "clientcertificateid": [certificate],
        "domainname": [name],
        "resourcearn": [f"{arn}/restapis/{api}", f"{arn}/restapis/{api}/stages/prod", f"{arn}/usageplans/{plan}"],
        "stages": [f"{api}/prod"],
        "apistages": [f"{api}:prod"],
    }


def tracebacks(server: Server) -> list[str]:
    return [line for line in server.messages if "Traceback" in line or " failed" in line or "ERROR" in line]


def test_every_operation_from_a_fixed_seed(attacked: Server) -> None:
    chance, caller = random.Random(4711), Caller(attacked)
    answered: dict[str, set[int]] = {}
    for number in range(ROUNDS):
        if number % 3 == 0:
            hostility = Hostility(chance, world(attacked), PATHS)
        order = sorted(OPERATIONS, key=lambda name: (name.startswith("Delete"), chance.random()))
        for name in order:
            # A world that loses everything at once has nothing left to attack.
            if name.startswith("Delete") and number != ROUNDS - 1 and chance.random() < 0.7:
                continue
            status, _ = caller.send(hostility.call(SERVICE.operation_model(name)))
            answered.setdefault(name, set()).add(status)
    caller.close()
    assert set(answered) == set(OPERATIONS)
    assert sum(any(status < 300 for status in statuses) for statuses in answered.values()) > 80
    assert tracebacks(attacked) == []


# --- who sees what ----------------------------------------------------------------------------------------------------


def reads(server: Server, ids: dict[str, list[str]]) -> dict[str, tuple[int, bytes]]:
    """What every reading operation answers the owner of a world."""
    caller = Caller(server)
    found = {}
    for name in OPERATIONS:
        model = SERVICE.operation_model(name)
        if model.http["method"] == "GET":
            call = Hostility(random.Random(1), ids, wrong=0).call(model)
            found[name] = caller.send(call)
    caller.close()
    return found


@pytest.mark.parametrize(("account", "region"), [(OTHER_ACCOUNT, "us-east-1"), (ACCOUNT, "eu-west-1")])
def test_nobody_sees_or_changes_what_is_anothers(attacked: Server, account: str, region: str) -> None:
    made = world(attacked)
    ids = {**made, "resourceid": made["resourceid"][1:2], **EXACTLY}
    before = reads(attacked, ids)
    assert {name for name, (status, _) in before.items() if status != 200} == set(UNSUPPORTED)
    secrets = {text for name in IDENTIFIERS for text in ids[name]}
    chance, caller = random.Random(7), Caller(attacked, account, region)
    for _ in range(6):
        for name in OPERATIONS:
            call = Hostility(chance, ids, PATHS, wrong=0).call(SERVICE.operation_model(name))
            # Not the form with links: those repeat what was asked for.
            status, body = caller.send(replace(call, headers={**call.headers, "Accept": "application/json"}))
            if status < 300:
                assert not [text for text in secrets if text in body.decode()], (name, body)
    caller.close()
    assert reads(attacked, ids) == before


EXACTLY = {
    "httpmethod": ["GET"],
    "statuscode": ["200"],
    "basepath": ["v1"],
    "responsetype": ["DEFAULT_4XX"],
    "startdate": ["2026-01-01"],
    "enddate": ["2026-01-02"],
    "position": [""],
}
IDENTIFIERS = (
    "restapiid resourceid requestvalidatorid authorizerid documentationpartid deploymentid keyid usageplanid vpclinkid "
    "clientcertificateid"
).split()


@settings(max_examples=60, deadline=None, database=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seeds=st.lists(st.integers(0, 2**32), min_size=4, max_size=12))
def test_every_operation_from_fresh_chance(attacked: Server, hostility: dict[str, Any], seeds: list[int]) -> None:
    for seed in seeds:
        chance = random.Random(seed)
        operation = SERVICE.operation_model(chance.choice(OPERATIONS))
        hostility["caller"].send(Hostility(chance, hostility["ids"], PATHS, wrong=0.3).call(operation))
    assert tracebacks(attacked) == []


@pytest.fixture(scope="module")
def hostility(attacked: Server) -> Iterator[dict[str, Any]]:
    caller = Caller(attacked)
    yield {"caller": caller, "ids": world(attacked)}
    caller.close()
