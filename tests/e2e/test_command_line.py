"""The program's commands and the aws CLI, as a person types them."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.running import Server, make_function

AWS = shutil.which("aws", path=os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")]))


def aws(server: Server, *arguments: str) -> dict[str, object]:
    assert AWS, "the aws CLI is not installed: pip install awscli"
    environment = {
        **os.environ,
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_ENDPOINT_URL": server.url,
        "AWS_PAGER": "",
    }
    done = subprocess.run([AWS, *arguments], capture_output=True, text=True, env=environment, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout) if done.stdout.strip() else {}


def test_an_api_by_the_aws_cli(server: Server) -> None:
    api = aws(server, "apigateway", "create-rest-api", "--name", "cli")
    root, api_id = str(api["rootResourceId"]), str(api["id"])
    at = ("--rest-api-id", api_id, "--resource-id", root, "--http-method", "GET")
    aws(server, "apigateway", "put-method", *at, "--authorization-type", "NONE")
    template = '{"application/json":"{\\"statusCode\\": 200}"}'
    aws(server, "apigateway", "put-integration", *at, "--type", "MOCK", "--request-templates", template)
    aws(server, "apigateway", "put-method-response", *at, "--status-code", "200")
    templates = '{"application/json":"from the cli"}'
    aws(
        server, "apigateway", "put-integration-response", *at, "--status-code", "200", "--response-templates", templates
    )
    aws(server, "apigateway", "create-deployment", "--rest-api-id", api_id, "--stage-name", "dev")
    assert server.call(api_id, "/dev/").body == b"from the cli"


def test_other_services_are_the_neighbours(server: Server) -> None:
    """One endpoint serves all: DynamoDB and S3 through boto3, same account and region."""
    table = server.client("dynamodb").create_table(
        TableName="t",
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )["TableDescription"]
    assert table["TableArn"] == "arn:aws:dynamodb:us-east-1:000000000000:table/t"
    server.client("dynamodb").put_item(TableName="t", Item={"id": {"S": "a"}})
    assert server.client("dynamodb").scan(TableName="t")["Count"] == 1


def tidegate(*arguments: str, directory: Path | None = None, **environment: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "tidegate.cli", *arguments]
    return subprocess.run(
        command,
        capture_output=True,
        text=True,
        env={**os.environ, **environment},
        cwd=directory,
        check=False,
        timeout=60,
    )


def test_logs(server: Server) -> None:
    make_function(server, "talker", "def handler(event, context):\n    print('hello log')\n    return 1\n")
    server.client("lambda").invoke(FunctionName="talker")
    shown = tidegate("logs", "talker", "--endpoint", server.url)
    assert shown.returncode == 0
    assert "START RequestId: " in shown.stdout
    assert "hello log" in shown.stdout
    assert "REPORT RequestId: " in shown.stdout
    unknown = tidegate("logs", "nosuch", "--endpoint", server.url)
    assert unknown.returncode != 0
    assert "no function nosuch; there are: " in unknown.stderr


@pytest.mark.parametrize(
    ("arguments", "environment", "told"),
    [
        (("start", "--account", "12"), {}, "account 12 is not a number of twelve digits"),
        (("start", "--port", "70000"), {}, "port 70000 is not between 0 and 65535"),
        (("start",), {"TIDEGATE_PROT": "1"}, "unknown setting TIDEGATE_PROT in the environment"),
        (("start",), {"TIDEGATE_PORT": "abc"}, "TIDEGATE_PORT: 'abc' is not a value for port"),
        (("logs", "x", "--endpoint", "http://127.0.0.1:9"), {}, "no Tidegate answers at http://127.0.0.1:9"),
    ],
)
def test_settings_that_cannot_be_used(arguments: tuple[str, ...], environment: dict[str, str], told: str) -> None:
    done = tidegate(*arguments, **environment)
    assert done.returncode != 0
    assert told in done.stderr
    assert "Traceback" not in done.stderr


def test_settings_file(tmp_path: Path) -> None:
    (tmp_path / "tidegate.toml").write_text("prot = 4566\n")
    assert "unknown setting prot" in tidegate("start", directory=tmp_path).stderr


def test_a_port_in_use_is_said(server: Server) -> None:
    done = tidegate("start", "--port", str(server.port))
    assert done.returncode != 0
    assert f"cannot start on 127.0.0.1:{server.port}" in done.stderr
    assert "Traceback" not in done.stderr
