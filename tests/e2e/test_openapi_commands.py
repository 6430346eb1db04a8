"""`tidegate check` and `tidegate import`, as commands."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.test_command_line import tidegate
from tests.support.running import Server

ACCOUNT = {"TIDEGATE_ACCOUNT": "555555555555"}
MOCK = {
    "type": "mock",
    "requestTemplates": {"application/json": '{"statusCode": 200}'},
    "responses": {"default": {"statusCode": "200", "responseTemplates": {"application/json": "ok"}}},
}
GET = {"responses": {"200": {"description": "."}}, "x-amazon-apigateway-integration": MOCK}


def write(directory: Path, paths: dict[str, Any] | None = None, **root: Any) -> str:
    document = {"openapi": "3.0.1", "info": {"title": "commands", "version": "1"}, **root}
    document["paths"] = {"/a": {"get": GET}} if paths is None else paths
    file = directory / "api.json"
    file.write_text(json.dumps(document))
    return str(file)


UNDONE = {
    "x-amazon-apigateway-cors": {},
    "x-amazon-apigateway-policy": {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Principal": "*", "Action": "execute-api:Invoke", "Resource": "execute-api:/*"}
        ],
    },
    "components": {"securitySchemes": {"o": {"type": "oauth2"}}},
    "security": [{"o": []}],
}
WARNINGS = [
    "warning: Ignoring x-amazon-apigateway-cors: HTTP APIs alone have it",
    "warning: Unsupported security definition type 'oauth2' for 'o'. Ignoring. (GET /a is not guarded by it)",
]


def test_check_a_good_file(tmp_path: Path) -> None:
    done = tidegate("check", write(tmp_path))
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines()[-1].endswith("api.json: 0 errors, 0 warnings, 0 refused at deployment, 0 notes")


def test_check_lists_all_that_is_not_done(tmp_path: Path) -> None:
    done = tidegate("check", write(tmp_path, **UNDONE))
    assert done.returncode == 0
    assert done.stdout.splitlines()[:2] == WARNINGS
    # What a deployment refuses shrinks with time; a method without an integration it will always refuse.
    bare = tidegate("check", write(tmp_path, {"/a": {"get": {"responses": {}}}}))
    assert bare.returncode == 0
    assert "refused: /paths/~1a/GET/integration: No integration defined for method" in bare.stdout.splitlines()


def test_check_lists_every_error(tmp_path: Path) -> None:
    bad = {**GET, "x-amazon-apigateway-integration": {**MOCK, "timeoutInMillis": 1}}
    file = write(
        tmp_path,
        {"/a": {"get": bad, "post": {"security": [{"c": []}]}}, "/b": {"get": []}},
        components={
            "schemas": {"A_b": {"type": "object"}},
            "securitySchemes": {"c": {"type": "apiKey", "x-amazon-apigateway-authtype": "custom"}},
        },
    )
    done = tidegate("check", file)
    assert done.returncode == 1
    assert sorted(line for line in done.stdout.splitlines() if line.startswith("error: ")) == [
        "error: Invalid OpenAPI input: GET /b must be an object",
        "error: Unable to create model for 'A_b': Model name must be alphanumeric: A_b",
        "error: Unable to put integration on 'GET' for resource at path '/a': "
        "Timeout should be between 50 ms and 29000 ms",
        "error: Unable to put method 'POST' on resource at path '/a': Invalid authorizer ID specified. Setting the "
        "authorization type to CUSTOM or COGNITO_USER_POOLS requires a valid authorizer.",
    ]


@pytest.mark.parametrize("text", ["", "a: [", "{", "- 1", "swagger: '3'"])
def test_check_of_what_is_no_openapi(tmp_path: Path, text: str) -> None:
    (tmp_path / "x.yaml").write_text(text)
    done = tidegate("check", str(tmp_path / "x.yaml"))
    assert done.returncode == 1
    assert done.stdout.startswith("error: ")
    assert "Traceback" not in done.stderr


def test_import_and_put(server: Server, tmp_path: Path) -> None:
    client = server.client("apigateway", key=ACCOUNT["TIDEGATE_ACCOUNT"])
    made = tidegate("import", write(tmp_path), "--endpoint", server.url, **ACCOUNT)
    assert (made.returncode, made.stderr) == (0, "")
    api = made.stdout.strip()
    assert client.get_rest_api(restApiId=api)["name"] == "commands"
    client.create_deployment(restApiId=api, stageName="s")
    assert server.call(api, "/s/a").body == b"ok"

    def paths() -> list[str]:
        return [item["path"] for item in client.get_resources(restApiId=api)["items"]]

    other = write(tmp_path, {"/b": {"get": GET}}, servers=[{"url": "https://x.example/v1"}])
    put = tidegate("import", other, "--api-id", api, "--basepath", "prepend", "--endpoint", server.url, **ACCOUNT)
    assert put.stdout.strip() == api
    assert paths() == ["/", "/a", "/v1", "/v1/b"]
    tidegate("import", other, "--api-id", api, "--mode", "overwrite", "--endpoint", server.url, **ACCOUNT)
    assert paths() == ["/", "/b"]


def test_import_says_what_is_not_done_and_strict_imports_nothing(server: Server, tmp_path: Path) -> None:
    account = {"TIDEGATE_ACCOUNT": "555555555556"}
    client = server.client("apigateway", key=account["TIDEGATE_ACCOUNT"])
    file = write(tmp_path, **UNDONE)
    strict = tidegate("import", file, "--strict", "--endpoint", server.url, **account)
    assert strict.returncode == 1
    assert "nothing is imported" in strict.stderr
    assert all(warning in strict.stderr for warning in WARNINGS)
    assert client.get_rest_apis()["items"] == []
    lenient = tidegate("import", file, "--endpoint", server.url, **account)
    assert lenient.returncode == 0
    assert lenient.stdout.splitlines()[0] == client.get_rest_apis()["items"][0]["id"]
    assert lenient.stdout.splitlines()[1:3] == WARNINGS
    tidy = tidegate("import", write(tmp_path), "--strict", "--endpoint", server.url, **account)
    assert tidy.returncode == 0


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("--api-id", "nosuch"), "Invalid API identifier specified"),
        (("--mode", "merge"), "--mode needs --api-id"),
        (("--mode", "upside-down"), "Invalid value for '--mode'"),
    ],
)
def test_an_import_that_fails(server: Server, tmp_path: Path, arguments: tuple[str, ...], told: str) -> None:
    done = tidegate("import", write(tmp_path), *arguments, "--endpoint", server.url, **ACCOUNT)
    assert done.returncode != 0
    assert told in done.stderr
    assert "Traceback" not in done.stderr


def test_an_import_without_a_server(tmp_path: Path) -> None:
    done = tidegate("import", write(tmp_path), "--endpoint", "http://127.0.0.1:9")
    assert done.returncode != 0
    assert "no Tidegate answers at http://127.0.0.1:9" in done.stderr
