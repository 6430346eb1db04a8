"""`--iam off`, `soft` and `enforce`, from the command line to boto3, the aws CLI, curl, functions and hostile callers."""

from __future__ import annotations

import hashlib
import io
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import boto3
import pytest
from click.testing import CliRunner

from tests.control.test_iam import fails
from tests.support.callers import Keys, allow, client, deny, document, invoke, make_user, send, signed, trust
from tests.support.running import Answer, Server, zip_of
from tidegate.cli import main

ACCOUNT = "000000000000"
LOCAL = {"AccessKeyId": "test", "SecretAccessKey": "test"}
EMPTY = hashlib.sha256(b"").hexdigest()
INVALID = "The security token included in the request is invalid."


def tidegate(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "tidegate.cli", *arguments],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, **environment},
    )


def bootstrap(data: Path, *more: str) -> Keys:
    """In this process: a command's start takes longer than its work."""
    done = CliRunner().invoke(main, ["iam", "bootstrap", "--data", str(data), *more])
    assert done.exit_code == 0, done.output
    found = dict(line.split("=", 1) for line in done.output.splitlines())
    return {"AccessKeyId": found["AWS_ACCESS_KEY_ID"], "SecretAccessKey": found["AWS_SECRET_ACCESS_KEY"]}


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("enforced")


@pytest.fixture(scope="module")
def administrator(data: Path) -> Keys:
    return bootstrap(data)


@pytest.fixture(scope="module")
def enforced(data: Path, administrator: Keys) -> Iterator[Server]:
    server = Server(data, ("--iam", "enforce")).start()
    yield server
    server.stop()


@pytest.fixture(scope="module")
def iam(enforced: Server, administrator: Keys) -> Any:
    return client(enforced, "iam", administrator)


def environment(server: Server, keys: Keys) -> dict[str, str]:
    return {
        "AWS_ACCESS_KEY_ID": keys["AccessKeyId"],
        "AWS_SECRET_ACCESS_KEY": keys["SecretAccessKey"],
        "AWS_ENDPOINT_URL": server.url,
        "AWS_DEFAULT_REGION": "us-east-1",
        "TIDEGATE_ENDPOINT": server.url,
    }


def test_other_hosts_need_an_answer() -> None:
    refused = tidegate("start", "--host", "0.0.0.0", "--port", "0")
    assert refused.returncode == 1
    assert "start it with --iam enforce" in refused.stderr
    assert "--iam off" in refused.stderr
    assert tidegate("start", TIDEGATE_IAM="strict").stderr.startswith("Error: iam strict is none of")


def test_the_log_says_that_nobody_is_asked(server: Server) -> None:
    assert any("--iam off: any credentials are taken" in line for line in server.messages)


def test_bootstrap_works_on_its_own_only(enforced: Server, data: Path, tmp_path: Path) -> None:
    running = tidegate("iam", "bootstrap", "--data", str(data), "--user", "second")
    assert running.returncode == 1
    assert f"a server works on {data}" in running.stderr
    assert "--data DIRECTORY" in CliRunner().invoke(main, ["iam", "bootstrap"]).output
    bootstrap(tmp_path, "--user", "boss")
    again = CliRunner().invoke(main, ["iam", "bootstrap", "--data", str(tmp_path), "--user", "boss"])
    assert (again.exit_code, again.output) == (1, "Error: User with name boss already exists.\n")


def test_the_secret_key_is_the_operators_or_the_directorys(tmp_path: Path) -> None:
    bootstrap(tmp_path)
    (tmp_path / "secret.key").write_text("AAAA")
    refused = tidegate("start", "--port", "0", "--data", str(tmp_path))
    assert refused.returncode == 1
    assert "secret.key has 3 bytes in place of 32" in refused.stderr


def test_local_credentials_are_nobodys(enforced: Server) -> None:
    for service, call, code, status in (
        ("iam", "list_users", "InvalidClientTokenId", 403),
        ("sts", "get_caller_identity", "InvalidClientTokenId", 403),
        ("apigateway", "get_rest_apis", "UnrecognizedClientException", 403),
        ("lambda", "list_functions", "UnrecognizedClientException", 403),
        ("logs", "describe_log_groups", "UnrecognizedClientException", 400),
        ("dynamodb", "list_tables", "UnrecognizedClientException", 400),
    ):
        for key in ("test", ACCOUNT):
            assert fails(getattr(enforced.client(service, key=key), call)) == (code, status, INVALID)
    unsigned = enforced.request("GET", "/restapis")
    assert (unsigned.status, unsigned.json) == (403, {"message": "Missing Authentication Token"})


def test_local_credentials_invoke_nothing(enforced: Server, iam: Any, administrator: Keys) -> None:
    apis = client(enforced, "apigateway", administrator)
    api = apis.create_rest_api(name="signed")
    at = {"restApiId": api["id"], "resourceId": api["rootResourceId"], "httpMethod": "GET"}
    apis.put_method(**at, authorizationType="AWS_IAM")
    apis.put_integration(**at, type="MOCK", requestTemplates={"application/json": '{"statusCode": 200}'})
    apis.put_method_response(**at, statusCode="200")
    apis.put_integration_response(**at, statusCode="200")
    apis.create_deployment(restApiId=api["id"], stageName="prod")
    keys = make_user(iam, "invoking", allow("execute-api:Invoke"))

    def call(keys: Keys, **options: Any) -> tuple[int, str | None]:
        answer = invoke(enforced, api["id"], "/prod/", keys, **options)
        return answer.status, answer.header("x-amzn-ErrorType")

    assert call(keys) == (200, None)
    for local in (LOCAL, {**LOCAL, "AccessKeyId": ACCOUNT}):
        assert call(local) == (403, "UnrecognizedClientException")
    assert call(keys, at=datetime.now(UTC) - timedelta(minutes=16)) == (403, "InvalidSignatureException")
    assert call(keys, service="apigateway") == (403, "InvalidSignatureException")
    assert call({**keys, "SecretAccessKey": "x"}) == (403, "InvalidSignatureException")


def test_what_is_not_allowed_is_refused(enforced: Server, iam: Any) -> None:
    keys = make_user(iam, "nobody")
    user = f"User: arn:aws:iam::{ACCOUNT}:user/nobody is not authorized to perform"
    denied = fails(client(enforced, "iam", keys).list_users)
    assert denied == (
        "AccessDenied",
        403,
        f"{user}: iam:ListUsers on resource: arn:aws:iam::{ACCOUNT}:user/ because no identity-based policy allows the "
        "iam:ListUsers action",
    )
    denied = fails(client(enforced, "apigateway", keys).get_rest_apis)
    assert denied == (
        "AccessDeniedException",
        403,
        f"{user}: apigateway:GET on resource: arn:aws:apigateway:us-east-1::/restapis because no identity-based policy "
        "allows the apigateway:GET action",
    )
    assert fails(client(enforced, "lambda", keys).list_functions)[:2] == ("AccessDeniedException", 403)
    assert fails(client(enforced, "logs", keys).describe_log_groups)[:2] == ("AccessDeniedException", 400)
    # AWS: who one is needs no permission, not even one that is not denied.
    iam.put_user_policy(UserName="nobody", PolicyName="p", PolicyDocument=document(deny("*")))
    assert client(enforced, "sts", keys).get_caller_identity()["Arn"].endswith("user/nobody")
    assert fails(client(enforced, "lambda", keys).list_functions)[2].endswith(
        " with an explicit deny in an identity-based policy"
    )


def test_paths_of_the_management_api_are_resources(enforced: Server, iam: Any, administrator: Keys) -> None:
    apis = client(enforced, "apigateway", administrator)
    mine, other = (apis.create_rest_api(name=name)["id"] for name in ("mine", "other"))
    own = f"arn:aws:apigateway:us-east-1::/restapis/{mine}"
    keys = make_user(
        iam,
        "owner",
        allow("apigateway:*", resource=[own, f"{own}/*"]),
        deny("apigateway:DELETE", resource=f"{own}/stages/*"),
    )
    owned = client(enforced, "apigateway", keys)
    root = owned.get_resources(restApiId=mine)["items"][0]["id"]
    owned.put_method(restApiId=mine, resourceId=root, httpMethod="GET", authorizationType="NONE")
    integration = {"restApiId": mine, "resourceId": root, "httpMethod": "GET", "type": "MOCK"}
    owned.put_integration(**integration)
    owned.create_deployment(restApiId=mine, stageName="s")
    for call in (
        lambda: owned.get_rest_apis(),
        lambda: owned.get_rest_api(restApiId=other),
        lambda: owned.delete_stage(restApiId=mine, stageName="s"),
    ):
        assert fails(call)[0] == "AccessDeniedException"
    # The path counts as it is understood, however it is written.
    spelt = f"/restapis/{mine}/%73tages/s/"
    answer = send(
        enforced,
        signed(enforced, f"127.0.0.1:{enforced.port}", spelt, keys, service="apigateway", method="DELETE"),
        spelt,
    )
    assert (answer.status, answer.header("x-amzn-ErrorType")) == (403, "AccessDeniedException")
    # Whoever names a role has to be allowed to pass it.
    role = iam.create_role(RoleName="pass", AssumeRolePolicyDocument=trust(service="apigateway.amazonaws.com"))["Role"]
    aws = {
        **integration,
        "type": "AWS",
        "integrationHttpMethod": "POST",
        "uri": "arn:aws:apigateway:us-east-1:dynamodb:action/ListTables",
        "credentials": role["Arn"],
    }
    spelt_role = role["Arn"].replace(ACCOUNT, "${AWS::AccountId}")
    body = json.dumps({"openapi": "3.0.1", "info": {"title": "x", "version": "1"}, "paths": {"/": {"get": {
        "x-amazon-apigateway-integration": {"type": "aws", "httpMethod": "POST", "uri": aws["uri"],
                                            "credentials": spelt_role}}}}})  # fmt: skip
    for call in (
        lambda: owned.put_integration(**aws),
        lambda: owned.put_rest_api(restApiId=mine, body=body.replace("role/", "role\\/")),
    ):
        code, _, message = fails(call)
        assert code == "AccessDeniedException"
        assert f"iam:PassRole on resource: {role['Arn']}" in message
    passing = {"StringEquals": {"iam:PassedToService": "apigateway.amazonaws.com"}}
    more = document(allow("iam:PassRole", resource=role["Arn"], Condition=passing))
    iam.put_user_policy(UserName="owner", PolicyName="pass", PolicyDocument=more)
    owned.put_integration(**aws)


def test_nobody_gives_rights_away_that_a_condition_keeps(enforced: Server, iam: Any) -> None:
    only = {"ArnEquals": {"iam:PolicyARN": "arn:aws:iam::aws:policy/AmazonAPIGatewayInvokeFullAccess"}}
    keys = make_user(iam, "helper", allow("iam:AttachUserPolicy", Condition=only))
    iam.create_user(UserName="helped")
    helper = client(enforced, "iam", keys)
    helper.attach_user_policy(UserName="helped", PolicyArn=only["ArnEquals"]["iam:PolicyARN"])
    escalation = fails(
        lambda: helper.attach_user_policy(UserName="helper", PolicyArn="arn:aws:iam::aws:policy/AdministratorAccess")
    )
    assert escalation[0] == "AccessDenied"
    # Whoever may make users within a boundary makes none beyond it, and gives none that lacks it more.
    limit = iam.create_policy(
        PolicyName="limit", PolicyDocument=document(allow("s3:*")), Tags=[{"Key": "of", "Value": "us"}]
    )
    within = limit["Policy"]["Arn"]
    bounded = {"StringEquals": {"iam:PermissionsBoundary": within}}
    delegate = client(
        enforced,
        "iam",
        make_user(
            iam,
            "delegate",
            allow("iam:CreateUser", "iam:PutUserPolicy", Condition=bounded),
            allow("iam:GetPolicy", "iam:DeletePolicy"),
            deny("iam:DeletePolicy", Condition={"StringEquals": {"aws:ResourceTag/of": "us"}}),
        ),
    )
    delegate.create_user(UserName="small", PermissionsBoundary=within)
    delegate.put_user_policy(UserName="small", PolicyName="p", PolicyDocument=document(allow("*")))
    assert fails(lambda: delegate.create_user(UserName="large"))[0] == "AccessDenied"
    for name in ("helped", "delegate"):
        given = {"UserName": name, "PolicyName": "p", "PolicyDocument": document(allow("*"))}
        assert fails(lambda named=given: delegate.put_user_policy(**named))[0] == "AccessDenied"
    delegate.get_policy(PolicyArn=within)
    assert fails(lambda: delegate.delete_policy(PolicyArn=within))[2].endswith(
        " explicit deny in an identity-based policy"
    )
    # A new name is a resource as well as the old one.
    renamer = make_user(iam, "renamer", allow("iam:UpdateUser", resource=f"arn:aws:iam::{ACCOUNT}:user/renamer"))
    away = fails(lambda: client(enforced, "iam", renamer).update_user(UserName="renamer", NewUserName="admin2"))
    assert away[0] == "AccessDenied"


def test_boundaries_and_sessions_hold_for_management_too(enforced: Server, iam: Any) -> None:
    boundary = iam.create_policy(PolicyName="reading", PolicyDocument=document(allow("apigateway:GET", "sts:*")))
    keys = make_user(iam, "bounded", allow("*"), PermissionsBoundary=boundary["Policy"]["Arn"])
    apis = client(enforced, "apigateway", keys)
    apis.get_rest_apis()
    assert fails(lambda: apis.create_rest_api(name="x"))[2].endswith(
        " because no permissions boundary allows the apigateway:POST action"
    )
    role = iam.create_role(RoleName="Full", AssumeRolePolicyDocument=trust(ACCOUNT))["Role"]["Arn"]
    iam.attach_role_policy(RoleName="Full", PolicyArn="arn:aws:iam::aws:policy/AdministratorAccess")
    session = client(enforced, "sts", keys).assume_role(
        RoleArn=role, RoleSessionName="narrow", Policy=document(allow("lambda:List*"))
    )["Credentials"]
    client(enforced, "lambda", session).list_functions()
    assert fails(client(enforced, "apigateway", session).get_rest_apis)[0] == "AccessDeniedException"
    token = client(enforced, "sts", keys).get_session_token()["Credentials"]
    client(enforced, "apigateway", token).get_rest_apis()
    # AWS: such a session is no good for IAM.
    assert fails(client(enforced, "iam", token).list_users)[0] == "InvalidClientTokenId"


def test_hostile_requests(enforced: Server, iam: Any, administrator: Keys) -> None:
    host = f"127.0.0.1:{enforced.port}"

    def call(keys: Keys = administrator, target: str = "/restapis", **options: Any) -> tuple[int, str | None]:
        request = signed(enforced, host, options.pop("over", target), keys, service="apigateway", **options)
        answer = send(enforced, request, target)
        return answer.status, answer.header("x-amzn-ErrorType")

    assert call() == (200, None)
    signature = (403, "InvalidSignatureException")
    assert call(over="/apikeys") == signature
    assert call({**administrator, "SecretAccessKey": "x" * 40}) == signature
    now = datetime.now(UTC)
    assert call(at=now - timedelta(minutes=14)) == (200, None)
    assert call(at=now - timedelta(minutes=16)) == signature
    assert call(at=now + timedelta(minutes=16)) == signature
    assert call({**administrator, "SessionToken": "AAAA"}) == (403, "UnrecognizedClientException")
    altered = signed(
        enforced, host, "/restapis", administrator, service="apigateway", method="POST", body=b'{"name":"a"}'
    )
    answer = enforced.request("POST", "/restapis", body=b'{"name":"b"}', headers=dict(altered.headers.items()))
    assert (answer.status, answer.header("x-amzn-ErrorType")) == signature
    # Signed for one service, sent to another.
    text = altered.headers["Authorization"].replace("/apigateway/", "/lambda/")
    moved = enforced.request(
        "GET", "/2015-03-31/functions", headers={**dict(altered.headers.items()), "Authorization": text}
    )
    assert moved.status == 403
    gone = make_user(iam, "gone", allow("*"))
    assert call(gone) == (200, None)
    iam.delete_access_key(UserName="gone", AccessKeyId=gone["AccessKeyId"])
    assert call(gone) == (403, "UnrecognizedClientException")


@dataclass(frozen=True)
class Closed:
    """A server that was open to everybody before, and what it gave away then."""

    server: Server
    own: Keys
    foreign: Keys
    given: tuple[Keys, ...]

    def admin(self, keys: Keys, path: str, body: bytes = b"", at: datetime | None = None) -> int:
        method = "POST" if path in ("reset", "clock") else "GET"
        target, host = f"/_tidegate/{path}", f"127.0.0.1:{self.server.port}"
        request = signed(self.server, host, target, keys, service="tidegate", method=method, body=body, at=at)
        return send(self.server, request, target).status


@pytest.fixture(scope="module")
def closed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Closed]:
    data = tmp_path_factory.mktemp("closed")
    own, foreign = bootstrap(data), bootstrap(data, "--account", "343434343434", "--user", "them")
    server = Server(data).start()
    try:
        given = [client(server, "sts", keys).get_session_token()["Credentials"] for keys in (own, LOCAL)]
        assert client(server, "sts", given[1]).get_caller_identity()["Arn"].endswith(":root")
    finally:
        server.stop()
    server = Server(data, ("--iam", "enforce")).start()
    yield Closed(server, own, foreign, tuple(given))
    server.stop()


def test_what_was_given_to_anybody_ends_where_permissions_are_real(closed: Closed) -> None:
    for keys in closed.given:
        assert fails(client(closed.server, "sts", keys).get_caller_identity)[0] == "InvalidClientTokenId"
    assert client(closed.server, "sts", closed.own).get_caller_identity()["Arn"].endswith("user/admin")


def test_another_accounts_administrator_has_its_own_account(closed: Closed) -> None:
    client(closed.server, "apigateway", closed.own).create_rest_api(name="ours")
    assert client(closed.server, "apigateway", closed.foreign).get_rest_apis()["items"] == []
    assert [closed.admin(keys, "stacks") for keys in (closed.own, closed.foreign)] == [200, 403]


def test_sessions_expire(closed: Closed) -> None:
    session = client(closed.server, "sts", closed.own).get_session_token(DurationSeconds=900)["Credentials"]
    assert closed.admin(closed.own, "clock", b'{"advance":960}') == 200
    # Its signer's clock would be the server's.
    late = datetime.now(UTC) + timedelta(seconds=960)
    request = signed(closed.server, "x", "/restapis", session, service="apigateway", at=late)
    answer = send(closed.server, request, "/restapis")
    assert (answer.status, answer.header("x-amzn-ErrorType")) == (403, "ExpiredTokenException")
    request = signed(closed.server, "x", "/restapis", closed.own, service="apigateway", at=late)
    assert send(closed.server, request, "/restapis").status == 200
    assert closed.admin(closed.own, "clock", b'{"reset":true}', at=late) == 200


def test_resetting_leaves_the_callers(closed: Closed) -> None:
    apis = client(closed.server, "apigateway", closed.own)
    apis.create_rest_api(name="gone soon")
    assert closed.admin(closed.own, "reset") == 200
    assert apis.get_rest_apis()["items"] == []


def test_tidegates_own_interface(enforced: Server, iam: Any, administrator: Keys) -> None:
    assert enforced.request("GET", "/_tidegate/health").status == 200
    for verb, path in (("GET", "stacks"), ("POST", "reset"), ("GET", "metrics"), ("PUT", "stacks/x")):
        assert enforced.request(verb, f"/_tidegate/{path}").status == 403
    for keys, expected in ((administrator, "[]"), (make_user(iam, "looker"), "tidegate:ListStacks")):
        secret = f"{keys['AccessKeyId']}:{keys['SecretAccessKey']}"
        done = subprocess.run(
            [
                "curl",
                "-s",
                "--aws-sigv4",
                "aws:amz:us-east-1:tidegate",
                "--user",
                secret,
                f"{enforced.url}/_tidegate/stacks",
            ],
            capture_output=True,
            text=True,
            check=True,
        )
        assert expected in done.stdout


def test_the_aws_cli_and_our_own(enforced: Server, administrator: Keys) -> None:
    variables = {**os.environ, **environment(enforced, administrator), "AWS_PAGER": ""}
    aws = [str(Path(sys.executable).parent / "aws"), "sts", "get-caller-identity", "--query", "Arn", "--output", "text"]
    done = subprocess.run(aws, capture_output=True, text=True, check=True, env=variables)
    assert done.stdout.strip() == f"arn:aws:iam::{ACCOUNT}:user/admin"
    known = tidegate("logs", "nothing", **environment(enforced, administrator))
    assert "no function nothing" in known.stderr
    without = {**environment(enforced, administrator), "AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": ""}
    assert "Missing Authentication Token" in tidegate("logs", "nothing", **without).stderr


WHO = """
import boto3
def handler(event, context):
    try: return boto3.client(event["service"]).__getattribute__(event["call"])().get("Arn", "done")
    except Exception as error: return str(error)
"""


def test_functions_work_with_their_roles(enforced: Server, iam: Any, administrator: Keys) -> None:
    role = iam.create_role(RoleName="Working", AssumeRolePolicyDocument=trust(service="lambda.amazonaws.com"))["Role"]
    functions = client(enforced, "lambda", administrator)

    def call(name: str, role: str) -> Callable[[str, str], str]:
        made = {"Runtime": "python3.11", "Handler": "app.handler", "Code": {"ZipFile": zip_of({"app.py": WHO})}}
        functions.create_function(FunctionName=name, Role=role, Timeout=30, **made)

        def ask(service: str, operation: str) -> str:
            payload = json.dumps({"service": service, "call": operation})
            answer = functions.invoke(FunctionName=name, Payload=payload)
            return str(json.loads(answer["Payload"].read()))

        return ask

    ask = call("working", role["Arn"])
    assert ask("sts", "get_caller_identity") == f"arn:aws:sts::{ACCOUNT}:assumed-role/Working/working"
    assert "is not authorized to perform: apigateway:GET" in ask("apigateway", "get_rest_apis")
    iam.put_role_policy(RoleName="Working", PolicyName="p", PolicyDocument=document(allow("apigateway:GET")))
    assert ask("apigateway", "get_rest_apis") == "done"
    without = call("roleless", f"arn:aws:iam::{ACCOUNT}:role/nowhere")
    assert INVALID in without("sts", "get_caller_identity")
    # Making functions is no way to a role that one may not pass.
    maker = client(enforced, "lambda", make_user(iam, "maker", allow("lambda:*")))
    denied = fails(lambda: maker.update_function_configuration(FunctionName="roleless", Role=role["Arn"]))
    assert f"iam:PassRole on resource: {role['Arn']}" in denied[2]


def test_integrations_work_with_their_roles(enforced: Server, iam: Any, administrator: Keys) -> None:
    role = iam.create_role(RoleName="Gate", AssumeRolePolicyDocument=trust(service="apigateway.amazonaws.com"))["Role"]
    apis = client(enforced, "apigateway", administrator)
    api = apis.create_rest_api(name="aws")
    at = {"restApiId": api["id"], "resourceId": api.get("rootResourceId"), "httpMethod": "GET"}
    apis.put_method(**at, authorizationType="NONE")
    apis.put_integration(
        **at,
        type="AWS",
        integrationHttpMethod="POST",
        uri="arn:aws:apigateway:us-east-1:sts:action/GetCallerIdentity",
        credentials=role["Arn"],
    )
    apis.put_method_response(**at, statusCode="200")
    apis.put_integration_response(**at, statusCode="200")
    apis.create_deployment(restApiId=api["id"], stageName="prod")
    answer = enforced.call(api["id"], "/prod/")
    assert "assumed-role/Gate/BackplaneAssumeRoleSession" in answer.body.decode()
    iam.update_assume_role_policy(RoleName="Gate", PolicyDocument=trust(service="lambda.amazonaws.com"))
    assert enforced.call(api["id"], "/prod/").status == 500


def test_neighbours_are_behind_the_same_door(enforced: Server, iam: Any) -> None:
    keys = make_user(iam, "tables", allow("dynamodb:ListTables", "s3:ListAllMyBuckets", "s3:ListBuckets"))
    assert client(enforced, "dynamodb", keys).list_tables()["TableNames"] == []
    assert (
        fails(lambda: client(enforced, "dynamodb", keys).describe_table(TableName="abc"))[0] == "AccessDeniedException"
    )
    client(enforced, "s3", keys).list_buckets()
    assert fails(lambda: client(enforced, "s3", keys).create_bucket(Bucket="bucket"))[:2] == ("AccessDenied", 403)
    assert fails(client(enforced, "sns", keys).list_topics)[:2] == ("AccessDenied", 403)
    # Where it cannot be told what a call is about, a Deny for some tables may be one for this.
    some = document(
        allow("dynamodb:*"), deny("dynamodb:Partiql*", "dynamodb:Execute*", resource="arn:aws:dynamodb:*:*:table/a")
    )
    iam.put_user_policy(UserName="tables", PolicyName="own", PolicyDocument=some)
    tables = client(enforced, "dynamodb", keys)
    tables.list_tables()
    assert fails(lambda: tables.execute_statement(Statement="SELECT * FROM b"))[0] == "AccessDeniedException"


def test_resources_of_neighbours(enforced: Server, iam: Any, administrator: Keys) -> None:
    arns = [
        f"arn:aws:dynamodb:us-east-1:{ACCOUNT}:table/mine",
        f"arn:aws:sqs:us-east-1:{ACCOUNT}:mine",
        "arn:aws:s3:::mine/in/*",
    ]
    keys = make_user(iam, "resourceful", allow("dynamodb:*", "sqs:*", "s3:*", resource=arns))
    every = {service: client(enforced, service, administrator) for service in ("dynamodb", "sqs", "s3")}
    own = {service: client(enforced, service, keys) for service in every}
    schema = {
        "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}],
        "AttributeDefinitions": [{"AttributeName": "id", "AttributeType": "S"}],
        "BillingMode": "PAY_PER_REQUEST",
    }
    own["dynamodb"].create_table(TableName="mine", **schema)
    every["dynamodb"].create_table(TableName="other", **schema)
    item = {"id": {"S": "1"}}
    own["dynamodb"].put_item(TableName="mine", Item=item)
    own["dynamodb"].batch_write_item(RequestItems={"mine": [{"PutRequest": {"Item": item}}]})
    own["dynamodb"].transact_write_items(TransactItems=[{"Put": {"TableName": "mine", "Item": item}}])
    put = {"PutRequest": {"Item": item}}
    for call in (
        lambda: own["dynamodb"].put_item(TableName="other", Item=item),
        lambda: own["dynamodb"].get_item(TableName=f"arn:aws:dynamodb:us-east-1:{ACCOUNT}:table/other", Key=item),
        lambda: own["dynamodb"].batch_write_item(RequestItems={"mine": [put], "other": [put]}),
        lambda: own["dynamodb"].transact_write_items(
            TransactItems=[{"Put": {"TableName": name, "Item": item}} for name in ("mine", "other")]
        ),
        lambda: own["dynamodb"].restore_table_to_point_in_time(SourceTableName="other", TargetTableName="mine"),
    ):
        assert fails(call)[0] == "AccessDeniedException"
    mine, other = (every["sqs"].create_queue(QueueName=name)["QueueUrl"] for name in ("mine", "other"))
    own["sqs"].send_message(QueueUrl=mine, MessageBody="x")
    for call in (
        lambda: own["sqs"].send_message(QueueUrl=other, MessageBody="x"),
        lambda: own["sqs"].get_queue_url(QueueName="other"),
    ):
        assert fails(call)[0] == "AccessDeniedException"
    every["s3"].create_bucket(Bucket="mine")
    every["s3"].create_bucket(Bucket="other")
    every["s3"].put_object(Bucket="other", Key="in/a", Body=b"secret")
    own["s3"].put_object(Bucket="mine", Key="in/a/b", Body=b"x")
    assert own["s3"].get_object(Bucket="mine", Key="in/a/b")["Body"].read() == b"x"
    own["s3"].copy_object(Bucket="mine", Key="in/c", CopySource="mine/in/a/b")
    for call in (
        lambda: own["s3"].get_object(Bucket="mine", Key="out"),
        lambda: own["s3"].get_object(Bucket="other", Key="in/a"),
        lambda: own["s3"].copy_object(Bucket="mine", Key="in/c", CopySource="other/in/a"),
        lambda: own["s3"].delete_objects(Bucket="mine", Delete={"Objects": [{"Key": "in/c"}]}),
        lambda: own["s3"].list_objects_v2(Bucket="mine"),
    ):
        assert fails(call)[1] == 403

    # By https, SDKs leave the payload unsigned and send a checksum behind it.
    secure = boto3.client(
        "s3",
        endpoint_url=enforced.url.replace("http:", "https:"),
        region_name="us-east-1",
        verify=str(enforced.data / "trust" / "ca.pem"),
        aws_access_key_id=keys["AccessKeyId"],
        aws_secret_access_key=keys["SecretAccessKey"],
    )
    secure.put_object(Bucket="mine", Key="in/tls", Body=io.BytesIO(b"by https"))
    assert own["s3"].get_object(Bucket="mine", Key="in/tls")["Body"].read() == b"by https"
    assert fails(lambda: secure.put_object(Bucket="other", Key="in/tls", Body=io.BytesIO(b"x")))[1] == 403

    # The bucket that is looked at is the one that is found, wherever it is named.
    def get(host: str, target: str) -> Answer:
        request = signed(enforced, host, target, keys, service="s3", headers={"X-Amz-Content-SHA256": EMPTY})
        return send(enforced, request, target)

    assert get(f"mine.localhost:{enforced.port}", "/in/a/b").body == b"x"
    assert get("mine.s3.us-east-1.amazonaws.com", "/in/a/b").body == b"x"
    for host, target in (
        (f"mine.localhost:{enforced.port}", "/other/in/a"),
        ("mine.s3.amazonaws.com", "/other/in/a"),
        (f"mine.localhost:{enforced.port}", "/in/../../other/in/a"),
        (f"127.0.0.1:{enforced.port}", "/mine/in/../../other/in/a"),
        ("other.example.com", "/mine/in/a/b"),
    ):
        assert b"secret" not in get(host, target).body
    assert get("other.example.com", "/mine/in/a/b").status == 403


def test_conditions_of_neighbours(enforced: Server, iam: Any, administrator: Keys) -> None:
    """A condition on what was not read neither allows nor spares."""
    leading = {"ForAllValues:StringEquals": {"dynamodb:LeadingKeys": ["me"]}}
    keys = make_user(iam, "leading", allow("dynamodb:*", Condition=leading))
    assert fails(client(enforced, "dynamodb", keys).list_tables)[0] == "AccessDeniedException"
    private = {"StringEquals": {"s3:x-amz-acl": "public-read"}}
    keys = make_user(iam, "private", allow("s3:*"), deny("s3:PutObject", Condition=private))
    every = client(enforced, "s3", administrator)
    every.create_bucket(Bucket="acl")
    put = {"Bucket": "acl", "Key": "k", "Body": b""}
    assert fails(lambda: client(enforced, "s3", keys).put_object(ACL="public-read", **put))[1] == 403
    assert client(enforced, "s3", keys).list_objects_v2(Bucket="acl")["KeyCount"] == 0


def test_a_call_for_a_neighbour_means_one_thing(enforced: Server, iam: Any, administrator: Keys) -> None:
    keys = make_user(iam, "topics", allow("sns:ListTopics", "s3:*", "dynamodb:ListTables"))

    def call(service: str, target: str, body: bytes, keys: Keys = keys, **headers: str) -> int:
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        request = signed(
            enforced,
            f"127.0.0.1:{enforced.port}",
            target,
            keys,
            service=service,
            method="POST",
            body=body,
            headers=given,
        )
        return send(enforced, request, target).status

    form = {"Content_Type": "application/x-www-form-urlencoded"}
    assert call("sns", "/", b"Action=ListTopics&Version=2010-03-31", **form) == 200
    for target, body in (
        ("/", b"Action=CreateTopic&Name=x&Action=ListTopics&Version=2010-03-31"),
        ("/?Action=ListTopics", b"Action=CreateTopic&Name=x&Version=2010-03-31"),
        ("/", b"Version=2010-03-31"),
    ):
        assert call("sns", target, body, **form) == 403
    assert call("sns", "/", b"Action=ListTopics&Version=2010-03-31", **form, X_Amz_Target="SNS.CreateTopic") == 403
    assert call("sns", "/", b"{}", X_Amz_Target="DynamoDB_20120810.ListTables") == 403
    assert call("dynamodb", "/", b"{}", X_Amz_Target="DynamoDB_20120810.ListTables") == 200
    # What the neighbours offer beside AWS's services is nobody's.
    for path in ("/moto-api/reset", "//%6doto-api/data.json?delete"):
        assert call("s3", path, b"", administrator) == 403


def test_a_header_that_comes_twice_means_nothing(enforced: Server, iam: Any) -> None:
    """The neighbours would take the second for the call. Neither is signed, which nobody asks for."""
    keys = make_user(iam, "twice", allow("dynamodb:ListTables"))
    host = f"127.0.0.1:{enforced.port}"
    request = signed(enforced, host, "/", keys, service="dynamodb", method="POST", body=b"{}")
    one, other = "DynamoDB_20120810.ListTables", "DynamoDB_20120810.DescribeEndpoints"
    for more in (
        {"X-Amz-Target": one, "x-amz-target": other},
        {"X-Amz-Target": one, "X_Amz_Target": other},
        {"X-Amz-Target": f"{one},{other}"},
        {"X-Amz-Target": one, "Content-Type": "text/plain", "content-type": "application/x-www-form-urlencoded"},
    ):
        headers = dict(request.headers.items()) | more
        refused = enforced.request("POST", "/", body=b"{}", headers=headers)
        assert refused.json["__type"] == "AccessDeniedException", more
    alone = dict(request.headers.items()) | {"X-Amz-Target": one}
    assert enforced.request("POST", "/", body=b"{}", headers=alone).status == 200


def test_a_region_is_a_name(enforced: Server, iam: Any) -> None:
    mine = "arn:aws:apigateway:us-east-1::/restapis/mine/*"
    keys = make_user(iam, "forger", allow("apigateway:*", resource=mine))
    text = signed(enforced, "x", "/restapis", keys, service="apigateway").headers["Authorization"]
    forged = text.replace("/us-east-1/", "/us-east-1::%2Frestapis%2Fmine/").replace("%2F", ":")
    answer = enforced.request("GET", "/restapis", headers={"Authorization": forged})
    assert (answer.status, answer.json) == (403, {"message": "Missing Authentication Token"})


def test_functions_are_no_way_around(enforced: Server, iam: Any, administrator: Keys) -> None:
    """To code in buckets, to queues, to layers."""
    role = iam.create_role(RoleName="Plain", AssumeRolePolicyDocument=trust(service="lambda.amazonaws.com"))["Role"][
        "Arn"
    ]
    keys = make_user(iam, "builder", allow("lambda:*", "iam:PassRole"), deny("lambda:GetLayerVersion"))
    builder = client(enforced, "lambda", keys)
    made = {"Role": role, "Runtime": "python3.11", "Handler": "app.handler"}
    zipped = {"ZipFile": zip_of({"app.py": ""})}
    refused = fails(
        lambda: builder.create_function(FunctionName="b", Code={"S3Bucket": "other", "S3Key": "a/b.zip"}, **made)
    )
    assert "s3:GetObject on resource: arn:aws:s3:::other/a/b.zip" in refused[2]
    foreign = role.replace(ACCOUNT, "343434343434")
    refused = fails(lambda: builder.create_function(FunctionName="b", Code=zipped, **{**made, "Role": foreign}))
    assert f"iam:PassRole on resource: {foreign}" in refused[2]
    layer = f"arn:aws:lambda:us-east-1:{ACCOUNT}:layer:l:1"
    refused = fails(lambda: builder.create_function(FunctionName="b", Code=zipped, Layers=[layer], **made))
    assert f"lambda:GetLayerVersion on resource: {layer}" in refused[2]
    arn = builder.create_function(FunctionName="b", Code=zipped, **made)["FunctionArn"]
    queue = f"arn:aws:sqs:us-east-1:{ACCOUNT}:other"
    refused = fails(
        lambda: builder.put_function_event_invoke_config(
            FunctionName="b", DestinationConfig={"OnSuccess": {"Destination": queue}}
        )
    )
    assert f"sqs:SendMessage on resource: {queue}" in refused[2]
    # However it is named, a function is the same.
    iam.put_user_policy(UserName="builder", PolicyName="not-b", PolicyDocument=document(deny("lambda:*", resource=arn)))
    for name in ("b", arn, f"{ACCOUNT}:function:b", "function:b"):
        assert fails(lambda named=name: builder.get_function(FunctionName=named))[0] == "AccessDeniedException"
    assert fails(lambda: builder.list_tags(Resource=arn))[0] == "AccessDeniedException"


def test_soft_only_says_so(tmp_path: Path) -> None:
    server = Server(tmp_path, ("--iam", "soft")).start()
    try:
        iam = server.client("iam")
        iam.list_users()
        server.wait_for("--iam enforce would refuse POST /: UnrecognizedClient")
        keys = make_user(iam, "soft")
        client(server, "lambda", keys).list_functions()
        form = {"Content-Type": "application/x-www-form-urlencoded"}
        twice = b"Action=ListTopics&Action=CreateTopic&Name=x&Version=2010-03-31"
        request = signed(server, "x", "/", keys, service="sns", method="POST", body=twice, headers=form)
        assert send(server, request, "/").status == 200
        server.wait_for("Tidegate cannot tell what sns POST / is")
        line = server.wait_for("soft lambda:ListFunctions")
        assert line.endswith(
            f"--iam enforce would refuse arn:aws:iam::{ACCOUNT}:user/soft lambda:ListFunctions on *: "
            "no identity-based policy allows lambda:ListFunctions"
        )
    finally:
        server.stop()
