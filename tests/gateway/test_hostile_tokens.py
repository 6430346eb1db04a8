"""Tokens of user pools that must not get in, on the running program: what an attacker makes who knows the pool's public key,
holds tokens of other pools, and may write any header. Whoever asks the pool for keys is counted at the pool.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
from collections.abc import Callable, Iterator
from typing import Any

import jwt
import pytest
from botocore.exceptions import ClientError
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from tests.support.backend import Backend, Received
from tests.support.running import ApiBuilder, Server

POOLS = ("us-east-1_First", "us-east-1_Second", "us-east-1_Foreign")
KEYS = {pool: rsa.generate_private_key(public_exponent=65537, key_size=2048) for pool in POOLS}
STRANGER = rsa.generate_private_key(public_exponent=65537, key_size=2048)
CURVE = ec.generate_private_key(ec.SECP256R1())
FIRST, SECOND, FOREIGN = POOLS


def issuer(pool: str) -> str:
    return f"https://cognito-idp.us-east-1.amazonaws.com/{pool}"


def jwk(key: Any, kid: str) -> dict[str, Any]:
    return {
        **json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(key.public_key())),
        "kid": kid,
        "use": "sig",
        "alg": "RS256",
    }


def key_set(received: Received) -> tuple[int, list[tuple[str, str]], bytes]:
    """Each pool's own keys, where Cognito has them; besides one that is of no use to anybody."""
    pool = received.target.split("/")[1]
    if received.target != f"/{pool}/.well-known/jwks.json" or pool not in KEYS:
        return 404, [], b""
    secret = {"kty": "oct", "kid": "secret", "k": "c2VjcmV0", "alg": "HS256", "use": "sig"}
    other = {**jwk(STRANGER, "encrypting"), "use": "enc"}
    return 200, [], json.dumps({"keys": [jwk(KEYS[pool], f"key of {pool}"), secret, other]}).encode()


def encoded(value: Any) -> str:
    raw = value if isinstance(value, bytes) else json.dumps(value).encode()
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def claims(pool: str = FIRST, **more: Any) -> dict[str, Any]:
    given = {"iss": issuer(pool), "token_use": "id", "aud": "client-1", "sub": "u", "exp": int(time.time()) + 300}
    return {name: value for name, value in {**given, **more}.items() if value is not None}


def token(
    pool: str = FIRST, *, key: Any = None, alg: str = "RS256", header: dict[str, Any] | None = None, **more: Any
) -> str:
    """As the pool gives it, but for what is said otherwise."""
    headers = {"kid": f"key of {pool}", **(header or {})}
    return jwt.encode(claims(pool, **more), key or KEYS[pool], algorithm=alg, headers=headers)


def by_hand(header: dict[str, Any], signature: Callable[[bytes], bytes], **more: Any) -> str:
    """What a library refuses to make."""
    signed = f"{encoded({'typ': 'JWT', 'kid': f'key of {FIRST}', **header})}.{encoded(claims(**more))}"
    return f"{signed}.{encoded(signature(signed.encode()))}"


def with_secret(secret: bytes) -> Callable[[bytes], bytes]:
    return lambda signed: hmac.digest(secret, signed, hashlib.sha256)


PUBLIC = KEYS[FIRST].public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
DER = KEYS[FIRST].public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def altered(**more: Any) -> str:
    """Another body under a signature that is good."""
    head, _, signature = token().split(".")
    return f"{head}.{encoded(claims(**more))}.{signature}"


HOSTILE: dict[str, Callable[[], str]] = {
    "alg none": lambda: by_hand({"alg": "none"}, lambda _: b""),
    "alg None": lambda: by_hand({"alg": "None"}, lambda _: b""),
    "alg none under a good signature": lambda: f"{encoded({'alg': 'none', 'kid': f'key of {FIRST}'})}.{token().split('.', 1)[1]}",
    "no alg": lambda: by_hand({}, lambda _: b"x"),
    "alg that is a list": lambda: by_hand({"alg": ["RS256"]}, lambda _: b"x"),
    "HS256 with the public key as PEM": lambda: by_hand({"alg": "HS256"}, with_secret(PUBLIC)),
    "HS256 with the public key as DER": lambda: by_hand({"alg": "HS256"}, with_secret(DER)),
    "HS256 with the modulus": lambda: by_hand({"alg": "HS256"}, with_secret(jwk(KEYS[FIRST], "")["n"].encode())),
    "HS256 with nothing": lambda: by_hand({"alg": "HS256"}, with_secret(b"")),
    "HS256 with the pool's symmetric key": lambda: by_hand({"alg": "HS256", "kid": "secret"}, with_secret(b"secret")),
    "RS384 with the pool's key": lambda: token(alg="RS384"),
    "RS512 with the pool's key": lambda: token(alg="RS512"),
    "PS256 with the pool's key": lambda: token(alg="PS256"),
    "ES256 with a key of one's own": lambda: token(key=CURVE, alg="ES256"),
    "a key of one's own": lambda: token(key=STRANGER),
    "a key of one's own in the header": lambda: token(key=STRANGER, header={"jwk": jwk(STRANGER, f"key of {FIRST}")}),
    "a key of one's own by address": lambda: token(key=STRANGER, header={"jku": "http://127.0.0.1/jwks", "x5u": "http://127.0.0.1/"}),
    "a key that does not sign": lambda: token(key=STRANGER, header={"kid": "encrypting"}),
    "another pool's key": lambda: token(key=KEYS[SECOND]),
    "another pool's key by its name": lambda: token(key=KEYS[SECOND], header={"kid": f"key of {SECOND}"}),
    "a foreign pool": lambda: token(FOREIGN),
    "a foreign pool that says it is ours": lambda: token(FOREIGN, iss=issuer(FIRST)),
    "our pool under a foreign name": lambda: token(iss=issuer(FOREIGN), header={"kid": f"key of {FIRST}"}),
    "an issuer with a slash more": lambda: token(iss=issuer(FIRST) + "/"),
    "an issuer of another case": lambda: token(iss=issuer(FIRST).upper()),
    "an issuer without TLS": lambda: token(iss=issuer(FIRST).replace("https", "http")),
    "an issuer that is a list": lambda: by_hand({"alg": "RS256"}, lambda _: b"x", iss=[issuer(FIRST)]),
    "no issuer": lambda: token(iss=None),
    "no kid": lambda: jwt.encode(claims(), KEYS[FIRST], algorithm="RS256"),
    "an empty kid": lambda: token(header={"kid": ""}),
    "a kid that is a path": lambda: token(key=STRANGER, header={"kid": "../../../../dev/null"}),
    "a kid that leads elsewhere": lambda: token(FOREIGN, iss=issuer(FIRST), header={"kid": f"../{FOREIGN}/key of {FOREIGN}"}),
    "a kid that is an address": lambda: token(key=STRANGER, header={"kid": "http://127.0.0.1/key"}),
    "a kid that is a query": lambda: token(key=STRANGER, header={"kid": "x' UNION SELECT 'secret"}),
    "a kid that is a list": lambda: by_hand({"alg": "RS256", "kid": [f"key of {FIRST}"]}, lambda _: b"x"),
    "expired": lambda: token(exp=int(time.time()) - 1),
    "expired long ago": lambda: token(exp=0),
    "no expiry": lambda: token(exp=None),
    "an expiry in words": lambda: token(exp="never"),
    "an expiry that never comes": lambda: token(exp=float("inf")),
    "an expiry that is no number": lambda: token(exp=float("nan")),
    "an expiry beyond all numbers": lambda: token(exp=10**400),
    "not good yet": lambda: token(nbf=int(time.time()) + 100),
    "no use": lambda: token(token_use=None),
    "the use of an access token": lambda: token(token_use="access"),
    "another use": lambda: token(token_use="refresh"),
    "a use of another case": lambda: token(token_use="ID"),
    "a use that is a list": lambda: token(token_use=["id"]),
    "another client": lambda: token(aud="client-2"),
    "no client": lambda: token(aud=None),
    "a client that goes on": lambda: token(aud="client-1\nclient-2"),
    "one client of several": lambda: token(aud=["client-1", "client-2"]),
    "another body": lambda: altered(sub="admin"),
    "another body of another pool": lambda: altered(iss=issuer(SECOND)),
    "an extension that has to be understood": lambda: token(header={"crit": ["exp2"], "exp2": 1}),
    "a body that is not encoded": lambda: token(header={"b64": False, "crit": ["b64"]}),
    "two parts": lambda: token().rpartition(".")[0],
    "an empty signature": lambda: token().rpartition(".")[0] + ".",
    "a signature cut short": lambda: token()[:-8],
    "a part more": lambda: f"{token()}.x",
    "five parts": lambda: f"{token()}.x.y",
    "a token within": lambda: f"{token(key=STRANGER)} {token()}",
    "another scheme": lambda: f"Basic {token()}",
    "two schemes": lambda: f"Bearer Bearer {token()}",
    "a comma": lambda: f"{token(key=STRANGER)},{token()}",
    "a body that is no object": lambda: f"{token().split('.')[0]}.{encoded([])}.{token().split('.')[2]}",
    "nested far": lambda: f"{token().split('.')[0]}.{encoded(b'[' * 3000)}.x",
    "no token": lambda: "Bearer ",
    "only dots": lambda: "..",
    "nothing": lambda: "",
}  # fmt: skip


@pytest.fixture(scope="module")
def pool() -> Iterator[Backend]:
    running = Backend(answer=key_set).start()
    yield running
    running.stop()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, pool: Backend) -> Iterator[Server]:
    """One whose user pools are the test's."""
    data = tmp_path_factory.mktemp("tokens")
    running = Server(data, environment={"AWS_ENDPOINT_URL_COGNITO_IDENTITY_PROVIDER": pool.url}).start()
    yield running
    running.stop()


@pytest.fixture(scope="module", params=[0, 300])
def api(server: Server, request: pytest.FixtureRequest) -> ApiBuilder:
    """Behind two pools; every answer is kept, or none."""
    built = ApiBuilder(server)
    arns = [f"arn:aws:cognito-idp:us-east-1:000000000000:userpool/{name}" for name in (FIRST, SECOND)]
    source = "method.request.header.Authorization"
    options = {"type": "COGNITO_USER_POOLS", "providerARNs": arns, "identitySource": source}
    options |= {"restApiId": built.id, "authorizerResultTtlInSeconds": request.param}
    for path, more, scopes in (
        ("/", {"name": "one client", "identityValidationExpression": "client-1"}, []),
        ("/scoped", {"name": "any client"}, ["pets/read", "pets/write"]),
    ):
        authorizer = built.client.create_authorizer(**options, **more)["id"]
        built.mock(path, "GET", body="$context.authorizer.claims.iss")
        patches = [
            {"op": "replace", "path": "/authorizationType", "value": "COGNITO_USER_POOLS"},
            {"op": "replace", "path": "/authorizerId", "value": authorizer},
            *({"op": "add", "path": "/authorizationScopes", "value": scope} for scope in scopes),
        ]
        built.client.update_method(
            restApiId=built.id, resourceId=built.resources[path], httpMethod="GET", patchOperations=patches
        )
    built.deploy()
    return built


def test_what_the_pools_give_gets_in(server: Server, api: ApiBuilder) -> None:
    for name in (FIRST, SECOND):
        for _ in range(2):
            answer = server.call(api.id, "/prod/", headers={"Authorization": f"Bearer {token(name)}"})
            assert (answer.status, answer.body.decode()) == (200, issuer(name))


@pytest.mark.parametrize("case", HOSTILE)
def test_what_they_do_not_give_stays_out(server: Server, api: ApiBuilder, case: str) -> None:
    value = HOSTILE[case]()
    for _ in range(2):
        refused = server.call(api.id, "/prod/", headers={"Authorization": value})
        message = "The incoming token has expired" if case.startswith("expired") else "Unauthorized"
        assert (refused.status, refused.json) == (401, {"message": message})
        assert refused.header("x-amzn-ErrorType") == "UnauthorizedException"


def test_times_beyond_the_calendar(server: Server, api: ApiBuilder) -> None:
    lasting = token(exp=10**15, iat=10**30)
    assert server.call(api.id, "/prod/", headers={"Authorization": lasting}).status == 200


def test_two_tokens_are_none(server: Server, api: ApiBuilder) -> None:
    """One would be looked at here, and the other by who is behind."""
    import http.client

    for values in ((token(), token(key=STRANGER)), (token(key=STRANGER), token()), (token(), token())):
        connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)
        connection.putrequest("GET", "/prod/", skip_host=True)
        connection.putheader("Host", f"{api.id}.execute-api.us-east-1.amazonaws.com")
        for name, value in zip(("Authorization", "authorization"), values, strict=True):
            connection.putheader(name, value)
        connection.endheaders()
        answer = connection.getresponse()
        assert (answer.status, json.loads(answer.read())) == (401, {"message": "Unauthorized"})
        connection.close()


def test_a_token_that_was_let_in_ends_with_its_time(server: Server, api: ApiBuilder) -> None:
    """However long answers are kept."""
    short = token(exp=int(time.time()) + 120)
    assert server.call(api.id, "/prod/", headers={"Authorization": short}).status == 200
    for seconds in (121, -121):
        server.request("POST", "/_tidegate/clock", body=json.dumps({"advance": seconds}).encode())
        status = server.call(api.id, "/prod/", headers={"Authorization": short}).status
        assert status == (401 if seconds > 0 else 200)


def test_unknown_names_of_keys_ask_the_pool_no_more_often(server: Server, api: ApiBuilder, pool: Backend) -> None:
    assert server.call(api.id, "/prod/", headers={"Authorization": token()}).status == 200
    before = len(pool.received)
    for number in range(60):
        made_up = token(key=STRANGER, header={"kid": f"made up {number}"})
        assert server.call(api.id, "/prod/", headers={"Authorization": made_up}).status == 401
        foreign = token(FOREIGN, header={"kid": f"made up {number}"})
        assert server.call(api.id, "/prod/", headers={"Authorization": foreign}).status == 401
    assert len(pool.received) - before <= 1
    # And pools that the authorizer does not name are never asked.
    assert not [call for call in pool.received if FOREIGN in call.target]


@pytest.mark.parametrize(
    ("options", "status"),
    [
        ({"scope": "pets/read"}, 200),
        ({"scope": "openid pets/write"}, 200),
        ({"scope": "openid"}, 401),
        ({"scope": ""}, 401),
        ({"scope": None}, 401),
        ({"scope": "pets/read2"}, 401),
        ({"scope": "pets/"}, 401),
        ({"scope": "PETS/READ"}, 401),
        ({"scope": "pets/read,pets/write"}, 401),
        ({"scope": "pets/read", "token_use": "id"}, 401),
        ({"scope": "pets/read", "token_use": None}, 401),
    ],
)
def test_scopes(server: Server, api: ApiBuilder, options: dict[str, Any], status: int) -> None:
    access = token(**{"token_use": "access", "aud": None, **options})
    assert server.call(api.id, "/prod/scoped", headers={"Authorization": f"Bearer {access}"}).status == status


def test_what_was_let_in_by_a_pool_that_is_gone(server: Server, api: ApiBuilder) -> None:
    """A change of pools works with the next deployment, whatever is kept."""
    arns = [f"arn:aws:cognito-idp:us-east-1:000000000000:userpool/{name}" for name in (FIRST, SECOND)]
    authorizers = api.client.get_authorizers(restApiId=api.id)["items"]
    at = {"restApiId": api.id, "authorizerId": next(each["id"] for each in authorizers if each["name"] == "one client")}
    value = f"Bearer {token(SECOND)}"
    for op, status in ((None, 200), ("remove", 401), ("add", 200)):
        if op is not None:
            patch = [{"op": op, "path": "/providerARNs", "value": arns[1]}]
            api.client.update_authorizer(**at, patchOperations=patch)
            api.deploy()
        assert server.call(api.id, "/prod/", headers={"Authorization": value}).status == status


def test_whoever_says_where_user_pools_are_gets_every_call(server: Server, pool: Backend) -> None:
    with pytest.raises(ClientError):
        server.client("cognito-idp").list_user_pools(MaxResults=1)
    assert pool.received[-1].header("X-Amz-Target") == "AWSCognitoIdentityProviderService.ListUserPools"
    host = {"Host": "cognito-idp.us-east-1.amazonaws.com"}
    server.request("GET", "/us-east-1_Elsewhere/.well-known/jwks.json", headers=host)
    assert pool.received[-1].target == "/us-east-1_Elsewhere/.well-known/jwks.json"
