"""ImportRestApi and PutRestApi: what SAM makes, what is reported, what is refused, and that nothing poisons the store."""

from __future__ import annotations

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.support.running import Server, make_function

MOCK = {
    "type": "mock",
    "requestTemplates": {"application/json": '{"statusCode": 200}'},
    "responses": {"default": {"statusCode": "200", "responseTemplates": {"application/json": "ok"}}},
}


def document(integration: Any = None, **root: Any) -> dict[str, Any]:
    operation = {
        "x-amazon-apigateway-integration": MOCK if integration is None else integration,
        "responses": {"200": {}},
    }
    return {"swagger": "2.0", "info": {"title": "t", "version": "1"}, "paths": {"/a/{b}": {"get": operation}}, **root}


def load(server: Server, given: Any, **options: Any) -> Any:
    body = given if isinstance(given, bytes) else json.dumps(given)
    return server.client("apigateway", key="222222222222").import_rest_api(body=body, **options)


def test_import_deploy_call(server: Server) -> None:
    client = server.client("apigateway", key="222222222222")
    api = load(server, document(**{"x-amazon-apigateway-binary-media-types": ["image/png"]}))
    assert (api["name"], api["version"], api["binaryMediaTypes"]) == ("t", "1", ["image/png"])
    assert [item["path"] for item in client.get_resources(restApiId=api["id"])["items"]] == ["/", "/a", "/a/{b}"]
    client.create_deployment(restApiId=api["id"], stageName="s")
    assert server.call(api["id"], "/s/a/1").body == b"ok"


def test_yaml_variables_and_any(server: Server) -> None:
    arn = make_function(
        server, "imported", "def handler(e, c):\n    return {'statusCode': 200, 'body': e['httpMethod']}\n"
    )
    server.client("lambda").add_permission(
        FunctionName="imported", StatementId="s", Action="lambda:InvokeFunction", Principal="apigateway.amazonaws.com"
    )
    text = f"""
openapi: 3.0.1
info: {{title: yaml, version: 2026-01-01}}
servers: [{{url: "/x", x-amazon-apigateway-endpoint-configuration: {{disableExecuteApiEndpoint: false}}}}]
paths:
  /{{proxy+}}:
    x-amazon-apigateway-any-method:
      x-amazon-apigateway-integration:
        type: aws_proxy
        httpMethod: POST
        uri: arn:${{AWS::Partition}}:apigateway:${{AWS::Region}}:lambda:path/2015-03-31/functions/{arn}/invocations
"""
    client = server.client("apigateway")
    api = client.import_rest_api(body=text)
    assert (api["name"], api["version"]) == ("yaml", "2026-01-01")
    client.create_deployment(restApiId=api["id"], stageName="s")
    assert server.call(api["id"], "/s/x/y", method="DELETE").body == b"DELETE"


def test_what_is_not_done_is_reported(server: Server) -> None:
    given = document(**{"x-amazon-apigateway-cors": {}, "x-amazon-apigateway-importexport-version": "1.0"})
    warnings = load(server, given)["warnings"]
    assert warnings == [
        "Ignoring x-amazon-apigateway-cors: HTTP APIs alone have it",
        "Ignoring x-amazon-apigateway-importexport-version: HTTP APIs alone have it",
    ]
    client = server.client("apigateway", key="444444444444")
    with pytest.raises(ClientError) as caught:
        client.import_rest_api(body=json.dumps(given), failOnWarnings=True)
    assert caught.value.response["Error"]["Message"] == "Warnings found during import:\n\t" + "\n\t".join(warnings)
    assert client.get_rest_apis()["items"] == []


def test_a_guarded_method_is_never_served_open(server: Server) -> None:
    client = server.client("apigateway", key="222222222222")
    scheme = {"type": "apiKey", "name": "Authorization", "in": "header", "x-amazon-apigateway-authtype": "awsSigv4"}
    api = load(server, document(securityDefinitions={"iam": scheme}, security=[{"iam": []}]))
    client.create_deployment(restApiId=api["id"], stageName="s")
    answer = server.call(api["id"], "/s/a/1")
    assert (answer.status, answer.json) == (403, {"message": "Missing Authentication Token"})
    assert answer.header("x-amz-apigw-id") is not None


def test_a_disabled_endpoint_is_closed(server: Server) -> None:
    client = server.client("apigateway", key="222222222222")
    api = load(server, document(**{"x-amazon-apigateway-endpoint-configuration": {"disableExecuteApiEndpoint": True}}))
    assert api["disableExecuteApiEndpoint"] is True
    client.create_deployment(restApiId=api["id"], stageName="s")
    assert server.call(api["id"], "/s/a/1").status == 403


def test_overwrite_and_merge(server: Server) -> None:
    client = server.client("apigateway", key="222222222222")
    first = document(**{"x-amazon-apigateway-binary-media-types": ["image/png"]})
    api = load(server, first)
    second = {"swagger": "2.0", "info": {"title": "u"}, "paths": {"/c": {"get": first["paths"]["/a/{b}"]["get"]}}}
    merged = client.put_rest_api(restApiId=api["id"], mode="merge", body=json.dumps(second))
    assert (merged["name"], merged["binaryMediaTypes"]) == ("u", ["image/png"])
    assert len(client.get_resources(restApiId=api["id"])["items"]) == 4
    replaced = client.put_rest_api(restApiId=api["id"], mode="overwrite", body=json.dumps(second))
    assert "binaryMediaTypes" not in replaced
    assert [item["path"] for item in client.get_resources(restApiId=api["id"])["items"]] == ["/", "/c"]


BAD: dict[str, Any] = {
    "no openapi": {"paths": {}},
    "not yaml": b"a: [",
    "a list": [],
    "paths is a list": {"swagger": "2.0", "info": {}, "paths": [1]},
    "info is text": {"swagger": "2.0", "info": "x", "paths": {}},
    "path is text": {"swagger": "2.0", "info": {}, "paths": {"/a": "x"}},
    "integration is text": document("mock"),
    "uri is a number": document({"type": "http_proxy", "httpMethod": "GET", "uri": 5}),
    "timeout is text": document({**MOCK, "timeoutInMillis": "soon"}),
    "type": document({"type": "nonsense"}),
    "status": document({**MOCK, "responses": {"default": {"statusCode": "abc"}}}),
    "pattern": document({**MOCK, "responses": {"*": {"statusCode": "200"}}}),
    "passthrough": document({**MOCK, "passthroughBehavior": "bogus"}),
    "verb": document({"type": "http_proxy", "httpMethod": "GET / HTTP/1.1\r\nX: y\r\nA:", "uri": "http://x.example/"}),
    "line break": document({"type": "http_proxy", "httpMethod": "GET", "uri": "http://x.example/\r\nX: y"}),
    "binary types": document(**{"x-amazon-apigateway-binary-media-types": "image/png"}),
    "key source": document(**{"x-amazon-apigateway-api-key-source": "BOGUS"}),
    "unresolvable": {"swagger": "2.0", "info": {}, "paths": {"/a": {"get": {"parameters": [{"$ref": "#/no"}]}}}},
    "circular": {"swagger": "2.0", "a": {"$ref": "#/a"}, "paths": {"/a": {"get": {"parameters": [{"$ref": "#/a"}]}}}},
}


@pytest.mark.parametrize("case", BAD)
def test_bad_files_are_refused_whole(server: Server, case: str) -> None:
    client = server.client("apigateway", key="333333333333")
    with pytest.raises(ClientError) as caught:
        client.import_rest_api(body=BAD[case] if isinstance(BAD[case], bytes) else json.dumps(BAD[case]))
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 400
    assert caught.value.response["Error"]["Code"] == "BadRequestException"
    assert client.get_rest_apis()["items"] == []


def test_a_null_response_is_the_default_one(server: Server) -> None:
    client = server.client("apigateway", key="222222222222")
    api = load(server, document({**MOCK, "responses": {"default": None}}))
    client.create_deployment(restApiId=api["id"], stageName="s")
    assert server.call(api["id"], "/s/a/1").status == 200
