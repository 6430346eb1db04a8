"""The hosted endpoints: Authlib's OAuth client through the login page, and what the page and the token endpoint refuse."""

from __future__ import annotations

import base64
import hashlib
import html
import json
import re
import warnings
from typing import Any
from urllib.parse import parse_qs, quote, urlencode, urlsplit

import pytest
import requests

from tests.support.pools import PASSWORD, Pool, later
from tests.support.running import Answer, Server

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from authlib.integrations.requests_client import OAuth2Session

CALLBACK = "https://app.example.com/back"
VERIFIER = "v" * 43
CODE = {
    "AllowedOAuthFlows": ["code"],
    "AllowedOAuthScopes": ["openid", "email", "profile", "aws.cognito.signin.user.admin"],
    "AllowedOAuthFlowsUserPoolClient": True,
    "CallbackURLs": [CALLBACK, "myapp://signed-in"],
    "LogoutURLs": ["https://app.example.com/bye"],
}


@pytest.fixture(scope="module")
def pool(server: Server) -> Pool:
    made = Pool(server)
    made.user("ann", email="ann@example.com", email_verified="true", name="Ann")
    made.api.create_user_pool_domain(UserPoolId=made.id, Domain="tide-hosted")
    return made


@pytest.fixture(scope="module")
def client(pool: Pool) -> str:
    return pool.client(**CODE)


def base(pool: Pool) -> str:
    return f"{pool.server.url}/_aws/cognito-idp/{pool.id}"


class Browser:
    """Keeps cookies and follows nothing by itself."""

    def __init__(self) -> None:
        self.session = requests.Session()

    def get(self, url: str) -> requests.Response:
        return self.session.get(url, allow_redirects=False, timeout=30)

    def submit(self, page: requests.Response, **changed: str) -> requests.Response:
        action = re.search(r'action="([^"]+)"', page.text)
        hidden = re.search(r'name="_csrf" value="([^"]+)"', page.text)
        assert action and hidden
        fields = {"_csrf": hidden[1], "username": "ann", "password": PASSWORD, **changed}
        parts = urlsplit(page.url)
        url = f"{parts.scheme}://{parts.netloc}{html.unescape(action[1])}"
        return self.session.post(url, data=fields, allow_redirects=False, timeout=30)


def authorization(pool: Pool, client: str, **changed: str | None) -> str:
    given = {"response_type": "code", "client_id": client, "redirect_uri": CALLBACK, "state": "s"} | changed
    return f"{base(pool)}/oauth2/authorize?{urlencode({k: v for k, v in given.items() if v is not None})}"


def login_page(pool: Pool, client: str, browser: Browser, **changed: str | None) -> requests.Response:
    sent = browser.get(authorization(pool, client, **changed))
    assert sent.status_code == 302, sent.text
    assert sent.headers["Location"].startswith(f"/_aws/cognito-idp/{pool.id}/login?")
    return browser.get(pool.server.url + sent.headers["Location"])


def code_of(sent: requests.Response) -> str:
    assert sent.status_code == 302, sent.text
    assert sent.headers["Location"].startswith(CALLBACK)
    return parse_qs(urlsplit(sent.headers["Location"]).query)["code"][0]


def token(pool: Pool, *, basic: tuple[str, str] | None = None, **form: str) -> Answer:
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    if basic is not None:
        headers["Authorization"] = "Basic " + base64.b64encode(":".join(map(quote, basic)).encode()).decode()
    path = f"/_aws/cognito-idp/{pool.id}/oauth2/token"
    return pool.server.request("POST", path, body=urlencode(form).encode(), headers=headers)


def test_authlib_signs_a_user_in_with_pkce(pool: Pool, client: str) -> None:
    found = requests.get(f"{base(pool)}/.well-known/openid-configuration", timeout=30).json()
    app = OAuth2Session(
        client,
        redirect_uri=CALLBACK,
        scope="openid email profile",
        code_challenge_method="S256",
        token_endpoint_auth_method="none",
    )
    url, state = app.create_authorization_url(found["authorization_endpoint"], code_verifier=VERIFIER, nonce="n-1")
    browser = Browser()
    login = browser.get(url)
    page = browser.get(pool.server.url + login.headers["Location"])
    assert "Sign in to app" in page.text
    assert page.headers["X-Frame-Options"] == "DENY"
    sent = browser.submit(page)
    tokens = app.fetch_token(
        found["token_endpoint"],
        authorization_response=sent.headers["Location"],
        state=state,
        code_verifier=VERIFIER,
    )
    identity = pool.claims(tokens["id_token"])
    assert (identity["nonce"], identity["aud"], identity["email"]) == ("n-1", client, "ann@example.com")
    assert identity["iss"] == found["issuer"]
    access = pool.claims(tokens["access_token"])
    assert (access["scope"], access["version"]) == ("openid email profile", 2)
    info = app.get(found["userinfo_endpoint"]).json()
    assert info | {"sub": ""} == {
        "sub": "",
        "email": "ann@example.com",
        "email_verified": "true",
        "name": "Ann",
        "username": "ann",
    }
    before = tokens["access_token"]
    fresh = app.refresh_token(found["token_endpoint"], refresh_token=tokens["refresh_token"])
    assert fresh["access_token"] != before
    assert app.revoke_token(found["revocation_endpoint"], token=tokens["refresh_token"]).status_code == 200
    gone = requests.get(found["userinfo_endpoint"], headers={"Authorization": f"Bearer {before}"}, timeout=30)
    assert (gone.status_code, gone.json()["error"]) == (401, "invalid_token")
    assert gone.headers["WWW-Authenticate"].startswith('Bearer error="invalid_token"')
    # Who has signed in is not asked again, until it signs out.
    again = browser.get(authorization(pool, client))
    assert code_of(again)
    out = browser.get(f"{base(pool)}/logout?client_id={client}&logout_uri=https://app.example.com/bye")
    assert (out.status_code, out.headers["Location"]) == (302, "https://app.example.com/bye")
    assert "/login?" in browser.get(authorization(pool, client)).headers["Location"]


def test_a_redirect_goes_nowhere_but_to_the_client(pool: Pool, client: str) -> None:
    browser = Browser()
    for uri in (None, "https://evil.example.com/back", CALLBACK + "/x", "javascript:alert(1)"):
        refused = browser.get(authorization(pool, client, redirect_uri=uri))
        assert (refused.status_code, "Location" in refused.headers) == (400, False), uri
    assert browser.get(authorization(pool, "nobody")).status_code == 400
    for changed, error in (
        ({"response_type": "token"}, "unsupported_response_type"),
        ({"scope": "openid pets/read"}, "invalid_scope"),
        ({"scope": "email"}, "invalid_scope"),
        ({"code_challenge": VERIFIER, "code_challenge_method": "plain"}, "invalid_request"),
        ({"code_challenge": VERIFIER}, "invalid_request"),
    ):
        told = browser.get(authorization(pool, client, **changed))
        query = parse_qs(urlsplit(told.headers["Location"]).query)
        assert (told.headers["Location"].split("?")[0], query["error"], query["state"]) == (CALLBACK, [error], ["s"])
    unknown = browser.get(f"{base(pool)}/logout?client_id={client}&logout_uri=https://evil.example.com")
    assert unknown.status_code == 400


def test_the_login_form_cannot_be_sent_by_another_site(pool: Pool, client: str) -> None:
    page = login_page(pool, client, Browser())
    stranger = Browser()
    assert stranger.submit(page).status_code == 403
    browser = Browser()
    page = login_page(pool, client, browser)
    assert browser.submit(page, _csrf="x" * 32).status_code == 403
    wrong = browser.submit(page, password="<b>wrong</b>")
    assert (wrong.status_code, "Incorrect username or password." in wrong.text) == (400, True)
    assert "<b>" not in wrong.text
    twice = page.request.url + "&client_id=other"
    assert browser.get(twice).status_code == 400
    assert code_of(browser.submit(page))


def test_a_temporary_password_is_replaced_on_the_way(pool: Pool, client: str) -> None:
    pool.api.admin_create_user(UserPoolId=pool.id, Username="new", TemporaryPassword=PASSWORD, MessageAction="SUPPRESS")
    browser = Browser()
    page = browser.submit(login_page(pool, client, browser), username="new")
    change = re.search(r'name="change" value="([^"]+)"', page.text)
    assert (page.status_code, change is not None) == (200, True)
    assert change
    weak = browser.submit(page, change=change[1], new_password="weak")
    assert (weak.status_code, "Password not long enough" in weak.text) == (400, True)
    forged = browser.submit(page, change=change[1][:-4] + "AAAA", new_password="N3w-password")
    assert forged.status_code == 403
    code = code_of(browser.submit(weak, change=change[1], new_password="N3w-password"))
    form = {"grant_type": "authorization_code", "client_id": client, "code": code, "redirect_uri": CALLBACK}
    assert pool.claims(token(pool, **form).json["id_token"])["cognito:username"] == "new"
    stale = Browser()
    again = login_page(pool, client, stale)
    assert stale.submit(again, change=change[1], new_password="An0ther-one").status_code == 403
    assert pool.sign_in(client, "new", "N3w-password")["TokenType"] == "Bearer"


def test_a_code_is_good_once_and_for_who_asked(pool: Pool, client: str) -> None:
    challenge = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).decode().rstrip("=")
    browser = Browser()
    asked = {"code_challenge": challenge, "code_challenge_method": "S256"}
    page = login_page(pool, client, browser, **asked)
    code = code_of(browser.submit(page))
    form = {"grant_type": "authorization_code", "client_id": client, "code": code, "redirect_uri": CALLBACK}
    proof = {"code_verifier": VERIFIER}
    other = pool.client(**CODE)
    for changed in (
        form,
        {**form, "code_verifier": "w" * 43},
        {**form, **proof, "redirect_uri": "myapp://signed-in"},
        {**form, **proof, "client_id": other},
        {**form, **proof, "code": code[:-4] + "AAAA"},
    ):
        refused = token(pool, **changed)
        assert (refused.status, refused.json["error"]) == (400, "invalid_grant"), changed
    with later(pool.server, 301):
        assert token(pool, **form, **proof).json["error"] == "invalid_grant"
    good = token(pool, **form, **proof)
    assert good.status == 200
    assert good.header("Cache-Control") == "no-store"
    assert token(pool, **form, **proof).json["error"] == "invalid_grant"
    # Nor in another spelling of the same.
    again = (code_of(browser.get(authorization(pool, client, nonce="n" * length))) for length in range(1, 4))
    odd = next(each for each in again if len(each) % 4)
    assert token(pool, **{**form, "code": odd}).status == 200
    assert token(pool, **{**form, "code": odd + "=" * (-len(odd) % 4)}).json["error"] == "invalid_grant"
    # A code that was asked for without a challenge takes no verifier.
    plain = code_of(browser.get(authorization(pool, client)))
    assert token(pool, **{**form, "code": plain}, **proof).json["error"] == "invalid_grant"
    assert token(pool, grant_type="password", client_id=client).json["error"] == "unsupported_grant_type"
    double = pool.server.request(
        "POST",
        f"/_aws/cognito-idp/{pool.id}/oauth2/token",
        body=urlencode([*form.items(), ("client_id", other)]).encode(),
        headers={"Content-Type": "application/x-www-form-urlencoded"},
    )
    assert double.json["error"] == "invalid_request"


def test_a_machine_gets_the_scopes_of_a_resource_server(pool: Pool) -> None:
    scopes = [{"ScopeName": name, "ScopeDescription": name} for name in ("read", "write")]
    pool.api.create_resource_server(UserPoolId=pool.id, Identifier="pets", Name="Pets", Scopes=scopes)
    client = pool.client(
        GenerateSecret=True,
        AllowedOAuthFlows=["client_credentials"],
        AllowedOAuthScopes=["pets/read"],
        AllowedOAuthFlowsUserPoolClient=True,
    )
    secret = pool.secret(client)
    grant = {"grant_type": "client_credentials"}
    by_header = token(pool, basic=(client, secret), **grant).json
    assert by_header.keys() == {"access_token", "expires_in", "token_type"}
    claims = pool.claims(by_header["access_token"])
    assert (claims["sub"], claims["client_id"], claims["scope"], claims["token_use"]) == (
        client,
        client,
        "pets/read",
        "access",
    )
    assert token(pool, client_id=client, client_secret=secret, scope="pets/read", **grant).status == 200
    assert token(pool, basic=(client, secret), scope="pets/write", **grant).json["error"] == "invalid_scope"
    for basic, form in (((client, "wrong"), {}), (("nobody", secret), {}), (None, {"client_id": client})):
        refused = token(pool, basic=basic, **grant, **form)
        assert (refused.status, refused.json["error"]) == (400, "invalid_client")
    assert token(pool, client_id=pool.client(**CODE), **grant).json["error"] == "unauthorized_client"


def test_the_names_that_aws_gives_its_endpoints(pool: Pool, client: str) -> None:
    def get(host: str, path: str) -> Any:
        return pool.server.request("GET", path, headers={"Host": host})

    aws = "cognito-idp.us-east-1.amazonaws.com"
    keys = get(aws, f"/{pool.id}/.well-known/jwks.json").json
    assert [{**key, "n": "", "kid": ""} for key in keys["keys"]] == [
        {"alg": "RS256", "e": "AQAB", "kty": "RSA", "use": "sig", "n": "", "kid": ""}
    ]
    found = get(aws, f"/{pool.id}/.well-known/openid-configuration").json
    assert found["issuer"] == f"https://{aws}/{pool.id}"
    assert found["jwks_uri"] == f"https://{aws}/{pool.id}/.well-known/jwks.json"
    domain = "tide-hosted.auth.us-east-1.amazoncognito.com"
    assert found["token_endpoint"] == f"https://{domain}/oauth2/token"
    query = urlencode({"response_type": "code", "client_id": client, "redirect_uri": CALLBACK})
    assert get(domain, f"/oauth2/authorize?{query}").header("Location") == f"/login?{query}"
    assert get(domain.replace("tide", "low"), "/login").status == 404
    assert get(domain.replace("us-east-1", "eu-west-1"), "/login").status == 404
    assert get(aws, "/us-east-1_nothere/.well-known/jwks.json").status == 404


def test_pages_of_other_sites_may_make_users_calls_and_no_others(pool: Pool, client: str) -> None:
    page = {"Origin": "https://app.example.com"}
    asked = "authorization,content-type,x-amz-target,x-amz-user-agent"
    preflight = pool.server.request(
        "OPTIONS",
        "/",
        headers={**page, "Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": asked},
    )
    assert (preflight.status, preflight.header("Access-Control-Allow-Origin")) == (204, "*")
    assert preflight.header("Access-Control-Allow-Headers") == "content-type, x-amz-target, x-amz-user-agent"

    def call(target: str, **document: Any) -> Answer:
        head = {**page, "Content-Type": "application/x-amz-json-1.1", "X-Amz-Target": target}
        return pool.server.request("POST", "/", body=json.dumps(document).encode(), headers=head)

    users = "AWSCognitoIdentityProviderService"
    wrong = call(f"{users}.InitiateAuth", ClientId=client, AuthFlow="USER_PASSWORD_AUTH", AuthParameters={})
    assert (wrong.status, wrong.header("Access-Control-Allow-Origin")) == (400, "*")
    assert wrong.json["__type"] == "InvalidParameterException"
    for target in (f"{users}.DeleteUserPool", f"{users}.AdminGetUser", "Logs_20140328.DescribeLogGroups", "x.GetUser"):
        refused = call(target, UserPoolId=pool.id, Username="ann")
        assert (refused.status, refused.json["__type"]) == (403, "AccessDeniedException"), target
        assert refused.header("Access-Control-Allow-Origin") is None
