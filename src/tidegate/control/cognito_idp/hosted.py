"""The addresses of user pools: key sets and discovery documents, and the hosted endpoints, by host and by path.

`cognito-idp.{region}.amazonaws.com/{pool}/.well-known/…`, and `/{pool}/.well-known/…` at this server; the hosted endpoints at
`{prefix}.auth.{region}.amazoncognito.com` and below `/_aws/cognito-idp/{pool}/`. Not here: what they do (oauth, login).
"""

from __future__ import annotations

import html
import logging
import re
from collections.abc import Awaitable, Callable, Mapping
from http.cookies import CookieError, SimpleCookie
from typing import Any
from urllib.parse import parse_qsl

import orjson

from tidegate.aws.model import Params
from tidegate.aws.scope import Scope
from tidegate.control.cognito_idp import login, oauth
from tidegate.control.cognito_idp.desk import Desk
from tidegate.control.cognito_idp.oauth import OAuthError
from tidegate.control.cognito_idp.service import UserPoolWork
from tidegate.control.cognito_idp.sessions import issuer_of
from tidegate.control.cognito_idp.signing import web_keys
from tidegate.core.errors import ControlError
from tidegate.core.message import Endpoint, Pairs, Request, Response
from tidegate.definition.records import UserPool, UserPoolDomain

log = logging.getLogger("tidegate.cognito")

_MAX_BODY = 64 * 1024
_PREFIX = "/_aws/cognito-idp/"
_WELL_KNOWN = re.compile(r"/([\w-]+_[0-9a-zA-Z]+)/\.well-known/(jwks\.json|openid-configuration)", re.ASCII)
_BY_PATH = re.compile(rf"{_PREFIX}([\w-]+_[0-9a-zA-Z]+)(/.*)", re.ASCII)
_BY_HOST = re.compile(rb"([a-z0-9-]+)\.auth\.([a-z0-9-]+)\.amazoncognito\.com(?::\d+)?")
_AWS_HOST = re.compile(rb"cognito-idp\.[a-z0-9-]+\.amazonaws\.com(?::\d+)?")
_JSON = (b"Content-Type", b"application/json;charset=UTF-8")
_NO_STORE = (b"Cache-Control", b"no-store")
_ANY_ORIGIN = (b"Access-Control-Allow-Origin", b"*")
"""AWS: applications in browsers may ask for tokens and keys from any page; nothing here goes by cookies."""


class UserPoolEndpoints:
    def __init__(self, work: UserPoolWork) -> None:
        self._work = work
        self._well_known = Endpoint(self._serve_well_known, _MAX_BODY, _too_large)
        self._by_path = Endpoint(self._serve_by_path, _MAX_BODY, _too_large)
        self._by_host = Endpoint(self._serve_by_host, _MAX_BODY, _too_large)

    def endpoint(self, request: Request) -> Endpoint | None:
        """Who serves this request; None: it is not for a user pool's addresses."""
        path = request.path
        if path.startswith(_PREFIX):
            return self._by_path
        if "/.well-known/" in path and request.method == "GET" and _WELL_KNOWN.fullmatch(path):
            return self._well_known
        host = request.headers.get(b"host") or b""
        return self._by_host if host.find(b".amazoncognito.com") > 0 and _BY_HOST.fullmatch(host.lower()) else None

    async def _serve_well_known(self, request: Request) -> Response:
        found = _WELL_KNOWN.fullmatch(request.path)
        assert found is not None
        return await self._document(request, found[1], found[2])

    async def _serve_by_path(self, request: Request) -> Response:
        found = _BY_PATH.fullmatch(request.path)
        if found is None:
            return _json(404, {"message": "no user pool in the path"})
        rest = found[2]
        if rest.startswith("/.well-known/"):
            return await self._document(request, found[1], rest.rpartition("/")[2])
        return await self._serve(request, found[1], f"{_PREFIX}{found[1]}", rest)

    async def _serve_by_host(self, request: Request) -> Response:
        found = _BY_HOST.fullmatch((request.headers.get(b"host") or b"").lower())
        assert found is not None
        prefix, region = found[1].decode(), found[2].decode()

        scope = await self._work.locate(UserPoolDomain, prefix)
        if scope is None or scope.region != region:
            return _json(404, {"message": "no user pool has this domain"})

        def owner(desk: Desk, _params: Params) -> str | None:
            domain = desk.tx.get(UserPoolDomain, prefix)
            return None if domain is None else domain.user_pool_id

        pool_id = await self._work.run(scope, owner, {})
        return await self._serve(request, str(pool_id), "", request.path)

    async def _document(self, request: Request, pool_id: str, name: str) -> Response:
        def look(desk: Desk, _params: Params) -> UserPool | None:
            return desk.tx.get(UserPool, pool_id)

        scope = await self._work.locate(UserPool, pool_id)
        pool = None if scope is None else await self._work.run(scope, look, {})
        if pool is None:
            return _json(404, {"message": f"User pool {pool_id} does not exist."})
        document = web_keys(pool.key_pair) if name == "jwks.json" else _discovery(request, pool)
        return _json(200, document, (b"Cache-Control", b"public, max-age=86400"), _ANY_ORIGIN)

    async def _serve(self, request: Request, pool_id: str, base: str, path: str) -> Response:
        """`base`: the path in front of the endpoints."""
        scope = await self._work.locate(UserPool, pool_id)
        route = _ROUTES.get((request.method, path.rstrip("/")))
        if scope is None or route is None:
            return _preflight() if request.method == "OPTIONS" else _json(404, {"error": "not_found"})
        try:
            return await route(_Call(self._work, scope, request, pool_id, base))
        except OAuthError as error:
            return _oauth_error(error)
        except ControlError as error:
            log.info("user pool %s, %s: %s", pool_id, path, error)
            return _json(400, {"error": "invalid_request", "error_description": error.message}, _NO_STORE)
        except Exception:  # A traceback is for the log only.
            log.exception("user pool %s, %s failed", pool_id, path)
            return _json(500, {"error": "server_error"}, _NO_STORE)


class _Call:
    """One request to a hosted endpoint."""

    def __init__(self, work: UserPoolWork, scope: Scope, request: Request, pool_id: str, base: str) -> None:
        self._work = work
        self._scope = scope
        self.request = request
        self.base = base
        self.params: Params = {"pool_id": pool_id, "base": base, "query": _pairs(request.query)}

    async def run(self, operation: Callable[[Desk, Params], Any], **more: Any) -> Any:
        return await self._work.run(self._scope, operation, {**self.params, **more})

    def form(self) -> dict[str, str]:
        """Raises OAuthError."""
        kind = (self.request.headers.get(b"content-type") or b"").partition(b";")[0].strip().lower()
        if kind != b"application/x-www-form-urlencoded":
            raise OAuthError("invalid_request", "the body has to be a form")
        return _pairs(self.request.body.decode("utf-8", "replace"))

    def authorization(self) -> str | None:
        header = self.request.headers.get(b"authorization")
        return None if header is None else header.decode("latin-1")

    def cookies(self) -> dict[str, str]:
        try:
            jar = SimpleCookie((self.request.headers.get(b"cookie") or b"").decode("latin-1"))
        except CookieError:
            return {}
        return {name: morsel.value for name, morsel in jar.items()}

    def show(self, page: login.Page) -> Response:
        head: Pairs = [_NO_STORE, *self._cookies(page.cookies)]
        if page.location is not None:
            # The location was put together from parts that are encoded; a line break in it could only be an attack.
            location = page.location.replace("\r", "").replace("\n", "")
            return Response(page.status, [*head, (b"Location", location.encode())])
        target = f" {page.form_target}" if page.form_target else ""
        policy = f"default-src 'none'; form-action 'self'{target}; frame-ancestors 'none'; base-uri 'none'"
        head += [
            (b"Content-Type", b"text/html; charset=utf-8"),
            (b"Content-Security-Policy", policy.encode("latin-1", "replace")),
            (b"X-Frame-Options", b"DENY"),
            (b"X-Content-Type-Options", b"nosniff"),
            (b"Referrer-Policy", b"no-referrer"),
        ]
        title = html.escape(page.title)
        text = f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{title}</title><h1>{title}</h1>{page.body}'
        return Response(page.status, head, text.encode())

    def _cookies(self, cookies: Mapping[str, str | None]) -> Pairs:
        rest = f"; Path={self.base or '/'}; HttpOnly; SameSite=Lax"
        rest += "; Secure" if self.request.scheme == "https" else ""
        return [
            (b"Set-Cookie", f"{name}={value or ''}{'; Max-Age=0' if value is None else ''}{rest}".encode())
            for name, value in cookies.items()
        ]


async def _token(call: _Call) -> Response:
    made = await call.run(oauth.token, form=call.form(), authorization=call.authorization())
    return _json(200, made, _NO_STORE, _ANY_ORIGIN)


async def _user_info(call: _Call) -> Response:
    scheme, _, token = (call.authorization() or "").partition(" ")
    if scheme.lower() != "bearer" or not token:
        raise OAuthError("invalid_request", "Bad OAuth2 request at UserInfo Endpoint")
    return _json(200, await call.run(oauth.user_info, token=token.strip()), _NO_STORE, _ANY_ORIGIN)


async def _revoke(call: _Call) -> Response:
    await call.run(oauth.revocation, form=call.form(), authorization=call.authorization())
    return Response(200, [_NO_STORE, _ANY_ORIGIN])


async def _authorize(call: _Call) -> Response:
    return call.show(await call.run(login.authorize, cookies=call.cookies()))


async def _login(call: _Call) -> Response:
    return call.show(await call.run(login.show_login, cookies=call.cookies()))


async def _log_in(call: _Call) -> Response:
    cookies = call.cookies()
    try:
        return call.show(await call.run(login.log_in, cookies=cookies, form=call.form()))
    except ControlError as error:
        return call.show(await call.run(login.try_again, cookies=cookies, problem=error.message))


async def _logout(call: _Call) -> Response:
    return call.show(await call.run(login.log_out, cookies=call.cookies()))


_ROUTES: Mapping[tuple[str, str], Callable[[_Call], Awaitable[Response]]] = {
    ("POST", "/oauth2/token"): _token,
    ("GET", "/oauth2/userInfo"): _user_info,
    ("POST", "/oauth2/userInfo"): _user_info,
    ("POST", "/oauth2/revoke"): _revoke,
    ("GET", "/oauth2/authorize"): _authorize,
    ("GET", "/login"): _login,
    ("POST", "/login"): _log_in,
    ("GET", "/logout"): _logout,
}


def _discovery(request: Request, pool: UserPool) -> dict[str, Any]:
    """At AWS's own host name with AWS's addresses; else with those of this server, which a client can reach. The issuer is
    what tokens say in both."""
    host, issuer = request.headers.get(b"host") or b"", issuer_of(pool.id)
    if _AWS_HOST.fullmatch(host.lower()):
        region = pool.id.partition("_")[0]
        base, keys = f"https://{pool.domain}.auth.{region}.amazoncognito.com", issuer
        endpoints = base if pool.domain else None
    else:
        endpoints = keys = f"{request.scheme}://{host.decode('latin-1')}{_PREFIX}{pool.id}"
    hosted = {
        "authorization_endpoint": "/oauth2/authorize",
        "end_session_endpoint": "/logout",
        "revocation_endpoint": "/oauth2/revoke",
        "token_endpoint": "/oauth2/token",
        "userinfo_endpoint": "/oauth2/userInfo",
    }
    return {
        **({} if endpoints is None else {name: endpoints + path for name, path in hosted.items()}),
        "code_challenge_methods_supported": ["S256"],
        "id_token_signing_alg_values_supported": ["RS256"],
        "issuer": issuer,
        "jwks_uri": f"{keys}/.well-known/jwks.json",
        "response_types_supported": ["code"],
        "scopes_supported": ["openid", "email", "phone", "profile"],
        "subject_types_supported": ["public"],
        "token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post"],
    }


def _pairs(text: str) -> dict[str, str]:
    """Of a query or a form. Raises OAuthError: RFC 6749, no parameter comes twice."""
    found: dict[str, str] = {}
    for name, value in parse_qsl(text, keep_blank_values=True, max_num_fields=100):
        if name in found:
            raise OAuthError("invalid_request", f"{name} is given twice")
        found[name] = value
    return found


def _json(status: int, document: Any, *more: tuple[bytes, bytes]) -> Response:
    return Response(status, [_JSON, *more], orjson.dumps(document))


def _oauth_error(error: OAuthError) -> Response:
    document = {"error": error.code}
    if error.description:
        document["error_description"] = error.description
    head = [_NO_STORE, _ANY_ORIGIN]
    if error.status == 401:
        challenge = f'Bearer error="{error.code}", error_description="{error.description}"'
        head.append((b"WWW-Authenticate", challenge.encode("latin-1", "replace")))
    return _json(error.status, document, *head)


def _preflight() -> Response:
    allowed = (
        (b"Access-Control-Allow-Methods", b"GET, POST"),
        (b"Access-Control-Allow-Headers", b"authorization, content-type"),
    )
    return Response(204, [_ANY_ORIGIN, *allowed])


def _too_large(_request: Request) -> Response:
    return Response(413, [_JSON], b'{"error":"invalid_request"}', close=True)
