"""Methods behind a user pool of our own, and behind an OpenID provider that stands in for one: who gets in, and who does not."""

from __future__ import annotations

import base64
import hashlib
import hmac
import http.client
import json
import time
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import jwt
import pytest
import requests
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from tests.support.backend import Backend
from tests.support.pools import Pool, later
from tests.support.running import Answer, ApiBuilder, Server
from tidegate.settings import SettingsError, load_settings

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import oidc_provider_mock
    from authlib.integrations.requests_client import OAuth2Session

UNAUTHORIZED = (401, {"message": "Unauthorized"})
ISSUER = "https://cognito-idp.us-east-1.amazonaws.com/"


def guarded(server: Server, *arns: str, **options: Any) -> ApiBuilder:
    """`/id` wants an identity token, `/scoped` an access token with a scope."""
    api = ApiBuilder(server)
    authorizer = api.client.create_authorizer(
        restApiId=api.id,
        name="pool",
        type="COGNITO_USER_POOLS",
        providerARNs=list(arns),
        identitySource="method.request.header.Authorization",
        **options,
    )["id"]
    patches = [
        {"op": "replace", "path": "/authorizationType", "value": "COGNITO_USER_POOLS"},
        {"op": "replace", "path": "/authorizerId", "value": authorizer},
    ]
    for path, scopes in (("/id", []), ("/scoped", ["aws.cognito.signin.user.admin", "pets/read"])):
        api.mock(path, "GET", body="$context.authorizer.claims.sub")
        asked = [{"op": "add", "path": "/authorizationScopes", "value": scope} for scope in scopes]
        resource = api.resources[path]
        api.client.update_method(
            restApiId=api.id, resourceId=resource, httpMethod="GET", patchOperations=patches + asked
        )
    api.deploy()
    return api


def get(api: ApiBuilder, server: Server, path: str, token: str) -> Answer:
    return server.call(api.id, f"/prod{path}", headers={"Authorization": token})


@pytest.fixture(scope="module")
def pool(server: Server) -> Pool:
    return Pool(server)


@pytest.fixture(scope="module")
def ann(pool: Pool) -> str:
    return pool.user("ann")


@pytest.fixture(scope="module")
def tokens(pool: Pool, ann: str) -> dict[str, Any]:
    return pool.sign_in(pool.client(), "ann")


def test_a_token_of_our_own_pool_opens_the_methods_it_is_for(
    server: Server, pool: Pool, ann: str, tokens: dict[str, Any]
) -> None:
    api = guarded(server, pool.arn)
    identity, access = tokens["IdToken"], tokens["AccessToken"]
    assert get(api, server, "/id", identity).body == ann.encode()
    assert get(api, server, "/id", f"Bearer {identity}").body == ann.encode()
    assert get(api, server, "/scoped", access).body == ann.encode()
    for path, token in (("/id", access), ("/scoped", identity), ("/id", tokens["RefreshToken"])):
        refused = get(api, server, path, token)
        assert (refused.status, refused.json) == UNAUTHORIZED
    # AWS: authorizers verify by the keys alone; that a token was revoked, they do not see.
    pool.api.admin_user_global_sign_out(UserPoolId=pool.id, Username="ann")
    assert get(api, server, "/scoped", access).status == 200
    with later(server, 3601):
        for path, token in (("/id", identity), ("/scoped", access)):
            expired = get(api, server, path, token)
            assert (expired.status, expired.json) == (401, {"message": "The incoming token has expired"})


def test_tokens_of_others_do_not(server: Server, pool: Pool, tokens: dict[str, Any]) -> None:
    identity = tokens["IdToken"]
    other = Pool(server)
    foreign = guarded(server, other.arn)
    assert (get(foreign, server, "/id", identity).status, get(foreign, server, "/scoped", identity).status) == (
        401,
        401,
    )
    assert get(guarded(server, other.arn, pool.arn), server, "/id", identity).status == 200
    # The expression tells one client from another; it looks at the audience, which access tokens have none of.
    audience = jwt.decode(identity, options={"verify_signature": False})["aud"]
    mine = guarded(server, pool.arn, identityValidationExpression=audience)
    assert get(mine, server, "/id", identity).status == 200
    assert get(mine, server, "/scoped", tokens["AccessToken"]).status == 401
    theirs = guarded(server, pool.arn, identityValidationExpression="another")
    assert get(theirs, server, "/id", identity).status == 401


def test_forged_tokens_do_not(server: Server, pool: Pool, tokens: dict[str, Any]) -> None:
    api = guarded(server, pool.arn, authorizerResultTtlInSeconds=0)
    identity = tokens["IdToken"]
    header = jwt.get_unverified_header(identity)
    claims = jwt.decode(identity, options={"verify_signature": False})
    stranger = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    public = pool.key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)

    def part(value: Any) -> str:
        data = value if isinstance(value, bytes) else json.dumps(value).encode()
        return base64.urlsafe_b64encode(data).decode().rstrip("=")

    confused = f"{part({**header, 'alg': 'HS256'})}.{part(claims)}"
    jwk = json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(stranger.public_key()))
    first, _, signature = identity.split(".")
    forged = {
        "signed by a stranger": jwt.encode(claims, stranger, "RS256", headers=header),
        "with the stranger's key in its head": jwt.encode(claims, stranger, "RS256", headers={**header, "jwk": jwk}),
        "not signed": f"{part({**header, 'alg': 'none'})}.{part(claims)}.",
        "nOnE": f"{part({**header, 'alg': 'nOnE'})}.{part(claims)}.",
        "signed with the public key for a secret": (
            f"{confused}.{part(hmac.new(public, confused.encode(), hashlib.sha256).digest())}"
        ),
        "of another algorithm": f"{part({**header, 'alg': 'RS512'})}.{identity.split('.', 1)[1]}",
        "with another body": f"{first}.{part({**claims, 'sub': 'admin'})}.{signature}",
        "without a signature": f"{identity.rpartition('.')[0]}.",
        "without a key id": f"{part({'alg': 'RS256'})}.{identity.split('.', 1)[1]}",
        "twice": f"{identity},{identity}",
        "too long": identity + "A" * 20_000,
    }
    for case, token in forged.items():
        refused = get(api, server, "/id", token)
        assert refused.status in (401, 431), case
        if refused.status == 401:
            assert refused.json == {"message": "Unauthorized"}, case


def test_a_header_that_comes_twice_is_no_token(server: Server, pool: Pool, tokens: dict[str, Any]) -> None:
    api = guarded(server, pool.arn)

    def call(*values: str) -> int:
        connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)
        connection.putrequest("GET", "/prod/id", skip_host=True)
        connection.putheader("Host", f"{api.id}.execute-api.us-east-1.amazonaws.com")
        for value in values:
            connection.putheader("Authorization", value)
        connection.endheaders()
        status = connection.getresponse().status
        connection.close()
        return status

    good = tokens["IdToken"]
    assert call(good) == 200
    # Of two, an earlier proxy may have looked at the other one.
    assert [call("nonsense", good), call(good, "nonsense"), call(good, good)] == [401, 401, 401]


def test_a_pool_that_is_made_anew_has_new_keys(server: Server) -> None:
    fixed = {"UserPoolTags": {"_custom_id_": "us-east-1_again"}}
    api = None
    for _ in range(2):
        pool = Pool(server, **fixed)
        pool.user("ann")
        api = api or guarded(server, pool.arn)
        assert get(api, server, "/id", pool.sign_in(pool.client(), "ann")["IdToken"]).status == 200
        pool.api.delete_user_pool(UserPoolId=pool.id)


@pytest.fixture(scope="module")
def provider() -> Iterator[str]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with oidc_provider_mock.run_server_in_thread() as running:
            yield f"http://localhost:{running.server_port}"


def sign_in_at(provider: str, subject: str) -> dict[str, Any]:
    """Authlib's client through the provider's own form."""
    app = OAuth2Session("app", "secret", redirect_uri="https://app.example.com/back", scope="openid")
    found = requests.get(f"{provider}/.well-known/openid-configuration", timeout=30).json()
    url, state = app.create_authorization_url(found["authorization_endpoint"])
    sent = requests.post(url, data={"sub": subject}, allow_redirects=False, timeout=30)
    return dict(app.fetch_token(found["token_endpoint"], authorization_response=sent.headers["Location"], state=state))


class Issuer:
    """An OpenID provider of a test's own: it signs what it is asked to."""

    def __init__(self, backend: Backend) -> None:
        self.url = f"{backend.url}/tenant"
        self.key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        self.backend = backend
        jwk = json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(self.key.public_key()))
        documents = {
            "/tenant/.well-known/openid-configuration": {"issuer": self.url, "jwks_uri": f"{backend.url}/keys?v=1"},
            "/keys?v=1": {"keys": [{**jwk, "kid": "k1", "use": "sig", "alg": "RS256"}]},
        }
        backend.answer = lambda request: (200, [], json.dumps(documents[request.target]).encode())

    def token(self, *, kid: str = "k1", typ: str = "JWT", **claims: Any) -> str:
        given = {"iss": self.url, "sub": "u", "aud": ["app"], "exp": time.time() + 300, **claims}
        return jwt.encode(given, self.key, "RS256", headers={"kid": kid, "typ": typ})


def test_an_openid_provider_stands_in_for_a_pool(tmp_path: Path, provider: str, backend: Backend) -> None:
    issuer = Issuer(backend)
    mapped = {"us-east-1_theirs": provider, "us-east-1_other": issuer.url}
    setting = ",".join(f"{pool}={url}" for pool, url in mapped.items())
    server = Server(tmp_path / "data", environment={"TIDEGATE_USER_POOL_ISSUERS": setting}).start()
    try:
        arn = "arn:aws:cognito-idp:us-east-1:000000000000:userpool/us-east-1_{}".format
        api = guarded(server, arn("theirs"))
        identity = sign_in_at(provider, "somebody")["id_token"]
        assert get(api, server, "/id", identity).body == b"somebody"
        assert get(api, server, "/scoped", identity).status == 401
        other = guarded(server, arn("other"), authorizerResultTtlInSeconds=0)
        assert get(other, server, "/id", identity).status == 401
        _by_our_own_issuer(lambda path, token: get(other, server, path, token), issuer)
        both = guarded(server, arn("other"), identityValidationExpression="app")
        assert get(both, server, "/id", issuer.token()).status == 200
        assert get(both, server, "/id", issuer.token(aud=["else"])).status == 401
    finally:
        server.stop()


def _by_our_own_issuer(call: Callable[[str, str], Answer], issuer: Issuer) -> None:
    assert call("/id", issuer.token()).body == b"u"
    assert call("/scoped", issuer.token(scope="pets/read more", typ="at+jwt")).body == b"u"
    assert call("/scoped", issuer.token(scp=["pets/read"])).body == b"u"
    for case, token in {
        "an access token for an identity token": issuer.token(typ="at+jwt"),
        "the issuer that the pool would have": issuer.token(iss=f"{ISSUER}us-east-1_other"),
        "not yet": issuer.token(nbf=time.time() + 100),
        "without an end": issuer.token(exp=None),
    }.items():
        refused = call("/id", token)
        assert (refused.status, refused.json) == UNAUTHORIZED, case
    assert call("/id", issuer.token(exp=time.time() - 1)).json == {"message": "The incoming token has expired"}
    # A flood of made-up key ids asks the issuer no more often: it was asked once for its document and once for its keys.
    for number in range(30):
        assert call("/id", issuer.token(kid=f"made-up-{number}")).status == 401
    assert [request.target for request in issuer.backend.received] == [
        "/tenant/.well-known/openid-configuration",
        "/keys?v=1",
    ]


def test_the_setting_is_a_table_or_one_line(tmp_path: Path) -> None:
    (tmp_path / "tidegate.toml").write_text('[user_pool_issuers]\nus-east-1_a = "https://id.example.com"\n')
    assert load_settings({}, {}, tmp_path).user_pool_issuers == {"us-east-1_a": "https://id.example.com"}
    line = "us-east-1_a=https://one.example.com, us-east-1_b=https://two.example.com?x=y"
    assert load_settings({}, {"TIDEGATE_USER_POOL_ISSUERS": line}, tmp_path).user_pool_issuers == {
        "us-east-1_a": "https://one.example.com",
        "us-east-1_b": "https://two.example.com?x=y",
    }
    for wrong in ("us-east-1_a", "us-east-1_a=ftp://id.example.com", "a=https://id.example.com", ""):
        with pytest.raises(SettingsError, match=r"user_pool_issuers|USER_POOL_ISSUERS"):
            load_settings({}, {"TIDEGATE_USER_POOL_ISSUERS": wrong}, tmp_path)
