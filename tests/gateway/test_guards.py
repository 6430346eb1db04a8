"""Who gets in: Lambda authorizers, signatures, user pools and resource policies, on the running program."""

from __future__ import annotations

import json
import time
from typing import Any

import botocore.auth
import jwt
import pytest
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from cryptography.hazmat.primitives.asymmetric import rsa

from tests.support.backend import Backend
from tests.support.running import Answer, ApiBuilder, Server, lambda_uri, make_function

DENIED = "User is not authorized to access this resource"
AUTHORIZER = """
import time
def handler(event, context):
    if event["type"] == "TOKEN":
        token = event["authorizationToken"]
    else:
        token = event["headers"]["Token"] + event["queryStringParameters"].get("q", "")
    if token == "unauthorized": raise Exception("Unauthorized")
    if token == "broken": raise Exception("else")
    if token == "none": return {"principalId": "p"}
    effect = "Deny" if token.startswith("deny") else "Allow"
    resource = event["methodArn"] if token.startswith("one") else event["methodArn"].split("/")[0] + "/*"
    return {"principalId": "me", "usageIdentifierKey": "k", "context": {"n": 1, "at": str(time.time_ns())},
            "policyDocument": {"Version": "2012-10-17", "Statement": [
                {"Action": "execute-api:Invoke", "Effect": effect, "Resource": resource}]}}
"""
ECHO = "import json\ndef handler(e, c): return {'statusCode': 200, 'body': json.dumps(e['requestContext'])}"


def allow(server: Server, name: str) -> None:
    server.client("lambda").add_permission(
        FunctionName=name, StatementId="s", Action="lambda:InvokeFunction", Principal="apigateway.amazonaws.com"
    )


@pytest.fixture(scope="module")
def functions(server: Server) -> dict[str, str]:
    made = {name: make_function(server, name, code) for name, code in (("guarding", AUTHORIZER), ("telling", ECHO))}
    for name in made:
        allow(server, name)
    return made


def guarded(server: Server, functions: dict[str, str], kind: str, **options: Any) -> ApiBuilder:
    api = ApiBuilder(server)
    authorizer = api.client.create_authorizer(
        restApiId=api.id, name="a", type=kind, authorizerUri=lambda_uri(functions["guarding"]), **options
    )["id"]
    for path in ("/a", "/b"):
        integration = {"type": "AWS_PROXY", "integrationHttpMethod": "POST", "uri": lambda_uri(functions["telling"])}
        api.method(path, "GET", integration, authorizationType="CUSTOM", authorizerId=authorizer)
    api.deploy()
    return api


def token(server: Server, api: ApiBuilder, value: str | None, path: str = "/prod/a") -> Answer:
    return server.call(api.id, path, headers={} if value is None else {"Token": value})


def test_a_token_authorizer_decides(server: Server, functions: dict[str, str]) -> None:
    api = guarded(
        server,
        functions,
        "TOKEN",
        identitySource="method.request.header.Token",
        identityValidationExpression="[a-z]+",
    )
    answer = token(server, api, "allow")
    given = answer.json["authorizer"]
    assert (answer.status, given["principalId"], given["n"]) == (200, "me", "1")
    assert isinstance(given["integrationLatency"], int)
    # The answer is kept, for every method of the stage.
    assert token(server, api, "allow", "/prod/b").json["authorizer"]["at"] == given["at"]
    api.client.flush_stage_authorizers_cache(restApiId=api.id, stageName="prod")
    assert token(server, api, "allow").json["authorizer"]["at"] != given["at"]
    for value in (None, "", "NOT-LOWER", "unauthorized"):
        refused = token(server, api, value)
        assert (refused.status, refused.json) == (401, {"message": "Unauthorized"}), value
    denied = token(server, api, "deny")
    assert (denied.status, denied.json) == (
        403,
        {"Message": f"{DENIED} with an explicit deny in an identity-based policy"},
    )
    assert denied.header("x-amzn-ErrorType") == "AccessDeniedException"
    # AWS: a kept policy that names one method denies the others until it expires.
    assert token(server, api, "one").status == 200
    other = token(server, api, "one", "/prod/b")
    assert other.json["Message"].startswith(DENIED)
    for value in ("broken", "none"):
        failed = token(server, api, value)
        assert (failed.status, failed.json) == (500, {"message": None})
        assert failed.header("x-amzn-ErrorType") == "AuthorizerConfigurationException"


def test_a_request_authorizer_needs_all_its_sources(server: Server, functions: dict[str, str]) -> None:
    api = guarded(
        server, functions, "REQUEST", identitySource="method.request.header.Token, method.request.querystring.q"
    )
    assert token(server, api, "allow", "/prod/a?q=x").status == 200
    assert token(server, api, "deny", "/prod/a?q=x").status == 403
    assert token(server, api, "allow", "/prod/a").status == 401
    assert token(server, api, None, "/prod/a?q=x").status == 401


def signed(server: Server, api: str, path: str, *, key: str = "test", secret: str = "test") -> Answer:
    host = f"{api}.execute-api.us-east-1.amazonaws.com"
    request = AWSRequest(method="GET", url=f"https://{host}{path}", headers={"Host": host})
    botocore.auth.SigV4Auth(Credentials(key, secret), "execute-api", "us-east-1").add_auth(request)
    return server.call(api, path, headers=dict(request.headers.items()))


def test_a_signature_lets_in(server: Server) -> None:
    api = ApiBuilder(server).mock("/s", "GET", body="$context.identity.userArn")
    patch = [{"op": "replace", "path": "/authorizationType", "value": "AWS_IAM"}]
    api.client.update_method(restApiId=api.id, resourceId=api.resources["/s"], httpMethod="GET", patchOperations=patch)
    api.deploy()
    assert signed(server, api.id, "/prod/s").body == b"arn:aws:iam::000000000000:root"
    unsigned = server.call(api.id, "/prod/s")
    assert (unsigned.status, unsigned.json) == (403, {"message": "Missing Authentication Token"})
    wrong = signed(server, api.id, "/prod/s", secret="other")
    assert (wrong.status, wrong.header("x-amzn-ErrorType")) == (403, "InvalidSignatureException")
    unknown = signed(server, api.id, "/prod/s", key="AKIDNOBODY")
    assert (unknown.status, unknown.header("x-amzn-ErrorType")) == (403, "UnrecognizedClientException")
    # Another account's root needs a resource policy that lets it in.
    assert signed(server, api.id, "/prod/s", key="222222222222").status == 403


def test_a_resource_policy_decides_about_open_methods(server: Server) -> None:
    statements = [
        {"Effect": "Allow", "Principal": "*", "Action": "execute-api:Invoke", "Resource": "execute-api:/*"},
        {"Effect": "Deny", "Principal": "*", "Action": "execute-api:Invoke", "Resource": "execute-api:/prod/GET/shut"},
    ]
    policy = json.dumps({"Version": "2012-10-17", "Statement": statements})
    api = ApiBuilder(server, policy=policy).mock("/open", "GET", body="in").mock("/shut", "GET")
    api.deploy()
    assert server.call(api.id, "/prod/open").body == b"in"
    denied = server.call(api.id, "/prod/shut")
    assert denied.status == 403
    assert denied.json == {
        "Message": "User: anonymous is not authorized to perform: execute-api:Invoke on resource: "
        f"arn:aws:execute-api:us-east-1:********0000:{api.id}/prod/GET/shut with an explicit deny in a resource-based policy"
    }


class Pool:
    """A user pool: a key pair, its key set at a backend, and tokens."""

    def __init__(self, backend: Backend) -> None:
        self.id = "us-east-1_Testing"
        self.key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        public = json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(self.key.public_key()))
        keys = json.dumps({"keys": [{**public, "kid": "k1", "use": "sig", "alg": "RS256"}]}).encode()
        backend.answer = lambda _: (200, [("Content-Type", "application/json")], keys)

    def token(self, *, kid: str = "k1", alg: str = "RS256", key: Any = None, **claims: Any) -> str:
        issuer = f"https://cognito-idp.us-east-1.amazonaws.com/{self.id}"
        given = {"iss": issuer, "token_use": "id", "aud": "client", "sub": "u", "exp": time.time() + 300, **claims}
        return jwt.encode(given, key or (None if alg == "none" else self.key), algorithm=alg, headers={"kid": kid})


def test_tokens_of_a_user_pool(tmp_path: Any, backend: Backend) -> None:
    pool = Pool(backend)
    server = Server(tmp_path / "data", environment={"AWS_ENDPOINT_URL_COGNITO_IDENTITY_PROVIDER": backend.url}).start()
    try:
        api = ApiBuilder(server)
        arn = f"arn:aws:cognito-idp:us-east-1:000000000000:userpool/{pool.id}"
        authorizer = api.client.create_authorizer(
            restApiId=api.id,
            name="pool",
            type="COGNITO_USER_POOLS",
            providerARNs=[arn],
            identitySource="method.request.header.Authorization",
        )["id"]
        for path, body in (("/id", "$context.authorizer.claims.sub"), ("/scoped", "in")):
            api.mock(path, "GET", body=body)
            patches = [
                {"op": "replace", "path": "/authorizationType", "value": "COGNITO_USER_POOLS"},
                {"op": "replace", "path": "/authorizerId", "value": authorizer},
            ]
            if path == "/scoped":
                patches.append({"op": "add", "path": "/authorizationScopes", "value": "pets/read"})
            api.client.update_method(
                restApiId=api.id, resourceId=api.resources[path], httpMethod="GET", patchOperations=patches
            )
        api.deploy()

        def get(path: str, value: str | None) -> Answer:
            return server.call(api.id, f"/prod{path}", headers={} if value is None else {"Authorization": value})

        good = pool.token()
        assert get("/id", good).body == b"u"
        assert get("/id", f"Bearer {good}").status == 200
        access = pool.token(token_use="access", scope="x pets/read")
        assert get("/scoped", access).status == 200
        expired = get("/id", pool.token(exp=time.time() - 1))
        assert (expired.status, expired.json) == (401, {"message": "The incoming token has expired"})
        stranger = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        bad = {
            "nothing": None,
            "no token": "abc",
            "another key": pool.token(key=stranger),
            "no signature": pool.token(alg="none"),
            "a secret for a key": pool.token(alg="HS256", key="x" * 32),
            "another pool": pool.token(iss="https://cognito-idp.us-east-1.amazonaws.com/us-east-1_Other"),
            "an access token": access,
            "not yet": pool.token(nbf=time.time() + 100),
            "an altered body": ".".join(
                [good.split(".")[0], pool.token(sub="admin").split(".")[1], good.split(".")[2]]
            ),
        }
        for case, value in bad.items():
            refused = get("/id", value)
            assert (refused.status, refused.json) == (401, {"message": "Unauthorized"}), case
        assert get("/scoped", good).status == 401
        assert get("/scoped", pool.token(token_use="access", scope="other")).status == 401
        # A flood of made-up ids asks the pool no more often.
        before = len(backend.received)
        for number in range(20):
            assert get("/id", pool.token(kid=f"made-up-{number}")).status == 401
        assert len(backend.received) - before <= 1
    finally:
        server.stop()
