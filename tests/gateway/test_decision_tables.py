"""AWS's tables of who may call a method, every row through the running program: four resource policies, and behind each a method
of every authorization type. The rows are those of tests/aws/policy.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.aws.policy.cases import cases
from tests.support.callers import Keys, allow, deny, document, invoke, make_user
from tests.support.pools import Pool
from tests.support.running import Answer, ApiBuilder, Server, lambda_uri, make_function

INVOKE = "execute-api:Invoke"
SAYINGS = ("none", "silent", "allow", "deny")
OWN, OTHER = "000000000000", "131313131313"
IDENTITIES = {
    "none": [], "silent": [allow("s3:*")], "allow": [allow(INVOKE)], "deny": [allow(INVOKE), deny(INVOKE)],
}  # fmt: skip
AUTHORIZER = """
def handler(event, context):
    def statement(effect, resource):
        return {"Effect": effect, "Action": "execute-api:Invoke", "Resource": resource}
    said = {"silent": [statement("Allow", "none")], "allow": [statement("Allow", "*")],
            "deny": [statement("Allow", "*"), statement("Deny", "*")]}[event["authorizationToken"]]
    return {"principalId": "p", "policyDocument": {"Version": "2012-10-17", "Statement": said}}
"""


def resource_policy(says: str) -> dict[str, str]:
    everybody = {"Principal": "*", "Action": INVOKE, "Resource": "execute-api:/*"}
    statements = {
        "allow": [{"Effect": "Allow", **everybody}],
        "silent": [{"Effect": "Allow", **everybody, "Resource": "execute-api:/other/*"}],
        "deny": [{"Effect": "Allow", **everybody}, {"Effect": "Deny", **everybody}],
    }
    return {} if says == "none" else {"policy": document(*statements[says])}


class World:
    def __init__(self, server: Server) -> None:
        self.server = server
        self.function = make_function(server, "table-authorizer", AUTHORIZER)
        server.client("lambda").add_permission(
            FunctionName="table-authorizer", StatementId="s", Action="lambda:InvokeFunction",
            Principal="apigateway.amazonaws.com",
        )  # fmt: skip
        self.pool = Pool(server)
        self.pool.user("ann")
        self.token = self.pool.sign_in(self.pool.client(), "ann")["IdToken"]
        self.users: dict[str, dict[str, Keys]] = {}
        for kind, account in (("IAM", OWN), ("CROSS", OTHER)):
            iam = server.client("iam", key=account)
            self.users[kind] = {says: make_user(iam, f"table-{says}", *given) for says, given in IDENTITIES.items()}
        self.apis = {says: self.api(**resource_policy(says)) for says in SAYINGS}

    def api(self, **options: Any) -> str:
        built = ApiBuilder(self.server, **options)
        guards: dict[str, dict[str, str]] = {
            "none": {"authorizationType": "NONE"},
            "iam": {"authorizationType": "AWS_IAM"},
            "custom": {"authorizationType": "CUSTOM", "authorizerId": self.authorizer(built, "TOKEN")},
            "pool": {
                "authorizationType": "COGNITO_USER_POOLS",
                "authorizerId": self.authorizer(built, "COGNITO_USER_POOLS"),
            },
        }
        for name, guard in guards.items():
            built.mock(f"/{name}", "GET", body="in")
            patches = [{"op": "replace", "path": f"/{key}", "value": value} for key, value in guard.items()]
            built.client.update_method(
                restApiId=built.id, resourceId=built.resources[f"/{name}"], httpMethod="GET", patchOperations=patches
            )
        return built.deploy()

    def authorizer(self, built: ApiBuilder, kind: str) -> str:
        own = {"authorizerUri": lambda_uri(self.function)} if kind == "TOKEN" else {"providerARNs": [self.pool.arn]}
        made = built.client.create_authorizer(
            restApiId=built.id, name=kind, type=kind, identitySource="method.request.header.Authorization", **own
        )
        return str(made["id"])

    def ask(self, authorization: str, identity: str, resource: str) -> Answer:
        api = self.apis[resource]
        asks: dict[str, Callable[[], Answer]] = {
            "NONE": lambda: self.server.call(api, "/prod/none"),
            "CUSTOM": lambda: self.server.call(api, "/prod/custom", headers={"Authorization": identity}),
            "COGNITO": lambda: self.server.call(api, "/prod/pool", headers={"Authorization": self.token}),
        }
        if authorization in asks:
            return asks[authorization]()
        return invoke(self.server, api, "/prod/iam", self.users[authorization][identity])


@pytest.fixture(scope="module")
def world(server: Server) -> World:
    return World(server)


@pytest.mark.parametrize("row", cases("workflow"), ids=" ".join)
def test_a_row(world: World, row: list[str]) -> None:
    authorization, identity, resource, decision, named = row
    answer = world.ask(authorization, identity, resource)
    if decision == "allowed":
        assert (answer.status, answer.body) == (200, b"in")
        return
    assert (answer.status, answer.header("x-amzn-ErrorType")) == (403, "AccessDeniedException")
    message = answer.json["Message"]
    policy = f"{named}-based policy"
    if decision == "explicitDeny":
        assert message.endswith(f" with an explicit deny in a{'n' * (named == 'identity')} {policy}")
    else:
        assert message.endswith(f" because no {policy} allows the execute-api:Invoke action")


@pytest.mark.parametrize("resource", SAYINGS)
def test_who_proves_nothing_is_told_nothing(world: World, resource: str) -> None:
    """Authentication comes before policies; but what the resource policy denies, no authorizer is asked about."""
    call, api = world.server.call, world.apis[resource]
    assert call(api, "/prod/iam").json == {"message": "Missing Authentication Token"}
    assert call(api, "/prod/pool", headers={"Authorization": "x"}).status == 401
    assert call(api, "/prod/custom").status == (403 if resource == "deny" else 401)
