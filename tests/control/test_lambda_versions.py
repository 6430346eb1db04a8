"""Versions, aliases, policies per qualifier and concurrency of functions, through boto3 and through API Gateway."""

from __future__ import annotations

import json
import threading
from collections import Counter
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.support.running import ApiBuilder, Server, lambda_uri, make_function, zip_of

_ANSWER = "def handler(event, context):\n    return [{0}, context.function_version, context.invoked_function_arn]\n"
_ARN = "arn:aws:lambda:us-east-1:000000000000:function:"


def _value(client: Any, name: str, **options: Any) -> Any:
    answer = client.invoke(FunctionName=name, **options)
    return json.loads(answer["Payload"].read()), answer["ExecutedVersion"]


def _change(client: Any, name: str, number: int) -> None:
    client.update_function_code(FunctionName=name, ZipFile=zip_of({"app.py": _ANSWER.replace("{0}", str(number))}))


def test_versions_stay_as_they_were(server: Server) -> None:
    client = server.client("lambda")
    made = make_function(server, "versions", _ANSWER.replace("{0}", "1"))
    first = client.publish_version(FunctionName="versions", Description="the first")
    assert (first["Version"], first["FunctionArn"], first["Description"]) == ("1", f"{made}:1", "the first")
    assert client.publish_version(FunctionName="versions")["Version"] == "1", "nothing has changed"
    _change(client, "versions", 2)
    client.update_function_configuration(FunctionName="versions", Timeout=9)
    second = client.publish_version(FunctionName="versions")
    assert (second["Version"], second["Timeout"], second["Description"]) == ("2", 9, "")
    _change(client, "versions", 3)
    assert _value(client, "versions") == ([3, "$LATEST", made], "$LATEST")
    assert _value(client, "versions", Qualifier="1") == ([1, "1", f"{made}:1"], "1")
    assert _value(client, f"{made}:2") == ([2, "2", f"{made}:2"], "2")
    assert _value(client, "versions:$LATEST")[1] == "$LATEST"
    listed = [
        version["FunctionArn"]
        for page in client.get_paginator("list_versions_by_function").paginate(
            FunctionName="versions", PaginationConfig={"PageSize": 2}
        )
        for version in page["Versions"]
    ]
    assert listed == [f"{made}:$LATEST", f"{made}:1", f"{made}:2"]
    shown = client.get_function(FunctionName="versions", Qualifier="1")["Configuration"]
    assert (shown["Version"], shown["Timeout"], shown["CodeSha256"]) == ("1", 3, first["CodeSha256"])
    every = [f["FunctionArn"] for f in client.list_functions(FunctionVersion="ALL")["Functions"]]
    assert {f"{made}:$LATEST", f"{made}:1"} <= set(every)
    client.delete_function(FunctionName="versions", Qualifier="1")
    with pytest.raises(client.exceptions.ResourceNotFoundException):
        client.invoke(FunctionName="versions", Qualifier="1")
    _change(client, "versions", 4)
    assert client.publish_version(FunctionName="versions")["Version"] == "3", "numbers are never used again"
    client.delete_function(FunctionName="versions")
    with pytest.raises(client.exceptions.ResourceNotFoundException):
        client.invoke(FunctionName="versions", Qualifier="2")


def test_publishing_with_a_change(server: Server) -> None:
    client = server.client("lambda")
    code = zip_of({"app.py": _ANSWER.replace("{0}", "1")})
    made = client.create_function(
        FunctionName="publish", Runtime="python3.11", Handler="app.handler", Role="arn:aws:iam::000000000000:role/r",
        Code={"ZipFile": code}, Publish=True,
    )  # fmt: skip
    assert (made["Version"], made["FunctionArn"]) == ("1", f"{_ARN}publish:1")
    other = zip_of({"app.py": _ANSWER.replace("{0}", "2")})
    tried = client.update_function_code(FunctionName="publish", ZipFile=other, DryRun=True)
    assert tried["CodeSha256"] != made["CodeSha256"]
    assert client.get_function_configuration(FunctionName="publish")["CodeSha256"] == made["CodeSha256"]
    assert client.update_function_code(FunctionName="publish", ZipFile=other, Publish=True)["Version"] == "2"


def test_aliases_lead_to_versions(server: Server) -> None:
    client = server.client("lambda")
    made = make_function(server, "aliases", _ANSWER.replace("{0}", "1"))
    client.publish_version(FunctionName="aliases")
    _change(client, "aliases", 2)
    client.publish_version(FunctionName="aliases")
    alias = client.create_alias(FunctionName="aliases", Name="live", FunctionVersion="1", Description="d")
    assert alias["AliasArn"] == f"{made}:live"
    assert _value(client, "aliases:live") == ([1, "1", f"{made}:live"], "1")
    changed = client.update_alias(
        FunctionName="aliases", Name="live", FunctionVersion="2", RevisionId=alias["RevisionId"]
    )
    assert changed["RevisionId"] != alias["RevisionId"]
    assert changed["Description"] == "d"
    assert _value(client, "aliases", Qualifier="live")[1] == "2"
    assert client.get_function(FunctionName="aliases", Qualifier="live")["Configuration"]["Version"] == "2"
    client.create_alias(FunctionName="aliases", Name="newest", FunctionVersion="$LATEST")
    assert [a["Name"] for a in client.list_aliases(FunctionName="aliases")["Aliases"]] == ["live", "newest"]
    assert [a["Name"] for a in client.list_aliases(FunctionName="aliases", FunctionVersion="2")["Aliases"]] == ["live"]
    with pytest.raises(client.exceptions.ResourceConflictException):
        client.delete_function(FunctionName="aliases", Qualifier="2")
    client.delete_alias(FunctionName="aliases", Name="live")
    client.delete_alias(FunctionName="aliases", Name="live")
    with pytest.raises(client.exceptions.ResourceNotFoundException) as caught:
        client.get_alias(FunctionName="aliases", Name="live")
    assert caught.value.response["Error"]["Message"] == f"Cannot find alias arn: {made}:live"
    with pytest.raises(client.exceptions.ResourceNotFoundException):
        client.invoke(FunctionName="aliases:live")


def test_weighted_alias(server: Server) -> None:
    client = server.client("lambda")
    make_function(server, "weighted", _ANSWER.replace("{0}", "1"))
    client.publish_version(FunctionName="weighted")
    _change(client, "weighted", 2)
    client.publish_version(FunctionName="weighted")
    weights = {"AdditionalVersionWeights": {"2": 0.5}}
    made = client.create_alias(FunctionName="weighted", Name="mixed", FunctionVersion="1", RoutingConfig=weights)
    assert made["RoutingConfig"] == weights
    seen = Counter(client.invoke(FunctionName="weighted:mixed")["ExecutedVersion"] for _ in range(60))
    # Either side missing sixty times has a chance of one in 10^18.
    assert set(seen) == {"1", "2"}
    client.update_alias(FunctionName="weighted", Name="mixed", RoutingConfig={"AdditionalVersionWeights": {}})
    assert "RoutingConfig" not in client.get_alias(FunctionName="weighted", Name="mixed")
    assert {client.invoke(FunctionName="weighted:mixed")["ExecutedVersion"] for _ in range(20)} == {"1"}


def test_survives_a_restart(server: Server, tmp_path: Any) -> None:
    running = Server(tmp_path).start()
    try:
        client = running.client("lambda")
        make_function(running, "kept", _ANSWER.replace("{0}", "1"))
        client.publish_version(FunctionName="kept")
        client.create_alias(FunctionName="kept", Name="live", FunctionVersion="1")
        running.kill()
        running.start()
        client = running.client("lambda")
        assert _value(client, "kept:live")[1] == "1"
    finally:
        running.stop()


def test_policies_of_qualifiers_through_the_gateway(server: Server) -> None:
    """An API that calls an alias needs a statement on the alias; a stage variable may name it."""
    client = server.client("lambda")
    proxy = "def handler(event, context):\n    return {'statusCode': 200, 'body': context.function_version}\n"
    arn = make_function(server, "guarded-alias", proxy)
    client.publish_version(FunctionName="guarded-alias")
    client.create_alias(FunctionName="guarded-alias", Name="live", FunctionVersion="1")
    api = ApiBuilder(server).function("/alias", "GET", f"{arn}:live")
    variable = {"type": "AWS_PROXY", "integrationHttpMethod": "POST"}
    uri = lambda_uri(f"{arn}:${{stageVariables.lambdaAlias}}")
    name = api.method("/variable", "GET", {**variable, "uri": uri}).deploy(variables={"lambdaAlias": "live"})
    assert server.call(name, "/prod/alias").status == 500
    permission = {
        "StatementId": "gateway",
        "Action": "lambda:InvokeFunction",
        "Principal": "apigateway.amazonaws.com",
        "SourceArn": f"arn:aws:execute-api:us-east-1:000000000000:{name}/*/*/*",
    }
    client.add_permission(FunctionName="guarded-alias", **permission)
    assert server.call(name, "/prod/alias").status == 500, "a statement on the function is none on the alias"
    statement = json.loads(
        client.add_permission(FunctionName="guarded-alias", Qualifier="live", **permission)["Statement"]
    )
    assert statement["Resource"] == f"{arn}:live"
    assert server.call(name, "/prod/alias").body == b"1"
    assert server.call(name, "/prod/variable").body == b"1"
    policy = json.loads(client.get_policy(FunctionName="guarded-alias", Qualifier="live")["Policy"])
    assert [one["Sid"] for one in policy["Statement"]] == ["gateway"]
    client.remove_permission(FunctionName="guarded-alias:live", StatementId="gateway")
    assert server.call(name, "/prod/alias").status == 500


def test_conditions_that_nobody_here_meets(server: Server) -> None:
    client = server.client("lambda")
    arn = make_function(server, "conditions", "def handler(event, context):\n    return {'statusCode': 200}\n")
    name = ApiBuilder(server).function("/", "GET", arn).deploy()
    base = {"FunctionName": "conditions", "Action": "lambda:InvokeFunction", "Principal": "apigateway.amazonaws.com"}
    client.add_permission(**base, StatementId="token", EventSourceToken="secret")
    client.add_permission(**{**base, "Principal": "*"}, StatementId="org", PrincipalOrgID="o-a1b2c3d4e5")
    assert server.call(name, "/prod/").status == 500
    client.add_permission(**base, StatementId="plain")
    assert server.call(name, "/prod/").status == 200
    sids = {one["Sid"]: one for one in json.loads(client.get_policy(FunctionName="conditions")["Policy"])["Statement"]}
    assert sids["token"]["Condition"] == {"StringEquals": {"lambda:EventSourceToken": "secret"}}
    assert sids["org"]["Condition"] == {"StringEquals": {"aws:PrincipalOrgID": "o-a1b2c3d4e5"}}


def test_reserved_concurrency(server: Server) -> None:
    client = server.client("lambda")
    make_function(server, "reserved", "def handler(event, context):\n    return 1\n")
    assert "ReservedConcurrentExecutions" not in client.get_function_concurrency(FunctionName="reserved")
    client.put_function_concurrency(FunctionName="reserved", ReservedConcurrentExecutions=0)
    for call in (
        lambda: client.invoke(FunctionName="reserved"),
        lambda: client.invoke(FunctionName="reserved:$LATEST"),
    ):
        with pytest.raises(client.exceptions.TooManyRequestsException) as caught:
            call()
        error = caught.value.response
        assert error["Reason"] == "ReservedFunctionConcurrentInvocationLimitExceeded"
        assert error["ResponseMetadata"]["HTTPStatusCode"] == 429
        assert error["retryAfterSeconds"] == "1"
        assert error["Error"]["Message"] == "Rate Exceeded."
    assert client.get_function(FunctionName="reserved")["Concurrency"] == {"ReservedConcurrentExecutions": 0}
    client.put_function_concurrency(FunctionName="reserved", ReservedConcurrentExecutions=1)
    for _ in range(3):
        assert client.invoke(FunctionName="reserved", Payload=b"{}")["StatusCode"] == 200
    limit = client.get_account_settings()["AccountLimit"]
    assert limit["UnreservedConcurrentExecutions"] == limit["ConcurrentExecutions"] - 1
    client.delete_function_concurrency(FunctionName="reserved")
    assert client.invoke(FunctionName="reserved", Payload=b"{}")["StatusCode"] == 200
    with pytest.raises(client.exceptions.InvalidParameterValueException):
        client.put_function_concurrency(FunctionName="reserved", ReservedConcurrentExecutions=901)


def test_concurrency_is_spent_while_a_function_runs(server: Server, tmp_path: Any) -> None:
    client = server.client("lambda")
    code = (
        "import urllib.request\ndef handler(event, context):\n    return urllib.request.urlopen(event['url']).status\n"
    )
    make_function(server, "spent", code, Timeout=30)
    client.put_function_concurrency(FunctionName="spent", ReservedConcurrentExecutions=1)
    held, go_on = threading.Event(), threading.Event()

    class Gate(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            held.set()
            go_on.wait(20)
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            pass

    gate = HTTPServer(("127.0.0.1", 0), Gate)
    threading.Thread(target=gate.serve_forever, daemon=True).start()
    payload = json.dumps({"url": f"http://127.0.0.1:{gate.server_port}/"})
    results: list[Any] = []
    other = threading.Thread(
        target=lambda: results.append(server.client("lambda").invoke(FunctionName="spent", Payload=payload))
    )
    other.start()
    assert held.wait(20)
    with pytest.raises(client.exceptions.TooManyRequestsException):
        client.invoke(FunctionName="spent", Payload=payload)
    go_on.set()
    other.join()
    assert results[0]["Payload"].read() == b"204"
    assert client.invoke(FunctionName="spent", Payload=payload)["StatusCode"] == 200
    gate.shutdown()


def test_what_is_the_same_for_every_function(server: Server) -> None:
    """Terraform and others ask for it."""
    client = server.client("lambda")
    made = make_function(server, "constant", "def handler(event, context):\n    return 1\n")
    assert client.get_function_code_signing_config(FunctionName="constant")["CodeSigningConfigArn"] == ""
    management = client.get_runtime_management_config(FunctionName="constant")
    assert (management["UpdateRuntimeOn"], management["FunctionArn"]) == ("Auto", made)
    assert client.get_function_recursion_config(FunctionName="constant")["RecursiveLoop"] == "Terminate"
    assert client.list_provisioned_concurrency_configs(FunctionName="constant")["ProvisionedConcurrencyConfigs"] == []
    with pytest.raises(client.exceptions.ProvisionedConcurrencyConfigNotFoundException):
        client.get_provisioned_concurrency_config(FunctionName="constant", Qualifier="$LATEST")
    for call in (
        lambda: client.put_runtime_management_config(FunctionName="constant", UpdateRuntimeOn="Manual"),
        lambda: client.put_function_recursion_config(FunctionName="constant", RecursiveLoop="Allow"),
        lambda: client.put_function_code_signing_config(
            FunctionName="constant",
            CodeSigningConfigArn="arn:aws:lambda:us-east-1:000000000000:code-signing-config:csc-0123456789abcdef0",
        ),
    ):
        with pytest.raises(ClientError) as caught:
            call()
        assert caught.value.response["Error"]["Code"] == "UnsupportedOperationException"


_CASES: dict[str, tuple[Callable[[Any], Any], str, str]] = {
    "code of a version": (
        lambda c: c.publish_version(FunctionName="errors", CodeSha256="x"),
        "InvalidParameterValueException",
        "CodeSHA256 (x) is different from current CodeSHA256 in $LATEST",
    ),
    "revision of a version": (
        lambda c: c.publish_version(FunctionName="errors", RevisionId="x"),
        "PreconditionFailedException",
        "The Revision Id provided does not match the latest Revision Id. Call the GetFunction/GetAlias API to retrieve",
    ),
    "alias twice": (
        lambda c: c.create_alias(FunctionName="errors", Name="live", FunctionVersion="1"),
        "ResourceConflictException",
        f"Alias already exists: {_ARN}errors:live",
    ),
    "alias of nothing": (
        lambda c: c.create_alias(FunctionName="errors", Name="other", FunctionVersion="7"),
        "ResourceNotFoundException",
        f"Function not found: {_ARN}errors:7",
    ),
    "alias like a number": (
        lambda c: c.create_alias(FunctionName="errors", Name="7", FunctionVersion="1"),
        "ValidationException",
        "Value '7' at 'name' failed to satisfy constraint",
    ),
    "weights on $LATEST": (
        lambda c: c.update_alias(
            FunctionName="errors",
            Name="live",
            FunctionVersion="$LATEST",
            RoutingConfig={"AdditionalVersionWeights": {"1": 0.1}},
        ),
        "InvalidParameterValueException",
        "$LATEST is not supported for an alias pointing to more than 1 version",
    ),
    "weight on itself": (
        lambda c: c.update_alias(
            FunctionName="errors", Name="live", RoutingConfig={"AdditionalVersionWeights": {"1": 0.1}}
        ),
        "InvalidParameterValueException",
        "Function version 1 is already included in routing configuration.",
    ),
    "policy of $LATEST": (
        lambda c: c.add_permission(
            FunctionName="errors", Qualifier="$LATEST", StatementId="s", Action="lambda:*", Principal="*"
        ),
        "InvalidParameterValueException",
        "We currently do not support adding policies for $LATEST.",
    ),
    "deleting $LATEST": (
        lambda c: c.delete_function(FunctionName="errors", Qualifier="$LATEST"),
        "InvalidParameterValueException",
        "$LATEST version cannot be deleted without deleting the function.",
    ),
    "two qualifiers": (
        lambda c: c.get_function(FunctionName="errors:1", Qualifier="live"),
        "InvalidParameterValueException",
        "The derived qualifier from the function name does not match the specified qualifier.",
    ),
    "changing a version": (
        lambda c: c.update_function_configuration(FunctionName="errors:1", Timeout=4),
        "ResourceNotFoundException",
        "Function not found",
    ),
}


@pytest.fixture(scope="module")
def errors(server: Server) -> None:
    make_function(server, "errors", _ANSWER.replace("{0}", "1"))
    client = server.client("lambda")
    client.publish_version(FunctionName="errors")
    client.create_alias(FunctionName="errors", Name="live", FunctionVersion="1")


@pytest.mark.parametrize("case", _CASES)
@pytest.mark.usefixtures("errors")
def test_errors(server: Server, case: str) -> None:
    call, code, message = _CASES[case]
    with pytest.raises(ClientError) as caught:
        call(server.client("lambda"))
    assert caught.value.response["Error"]["Code"] == code
    assert message in caught.value.response["Error"]["Message"]
