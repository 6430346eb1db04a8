"""Who signs calls of services with `aws_credentials = chain`: botocore's chain, and roles assumed at the neighbours' STS."""

from __future__ import annotations

import json
import re
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import parse_qs

import pytest

from tests.support.backend import Backend, Received
from tests.support.callers import Keys, allow, make_user, trust
from tests.support.running import Answer, ApiBuilder, Server

ROLE = "arn:aws:iam::000000000000:role/integration"
MACHINE = {"StartAt": "S", "States": {"S": {"Type": "Pass", "End": True}}}


@pytest.fixture(scope="module")
def neighbours(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    running = Server(tmp_path_factory.mktemp("neighbours")).start()
    yield running
    running.stop()


@pytest.fixture(scope="module")
def sts(neighbours: Server) -> Iterator[Backend]:
    """The neighbours' STS, through somebody who notes who asks for which role."""

    def pass_on(received: Received) -> tuple[int, list[tuple[str, str]], bytes]:
        headers = {name: value for name, value in received.headers if name.lower() not in ("host", "content-length")}
        request = urllib.request.Request(neighbours.url + received.target, received.body, headers)
        with urllib.request.urlopen(request) as answer:
            return answer.status, [("Content-Type", answer.headers["Content-Type"])], answer.read()

    running = Backend(answer=pass_on).start()
    yield running
    running.stop()


@pytest.fixture(scope="module")
def gateway(neighbours: Server) -> Keys:
    """The gateway's own user, and the roles that trust it."""
    keys = make_user(neighbours.client("iam"), "gateway", allow("sts:AssumeRole"))
    user = trust("arn:aws:iam::000000000000:user/gateway")
    for account, roles in (("000000000000", ("integration", "kept")), ("111111111111", ("of-one",))):
        iam = neighbours.client("iam", key=account)
        for role in roles:
            iam.create_role(RoleName=role, AssumeRolePolicyDocument=user)
    elsewhere = trust("arn:aws:iam::000000000000:role/integration")
    neighbours.client("iam").create_role(RoleName="forbidden", AssumeRolePolicyDocument=elsewhere)
    return keys


@pytest.fixture(scope="module")
def queue() -> Iterator[Backend]:
    """Where SQS is: tells what it was sent."""
    running = Backend().start()
    yield running
    running.stop()


@pytest.fixture(scope="module")
def chained(
    tmp_path_factory: pytest.TempPathFactory, neighbours: Server, sts: Backend, queue: Backend, gateway: Keys
) -> Iterator[Server]:
    environment = {
        "TIDEGATE_AWS_CREDENTIALS": "chain",
        "AWS_ENDPOINT_URL": neighbours.url,
        "AWS_ENDPOINT_URL_STS": sts.url,
        "AWS_ENDPOINT_URL_SQS": queue.url,
        "AWS_ACCESS_KEY_ID": gateway["AccessKeyId"],
        "AWS_SECRET_ACCESS_KEY": gateway["SecretAccessKey"],
    }
    running = Server(tmp_path_factory.mktemp("chained"), environment=environment).start()
    yield running
    running.stop()


def direct(server: Server, uri: str, credentials: str | None, **more: object) -> ApiBuilder:
    """An API whose `POST /x` calls a service."""
    api = ApiBuilder(server)
    integration = {"type": "AWS", "integrationHttpMethod": "POST", "uri": f"arn:aws:apigateway:us-east-1:{uri}", **more}
    if credentials is not None:
        integration["credentials"] = credentials
    return api.method("/x", "POST", integration).answers("/x", "POST", {"200": {}})


def call(server: Server, api: ApiBuilder | str, stage: str = "prod", body: bytes = b"{}") -> Answer:
    id_ = api if isinstance(api, str) else api.id
    headers = {"Content-Type": "application/json"}
    return server.call(id_, f"/{stage}/x", method="POST", body=body, headers=headers)


def signed_by(received: Received) -> str:
    found = re.match(
        r"AWS4-HMAC-SHA256 Credential=(\w+)/\d{8}/us-east-1/sqs/aws4_request", received.header("Authorization") or ""
    )
    assert found is not None
    return found[1]


def asked(sts: Backend) -> list[tuple[str, str]]:
    """Role and session of every AssumeRole."""
    forms = [parse_qs(received.body.decode()) for received in sts.received]
    return [(form["RoleArn"][0], form["RoleSessionName"][0]) for form in forms if form["Action"] == ["AssumeRole"]]


def test_without_a_role_the_gateways_own_keys_sign(
    chained: Server, queue: Backend, sts: Backend, gateway: Keys
) -> None:
    api = direct(chained, "sqs:path/000000000000/q", None)
    api.deploy()
    assert call(chained, api).status == 200
    got = queue.received[-1]
    assert signed_by(got) == gateway["AccessKeyId"]
    assert got.header("X-Amz-Security-Token") is None
    assert asked(sts) == []


def test_a_role_is_assumed_once_however_many_wait(chained: Server, queue: Backend, sts: Backend) -> None:
    api = direct(chained, "sqs:path/000000000000/q", ROLE)
    api.deploy()
    sts.received.clear()
    with ThreadPoolExecutor(5) as pool:
        assert {answer.status for answer in pool.map(lambda _: call(chained, api), range(5))} == {200}
    assert asked(sts) == [(ROLE, "BackplaneAssumeRoleSession")]
    seen = {(signed_by(got), got.header("X-Amz-Security-Token")) for got in queue.received[-5:]}
    ((key, token),) = seen
    assert key.startswith("ASIA") and token


def test_a_stage_variable_names_the_account_of_the_role(chained: Server, sts: Backend) -> None:
    api = direct(
        chained, "sqs:path/000000000000/q", "arn:aws:iam::${stageVariables.account}:role/${stageVariables.role}"
    )
    api.deploy("one", variables={"account": "111111111111", "role": "of-one"})
    api.deploy("none")
    api.deploy("wrong", variables={"account": "11", "role": "r"})
    sts.received.clear()
    assert call(chained, api, "one").status == 200
    assert asked(sts) == [("arn:aws:iam::111111111111:role/of-one", "BackplaneAssumeRoleSession")]
    assert call(chained, api, "none").status == 500
    assert call(chained, api, "wrong").status == 500


def test_a_role_that_may_not_be_assumed(chained: Server, neighbours: Server) -> None:
    api = direct(chained, "sqs:path/000000000000/q", "arn:aws:iam::000000000000:role/forbidden")
    api.deploy()
    answer = call(chained, api)
    assert (answer.status, answer.body) == (500, b'{"message": "Internal server error"}')
    chained.wait_for("no credentials for arn:aws:iam::000000000000:role/forbidden")
    # What failed is not held.
    user = trust("arn:aws:iam::000000000000:user/gateway")
    neighbours.client("iam").update_assume_role_policy(RoleName="forbidden", PolicyDocument=user)
    assert call(chained, api).status == 200
    missing = direct(chained, "sqs:path/000000000000/q", "arn:aws:iam::000000000000:role/missing")
    missing.deploy()
    assert call(chained, missing).status == 500


def test_an_execution_is_started(chained: Server, neighbours: Server) -> None:
    states = neighbours.client("stepfunctions")
    made = states.create_state_machine(
        name="machine", definition=json.dumps(MACHINE), roleArn="arn:aws:iam::000000000000:role/states"
    )
    template = (
        '{"input": "$util.escapeJavaScript($input.json(\'$\')).replaceAll("\\\\\'","\'")",'
        f'"name": "$input.path(\'$.id\')", "stateMachineArn": "{made["stateMachineArn"]}"' + "}"
    )
    api = ApiBuilder(chained)
    integration = {
        "type": "AWS",
        "integrationHttpMethod": "POST",
        "uri": "arn:aws:apigateway:us-east-1:states:action/StartExecution",
        "credentials": ROLE,
        "requestTemplates": {"application/json": template},
    }
    answers = {
        "200": {"responseTemplates": {"application/json": '{"arn":$input.json("$.executionArn")}'}},
        "400": {"selectionPattern": "4\\d\\d", "responseTemplates": {"application/json": '$input.json("$.__type")'}},
    }
    api.method("/x", "POST", integration).answers("/x", "POST", answers)
    api.deploy()
    given = {"id": "one", "text": 'say "it\'s" \\ / ü\n', "list": [1, {"a": None}]}
    answer = call(chained, api, body=json.dumps(given).encode())
    assert answer.status == 200
    execution = states.describe_execution(executionArn=answer.json["arn"])
    assert (execution["name"], json.loads(execution["input"])) == ("one", given)
    again = call(chained, api, body=b'{"id": "one", "text": "other"}')
    assert (again.status, again.json) == (400, "ExecutionAlreadyExists")


def test_a_role_is_assumed_again_before_its_keys_expire(chained: Server, sts: Backend) -> None:
    api = direct(chained, "sqs:path/000000000000/q", "arn:aws:iam::000000000000:role/kept")
    api.deploy()
    sts.received.clear()
    for advance, calls in ((0, 1), (3200, 1), (200, 2)):
        chained.request("POST", "/_tidegate/clock", body=json.dumps({"advance": advance}).encode())
        assert call(chained, api).status == 200
        assert len(asked(sts)) == calls, "an hour, less five minutes"
