"""Hostile calls of every operation of user pools: each is answered with one of AWS's errors, none with a traceback, and nobody
reaches the pool of another account."""

from __future__ import annotations

import http.client
import random
from collections.abc import Iterator
from urllib.parse import urlencode

import pytest

from tests.support.hostile import TEXTS, Call, Hostility
from tests.support.pools import PASSWORD, Pool
from tests.support.running import Server
from tidegate.aws.model import load_service_model
from tidegate.control.cognito_idp.service import OPERATIONS

SERVICE = load_service_model("cognito-idp")
ROUNDS = 3


@pytest.fixture(scope="module")
def attacked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    running = Server(tmp_path_factory.mktemp("attacked")).start()
    yield running
    running.stop()


class Caller:
    def __init__(self, server: Server, account: str = "test") -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)
        scope = f"{account}/20260101/us-east-1/cognito-idp/aws4_request"
        self._authorization = f"AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature=0"

    def send(self, call: Call) -> tuple[int, bytes]:
        head = {
            "X-Amz-Target": f"AWSCognitoIdentityProviderService.{call.operation}",
            "Authorization": self._authorization,
        }
        self._connection.request("POST", "/", body=call.body, headers=head)
        answer = self._connection.getresponse()
        body = answer.read()
        assert answer.status in (200, 400), (call, answer.status, body)
        assert answer.status == 200 or b'"__type":"' in body, (call, body)
        return answer.status, body


def world(server: Server) -> dict[str, list[str]]:
    pool = Pool(server, AutoVerifiedAttributes=["email"])
    client = pool.client()
    pool.user("ann", email="ann@example.com", email_verified="true")
    tokens = pool.sign_in(client, "ann")
    pool.api.create_group(UserPoolId=pool.id, GroupName="g")
    scopes = [{"ScopeName": "read", "ScopeDescription": "reads"}]
    pool.api.create_resource_server(UserPoolId=pool.id, Identifier="pets", Name="Pets", Scopes=scopes)
    return {
        "userpoolid": [pool.id],
        "clientid": [client],
        "username": ["ann", "ann", "bob"],
        "accesstoken": [tokens["AccessToken"]],
        "token": [tokens["RefreshToken"]],
        "groupname": ["g"],
        "identifier": ["pets"],
        "resourcearn": [pool.arn],
        "password": [PASSWORD],
        "proposedpassword": [PASSWORD],
        "previouspassword": [PASSWORD],
        "name": ["email", "name", "custom:a"],
        "attributename": ["email"],
        "confirmationcode": ["123456"],
        "code": ["123456"],
        "authflow": ["USER_PASSWORD_AUTH", "USER_SRP_AUTH", "REFRESH_TOKEN_AUTH"],
        "challengename": ["PASSWORD_VERIFIER", "NEW_PASSWORD_REQUIRED"],
        "domain": ["tide-hostile"],
        "filter": ['username ^= "a"', 'email = "ann@example.com"'],
    }


def test_every_operation(attacked: Server) -> None:
    chance, caller = random.Random(4711), Caller(attacked)
    done: set[str] = set()
    for _ in range(ROUNDS):
        hostility = Hostility(chance, world(attacked), wrong=0.08)
        for name in sorted(OPERATIONS, key=lambda each: (each.startswith(("Delete", "AdminDelete")), chance.random())):
            status, _ = caller.send(hostility.call(SERVICE.operation_model(name)))
            if status == 200:
                done.add(name)
    assert len(done) > 30, sorted(set(OPERATIONS) - done)
    assert [line for line in attacked.messages if "Traceback" in line or " failed" in line or "ERROR" in line] == []


def test_hosted_endpoints(attacked: Server) -> None:
    pool, chance = Pool(attacked), random.Random(4712)
    uri = "https://app.example.com/back"
    oauth = {"AllowedOAuthFlows": ["code"], "AllowedOAuthScopes": ["openid"], "AllowedOAuthFlowsUserPoolClient": True}
    likely = {
        "client_id": pool.client(**oauth, CallbackURLs=[uri], LogoutURLs=[uri]),
        "redirect_uri": uri,
        "logout_uri": uri,
        "response_type": "code",
        "scope": "openid",
        "grant_type": "authorization_code",
        "_csrf": "a" * 32,
        "username": "nobody",
        **dict.fromkeys(("password", "code", "refresh_token", "token", "state", "nonce", "code_challenge"), "x"),
    }
    heads = ("Basic x", "Basic \xe9", "Basic Og==", "Bearer x", "")
    cookies = ("XSRF-TOKEN=" + "a" * 32, "cognito=x", 'cognito="\\073"', "a=b; ;;=", "\xe9=\xff")
    texts = [text for text in TEXTS if len(text) < 3000]

    def arguments() -> str:
        chosen = [name for name in likely if chance.random() < 0.8]
        values = [likely[name] if chance.random() < 0.9 else chance.choice(texts) for name in chosen]
        return urlencode([(name, value.encode("utf-8", "replace")) for name, value in zip(chosen, values, strict=True)])

    statuses = set()
    for _ in range(300):
        path = chance.choice(
            ["oauth2/authorize", "oauth2/token", "login", "logout", "oauth2/userInfo", "oauth2/revoke"]
        )
        head = {"Content-Type": "application/x-www-form-urlencoded", "Authorization": chance.choice(heads)}
        answer = attacked.request(
            chance.choice(["GET", "POST"]),
            f"/_aws/cognito-idp/{pool.id}/{path}?{arguments()}",
            body=arguments().encode(),
            headers={**head, "Cookie": chance.choice(cookies)},
        )
        assert answer.status < 500, (path, answer)
        location = answer.header("Location")
        assert location is None or location.startswith((uri, f"/_aws/cognito-idp/{pool.id}/login?"))
        statuses.add(answer.status)
    assert {200, 302, 400, 401, 403, 404} >= statuses >= {200, 302, 400}
    assert [line for line in attacked.messages if "Traceback" in line] == []


def test_another_account_reaches_nothing(attacked: Server) -> None:
    ids = world(attacked)
    pool, caller = ids["userpoolid"][0], Caller(attacked, "222222222222")
    chance = random.Random(1)
    for name in OPERATIONS:
        shape = SERVICE.operation_model(name).input_shape
        if "UserPoolId" in shape.members:
            status, body = caller.send(Hostility(chance, ids, wrong=0).call(SERVICE.operation_model(name)))
            assert status == 400, (name, body)
    assert attacked.client("cognito-idp").describe_user_pool(UserPoolId=pool)["UserPool"]["EstimatedNumberOfUsers"] == 1
