"""Private integrations: HTTP and HTTP_PROXY through a VPC link, whose tag `_address_` says where it leads."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.backend import Backend
from tests.support.running import ApiBuilder, Server

BALANCER = "arn:aws:elasticloadbalancing:us-east-1:000000000000:loadbalancer/net/n/50dc6c495c0c9188"


def link(server: Server, backend: Backend | None) -> str:
    tags = {} if backend is None else {"_address_": backend.url.removeprefix("http://")}
    made = server.client("apigateway").create_vpc_link(name="l", targetArns=[BALANCER], tags=tags)
    return str(made["id"])


@pytest.fixture
def other() -> Iterator[Backend]:
    running = Backend().start()
    yield running
    running.stop()


def test_both_types_go_to_the_links_address_under_the_name_of_the_uri(server: Server, backend: Backend) -> None:
    private = {"connectionType": "VPC_LINK", "connectionId": link(server, backend)}
    api = ApiBuilder(server)
    mapped = {"integration.request.path.id": "method.request.path.id"}
    api.proxy_to(
        "/proxy/{id}",
        "ANY",
        "http://private.example.com/v/{id}?a=1",
        declare={"method.request.path.id": True},
        requestParameters=mapped,
        **private,
    )
    template = {"application/json": '{"seen":$input.json("$.x")}'}
    custom = {"type": "HTTP", "integrationHttpMethod": "PUT", "uri": "http://private.example.com:8080/custom"}
    api.method("/custom", "POST", {**custom, **private, "requestTemplates": template})
    api.answers("/custom", "POST", {"200": {"responseTemplates": {"application/json": '$input.json("$.target")'}}})
    id_ = api.deploy()
    answer = server.call(id_, "/prod/proxy/7?b=2", method="POST", body=b"{}")
    assert answer.json["target"] == "/v/7?a=1&b=2"
    assert backend.received[-1].header("Host") == "private.example.com"
    assert backend.received[-1].header("x-amzn-apigateway-api-id") == id_
    headers = {"Content-Type": "application/json"}
    assert server.call(id_, "/prod/custom", method="POST", body=b'{"x": [1]}', headers=headers).json == "/custom"
    got = backend.received[-1]
    assert (got.method, got.body, got.header("Host")) == ("PUT", b'{"seen":[1]}', "private.example.com:8080")


def test_a_stage_variable_names_the_link(server: Server, backend: Backend, other: Backend) -> None:
    connection = {"connectionType": "VPC_LINK", "connectionId": "${stageVariables.link}"}
    api = ApiBuilder(server).proxy_to("/x", "GET", "http://private.example.com/", **connection)
    first, second = link(server, backend), link(server, other)
    api.deploy("one", variables={"link": first})
    api.deploy("two", variables={"link": second})
    for stage, running in (("one", backend), ("two", other)):
        assert server.call(api.id, f"/{stage}/x").status == 200
        assert len(running.received) == 1
    change = [{"op": "replace", "path": "/variables/link", "value": second}]
    api.client.update_stage(restApiId=api.id, stageName="one", patchOperations=change)
    assert server.call(api.id, "/one/x").status == 200
    assert (len(backend.received), len(other.received)) == (1, 2)


def test_a_link_that_is_not_there_answers_500(server: Server, backend: Backend) -> None:
    connection = {"connectionType": "VPC_LINK", "connectionId": "${stageVariables.link}"}
    api = ApiBuilder(server).proxy_to("/x", "GET", "http://private.example.com/", **connection)
    for stage, variables in (("unset", {}), ("unknown", {"link": "nosuch"})):
        api.deploy(stage, variables=variables)
        answer = server.call(api.id, f"/{stage}/x")
        assert (answer.status, answer.body) == (500, b'{"message": "Internal server error"}')
    server.wait_for("Invalid VPC link: nosuch")
    gone = link(server, backend)
    api.deploy("gone", variables={"link": gone})
    assert server.call(api.id, "/gone/x").status == 200
    api.client.delete_vpc_link(vpcLinkId=gone)
    assert server.call(api.id, "/gone/x").status == 500


def test_a_link_moves_with_its_tag(server: Server, backend: Backend, other: Backend) -> None:
    id_ = link(server, backend)
    api = ApiBuilder(server).proxy_to(
        "/x", "GET", "http://private.example.com/", connectionType="VPC_LINK", connectionId=id_
    )
    api.deploy()
    arn = f"arn:aws:apigateway:us-east-1::/vpclinks/{id_}"
    assert server.call(api.id, "/prod/x").status == 200
    address = other.url.removeprefix("http://")
    api.client.tag_resource(resourceArn=arn, tags={"_address_": address})
    assert server.call(api.id, "/prod/x").status == 200
    assert (len(backend.received), len(other.received)) == (1, 1)
    # Without a tag, the URI's own host is called.
    api.client.untag_resource(resourceArn=arn, tagKeys=["_address_"])
    api.proxy_to("/y", "GET", f"{backend.url}/direct", connectionType="VPC_LINK", connectionId=id_).deploy()
    assert server.call(api.id, "/prod/y").json["target"] == "/direct"
