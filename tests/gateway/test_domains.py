"""Custom domains: which base path serves a request, and what the API and its backend see of it."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.support.backend import Backend
from tests.support.running import Answer, ApiBuilder, Server, make_function

CERTIFICATE = "arn:aws:acm:us-east-1:000000000000:certificate/11111111-2222-3333-4444-555555555555"


def make_domain(server: Server, name: str, **options: Any) -> None:
    server.client("apigateway").create_domain_name(
        domainName=name, regionalCertificateArn=CERTIFICATE, endpointConfiguration={"types": ["REGIONAL"]}, **options
    )


def map_to(server: Server, domain: str, base: str, api: ApiBuilder, stage: str | None = "prod") -> None:
    named = {} if stage is None else {"stage": stage}
    server.client("apigateway").create_base_path_mapping(domainName=domain, basePath=base, restApiId=api.id, **named)


def get(server: Server, host: str, target: str, **options: Any) -> Answer:
    return server.request("GET", target, headers={"Host": host, **options})


def api_saying(server: Server, text: str, *paths: str) -> ApiBuilder:
    api = ApiBuilder(server, text)
    for path in paths or ("/",):
        api.mock(path, "GET", body=f"{text}{path}")
    api.deploy()
    return api


def test_the_longest_base_path_serves(server: Server) -> None:
    make_domain(server, "longest.example.com")
    map_to(server, "longest.example.com", "(none)", api_saying(server, "A", "/customers", "/orders"))
    map_to(server, "longest.example.com", "orders", api_saying(server, "B", "/", "/items"))
    for target, body in (
        ("/customers", b"A/customers"),
        ("/orders", b"B/"),
        ("/orders/", b"B/"),
        ("/orders/items", b"B/items"),
        ("/orders/items?q=1", b"B/items"),
    ):
        answer = get(server, "longest.example.com", target)
        assert (answer.status, answer.body) == (200, body), target
    # AWS: segments are compared whole and with their case.
    assert get(server, "longest.example.com", "/ordersx").status == 403
    assert get(server, "LONGEST.example.com:8080", "/orders/items").body == b"B/items"


def test_without_a_mapping_the_answer_is_forbidden(server: Server) -> None:
    make_domain(server, "none.example.com")
    answer = get(server, "none.example.com", "/")
    assert (answer.status, answer.json) == (403, {"message": "Forbidden"})
    map_to(server, "none.example.com", "v1", api_saying(server, "V"))
    assert get(server, "none.example.com", "/v1").status == 200
    assert get(server, "none.example.com", "/v2").status == 403
    server.client("apigateway").delete_base_path_mapping(domainName="none.example.com", basePath="v1")
    assert get(server, "none.example.com", "/v1").status == 403


def test_a_mapping_without_a_stage_takes_it_from_the_path(server: Server) -> None:
    make_domain(server, "stages.example.com")
    map_to(server, "stages.example.com", "b", api_saying(server, "S", "/x"), stage=None)
    assert get(server, "stages.example.com", "/b/prod/x").body == b"S/x"
    assert get(server, "stages.example.com", "/b/nope/x").status == 403


def test_a_wildcard_stands_behind_exact_names(server: Server) -> None:
    make_domain(server, "*.wild.example.com")
    make_domain(server, "exact.wild.example.com")
    map_to(server, "*.wild.example.com", "(none)", api_saying(server, "W"))
    map_to(server, "exact.wild.example.com", "(none)", api_saying(server, "E"))
    assert get(server, "any.wild.example.com", "/").body == b"W/"
    assert get(server, "exact.wild.example.com", "/").body == b"E/"
    # AWS: the star stands for one label.
    assert get(server, "a.b.wild.example.com", "/").status == 403


def test_the_default_endpoint_may_be_disabled_beside_a_domain(server: Server) -> None:
    api = ApiBuilder(server, "closed", disableExecuteApiEndpoint=True).mock("/", "GET", body="in")
    api.deploy()
    make_domain(server, "closed.example.com")
    map_to(server, "closed.example.com", "(none)", api)
    assert server.call(api.id, "/prod/").status == 403
    assert get(server, "closed.example.com", "/").body == b"in"


def test_functions_and_backends_see_the_domain(server: Server, backend: Backend) -> None:
    arn = make_function(
        server, "domain-echo", "import json\ndef handler(e, c): return {'statusCode': 200, 'body': json.dumps(e)}"
    )
    server.client("lambda").add_permission(
        FunctionName="domain-echo",
        StatementId="s",
        Action="lambda:InvokeFunction",
        Principal="apigateway.amazonaws.com",
    )
    api = ApiBuilder(server, "seen").function("/{id}", "GET", arn)
    api.deploy()
    make_domain(server, "seen.example.com")
    map_to(server, "seen.example.com", "base", api)
    event = get(server, "seen.example.com", "/base/7").json
    assert (event["resource"], event["path"], event["pathParameters"]) == ("/{id}", "/base/7", {"id": "7"})
    context = event["requestContext"]
    assert (context["path"], context["stage"]) == ("/base/7", "prod")
    assert (context["domainName"], context["domainPrefix"]) == ("seen.example.com", "seen")


def test_the_access_log_names_the_base_path(server: Server) -> None:
    api = api_saying(server, "L")
    operation = {
        "op": "replace",
        "path": "/accessLogSettings/format",
        "value": "$context.requestId base=$context.customDomain.basePathMatched",
    }
    api.client.update_stage(restApiId=api.id, stageName="prod", patchOperations=[operation])
    make_domain(server, "logged.example.com")
    map_to(server, "logged.example.com", "deep", api)
    answer = get(server, "logged.example.com", "/deep")
    line = server.wait_for(answer.header("x-amzn-RequestId") or "", among=server.access_log)
    assert line.endswith("base=deep")


def test_health_checks_reach_no_api(server: Server) -> None:
    make_domain(server, "health.example.com")
    assert get(server, "health.example.com", "/ping").status == 200


def test_a_domain_serves_after_a_restart(tmp_path: Any) -> None:
    first = Server(tmp_path / "data").start()
    try:
        make_domain(first, "kept.example.com")
        map_to(first, "kept.example.com", "k", api_saying(first, "K"))
    finally:
        first.stop()
    second = Server(tmp_path / "data").start()
    try:
        assert get(second, "kept.example.com", "/k").body == b"K/"
        second.client("apigateway").delete_base_path_mapping(domainName="kept.example.com", basePath="k")
        second.client("apigateway").delete_domain_name(domainName="kept.example.com")
        # The host means nothing any more: no API, and no signature that names a service.
        assert get(second, "kept.example.com", "/k").json == {"message": "Missing Authentication Token"}
    finally:
        second.stop()


def test_an_api_that_a_domain_maps_cannot_be_deleted(server: Server) -> None:
    api = api_saying(server, "D")
    make_domain(server, "deleting.example.com")
    map_to(server, "deleting.example.com", "d", api)
    with pytest.raises(
        ClientError, match="Please remove all base path mappings related to the RestApi in your domains"
    ):
        api.client.delete_rest_api(restApiId=api.id)
    server.client("apigateway").delete_base_path_mapping(domainName="deleting.example.com", basePath="d")
    api.client.delete_rest_api(restApiId=api.id)
