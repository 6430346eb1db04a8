"""Worlds to patch: for each kind of entity one, made anew, with whatever its patches may name."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

from tests.support.running import ApiBuilder

ACCOUNT = "717171717171"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/r"
POOL = f"arn:aws:cognito-idp:us-east-1:{ACCOUNT}:userpool/us-east-1_"
CERTIFICATE = f"arn:aws:acm:us-east-1:{ACCOUNT}:certificate/"
LOG_GROUP = f"arn:aws:logs:us-east-1:{ACCOUNT}:log-group:g"
BALANCER = f"arn:aws:elasticloadbalancing:us-east-1:{ACCOUNT}:loadbalancer/net/n/1"
DECLARED = {"method.request.header.A": False, "method.request.header.B": False}
POLICY = '{"Statement":{"Effect":"Allow","Principal":"*","Action":"execute-api:Invoke","Resource":"execute-api:/*"}}'


def invocation(name: str) -> str:
    function = f"arn:aws:lambda:us-east-1:{ACCOUNT}:function:{name}"
    return f"arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/{function}/invocations"


@dataclass
class World:
    """An API with everything in it, made anew for every case: patches must not see each other."""

    client: Any
    serial: int
    names: dict[str, str] = field(default_factory=dict)
    """What `<name>` stands for in paths and values."""

    def fill(self, text: str | None) -> str | None:
        return None if text is None else re.sub(r"<(\w+)>", lambda found: self.names[found[1]], text)


def api(world: World) -> dict[str, Any]:
    made = world.client.create_rest_api(name="n", description="d", binaryMediaTypes=["a/b"])
    world.names["api"], world.names["root"] = made["id"], made["rootResourceId"]
    return {"restApiId": made["id"]}


def private_api(world: World) -> dict[str, Any]:
    kind = {"types": ["PRIVATE"], "vpcEndpointIds": ["vpce-1"]}
    return {"restApiId": world.client.create_rest_api(name="n", endpointConfiguration=kind)["id"]}


def regional_api(world: World) -> dict[str, Any]:
    kind = {"types": ["REGIONAL"]}
    return {"restApiId": world.client.create_rest_api(name="n", endpointConfiguration=kind)["id"]}


def built(world: World) -> ApiBuilder:
    builder = ApiBuilder.__new__(ApiBuilder)
    builder.client, builder.id = world.client, api(world)["restApiId"]
    builder.resources = {"/": world.names["root"]}
    return builder


def resource(world: World) -> dict[str, Any]:
    builder = built(world)
    world.names["other"] = builder.resource("/other")
    return {"restApiId": builder.id, "resourceId": builder.resource("/a")}


def method(world: World) -> dict[str, Any]:
    builder = built(world)
    at = {"restApiId": builder.id, "resourceId": builder.resource("/a"), "httpMethod": "GET"}
    scopes = {"name": "c", "type": "COGNITO_USER_POOLS", "providerARNs": [POOL + "a"]}
    authorizer = world.client.create_authorizer(
        restApiId=builder.id, identitySource="method.request.header.A", **scopes
    )
    second = world.client.create_authorizer(
        restApiId=builder.id, identitySource="method.request.header.A", **{**scopes, "name": "d"}
    )
    world.names["authorizer"] = second["id"]
    world.names["validator"] = world.client.create_request_validator(restApiId=builder.id, name="v")["id"]
    world.client.put_method(
        **at,
        authorizationType="COGNITO_USER_POOLS",
        authorizerId=authorizer["id"],
        authorizationScopes=["a/b"],
        requestParameters={"method.request.header.A": False},
        requestModels={"application/json": "Empty"},
    )
    return at


def integration(world: World) -> dict[str, Any]:
    builder = built(world)
    at = {"restApiId": builder.id, "resourceId": builder.resource("/a"), "httpMethod": "GET"}
    world.client.put_method(**at, authorizationType="NONE", requestParameters=DECLARED)
    world.names["link"] = world.client.create_vpc_link(name="l", targetArns=[BALANCER])["id"]
    world.client.put_integration(
        **at,
        type="HTTP",
        integrationHttpMethod="GET",
        uri="http://example.com/",
        requestParameters={"integration.request.header.A": "'a'"},
        requestTemplates={"application/json": "{}"},
        cacheKeyParameters=["method.request.header.A"],
    )
    return at


def responses(world: World) -> dict[str, Any]:
    at = integration(world)
    world.client.put_method_response(
        **at,
        statusCode="200",
        responseParameters={"method.response.header.A": False, "method.response.header.B": False},
        responseModels={"application/json": "Empty"},
    )
    world.client.put_integration_response(
        **at,
        statusCode="200",
        responseParameters={"method.response.header.A": "'a'"},
        responseTemplates={"application/json": "{}"},
    )
    return {**at, "statusCode": "200"}


def stage(world: World) -> dict[str, Any]:
    builder = built(world).mock("/a", "GET", "{}")
    world.names["first"] = world.client.create_deployment(restApiId=builder.id, stageName="s")["id"]
    canary = {"percentTraffic": 5.0, "stageVariableOverrides": {"v": "y"}}
    world.names["second"] = world.client.create_deployment(
        restApiId=builder.id, stageName="s", variables={"v": "x"}, canarySettings=canary
    )["id"]
    world.client.create_documentation_version(restApiId=builder.id, documentationVersion="1")
    world.names["certificate"] = world.client.generate_client_certificate()["clientCertificateId"]
    at = {"restApiId": builder.id, "stageName": "s"}
    changes = {
        "/~1a/GET/throttling/rateLimit": "7",
        "/accessLogSettings/destinationArn": LOG_GROUP,
        "/accessLogSettings/format": "$context.requestId",
    }
    world.client.update_stage(
        **at, patchOperations=[{"op": "replace", "path": path, "value": value} for path, value in changes.items()]
    )
    return at


def gateway_response(world: World) -> dict[str, Any]:
    at = {**api(world), "responseType": "DEFAULT_4XX"}
    world.client.put_gateway_response(
        **at, responseParameters={"gatewayresponse.header.A": "'a'"}, responseTemplates={"text/plain": "t"}
    )
    return at


def plan(world: World) -> dict[str, Any]:
    at_stage = stage(world)
    world.names["in_plan"] = f"{at_stage['restApiId']}:s"
    world.client.create_deployment(restApiId=at_stage["restApiId"], stageName="t")
    world.names["not_in_plan"] = f"{at_stage['restApiId']}:t"
    throttle = {"/a/GET": {"rateLimit": 1.0, "burstLimit": 1}}
    plan = world.client.create_usage_plan(
        name="n",
        apiStages=[{"apiId": at_stage["restApiId"], "stage": "s", "throttle": throttle}],
        quota={"limit": 10, "period": "MONTH"},
        throttle={"rateLimit": 2.0, "burstLimit": 2},
    )
    world.client.update_usage_plan(
        usagePlanId=plan["id"], patchOperations=[{"op": "add", "path": "/productCode", "value": "p"}]
    )
    return {"usagePlanId": plan["id"]}


def usage(world: World) -> dict[str, Any]:
    at = plan(world)
    key = world.client.create_api_key(name="n")["id"]
    world.client.create_usage_plan_key(**at, keyId=key, keyType="API_KEY")
    return {**at, "keyId": key}


def key(world: World) -> dict[str, Any]:
    at_stage = stage(world)
    world.names["stage_key"] = f"{at_stage['restApiId']}/s"
    return {"apiKey": world.client.create_api_key(name="n")["id"]}


def token_authorizer(world: World) -> dict[str, Any]:
    made = world.client.create_authorizer(
        **api(world), name="n", type="TOKEN", authorizerUri=invocation("f"), identitySource="method.request.header.A"
    )
    return {"restApiId": world.names["api"], "authorizerId": made["id"]}


def pool_authorizer(world: World) -> dict[str, Any]:
    made = world.client.create_authorizer(
        **api(world),
        name="n",
        type="COGNITO_USER_POOLS",
        providerARNs=[POOL + "a", POOL + "b"],
        identitySource="method.request.header.A",
    )
    return {"restApiId": world.names["api"], "authorizerId": made["id"]}


def domain(world: World, **options: Any) -> dict[str, Any]:
    name = f"d{world.serial}.example.com"
    given = {"regionalCertificateArn": CERTIFICATE + "1", "endpointConfiguration": {"types": ["REGIONAL"]}, **options}
    world.client.create_domain_name(domainName=name, securityPolicy="TLS_1_2", **given)
    return {"domainName": name}


def edge_domain(world: World) -> dict[str, Any]:
    name = f"e{world.serial}.example.com"
    world.client.create_domain_name(domainName=name, certificateArn=CERTIFICATE + "1", certificateName="n")
    return {"domainName": name}


def both_domain(world: World) -> dict[str, Any]:
    at = edge_domain(world)
    changes = [("/endpointConfiguration/types", "REGIONAL"), ("/regionalCertificateArn", CERTIFICATE + "2")]
    world.client.update_domain_name(
        **at, patchOperations=[{"op": "add", "path": path, "value": value} for path, value in changes]
    )
    return at


def private_domain(world: World) -> dict[str, Any]:
    name = f"p{world.serial}.example.com"
    made = world.client.create_domain_name(
        domainName=name, certificateArn=CERTIFICATE + "1", endpointConfiguration={"types": ["PRIVATE"]}
    )
    return {"domainName": name, "domainNameId": made["domainNameId"]}


def request_authorizer(world: World) -> dict[str, Any]:
    made = world.client.create_authorizer(
        **api(world),
        name="n",
        type="REQUEST",
        authorizerUri=invocation("f"),
        identitySource="method.request.header.A",
    )
    return {"restApiId": world.names["api"], "authorizerId": made["id"]}


def mapping(world: World) -> dict[str, Any]:
    at, at_stage = domain(world), stage(world)
    builder = built(world).mock("/", "GET")
    builder.deploy("s")
    world.client.create_base_path_mapping(**at, basePath="a", restApiId=at_stage["restApiId"], stage="s")
    return {**at, "basePath": "a"}


def drop(at: dict[str, Any], name: str) -> dict[str, Any]:
    return {key: value for key, value in at.items() if key != name}


def part(world: World) -> dict[str, Any]:
    at = api(world)
    made = world.client.create_documentation_part(**at, location={"type": "API"}, properties="{}")
    return {**at, "documentationPartId": made["id"]}


def validator(world: World) -> dict[str, Any]:
    at = api(world)
    return {**at, "requestValidatorId": world.client.create_request_validator(**at, name="n")["id"]}


def link(world: World) -> dict[str, Any]:
    return {"vpcLinkId": world.client.create_vpc_link(name="l", targetArns=[BALANCER])["id"]}
