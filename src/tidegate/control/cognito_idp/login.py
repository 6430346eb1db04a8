"""The pages between an application and its tokens: the authorization endpoint, a plain login form, and sign-out.

A form counts only with the token of a cookie that the page set (no other site can send both). Who has signed in stays so for an
hour, by a sealed cookie. A redirect URI that is not the client's own is never followed.
Source: *Authorize endpoint*, *Login endpoint*, *Logout endpoint* (Amazon Cognito Developer Guide).
"""

from __future__ import annotations

import hmac
import html
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode, urlsplit

import orjson

from tidegate.aws.model import Params
from tidegate.control.cognito_idp import passwords
from tidegate.control.cognito_idp.desk import Costly, Desk
from tidegate.control.cognito_idp.lookup import find_user, pool_of
from tidegate.control.cognito_idp.oauth import Authorization, OAuthError, checked_request, issue_code
from tidegate.control.cognito_idp.proofs import check_password
from tidegate.control.cognito_idp.sealing import SecretError
from tidegate.control.cognito_idp.users import check_policy, with_password
from tidegate.control.cognito_idp.welcome import check_state
from tidegate.core.errors import ControlError
from tidegate.definition.records import PoolUser, UserPool, UserPoolClient

SESSION, FORM = "cognito", "XSRF-TOKEN"
"""Cookies: who has signed in, and what a form has to repeat."""
_REPEAT = re.compile(r"[\w-]{32}", re.ASCII)
_HOLDS = 3600
_KEPT = "hosted login"
_CHANGE = "hosted change of password"


@dataclass(frozen=True, slots=True)
class Page:
    """What a browser gets: a page, or a redirect. `cookies`: None removes one."""

    status: int = 200
    title: str = ""
    body: str = ""
    location: str | None = None
    cookies: Mapping[str, str | None] = field(default_factory=dict)
    form_target: str = ""
    """Where the page's form may lead in the end, besides this server."""


def _refused(message: str) -> Page:
    return Page(400, "This does not work", f"<p>{html.escape(message)}</p>")


def _client(desk: Desk, pool: UserPool, given: Mapping[str, str]) -> UserPoolClient | None:
    return desk.tx.get(UserPoolClient, pool.id, given.get("client_id", ""))


def authorize(desk: Desk, params: Params) -> Page:
    """`params`: pool id, query, cookies and the path in front of the endpoints."""
    asked = _asked(desk, params)
    if isinstance(asked, Page):
        return asked
    user = _signed_in(desk, asked.pool, params["cookies"])
    if user is not None and params["query"].get("prompt") != "login":
        return _to_application(desk, asked, user, params["query"])
    return Page(302, location=f"{params['base']}/login?{urlencode(params['query'])}")


def _asked(desk: Desk, params: Params) -> Authorization | Page:
    pool, query = pool_of(desk, params["pool_id"]), dict(params["query"])
    client = _client(desk, pool, query)
    if client is None:
        return _refused("invalid_request: there is no such client")
    query.setdefault("redirect_uri", client.default_redirect_uri or "")
    if query["redirect_uri"] not in (client.callback_urls or ()):
        return _refused("redirect_mismatch: the redirect URI is not one of the client's")
    try:
        return checked_request(desk, pool, client, query)
    except OAuthError as error:
        told = {"error": error.code, **({"error_description": error.description} if error.description else {})}
        return Page(302, location=_with_query(query["redirect_uri"], {**told, **_state(query)}))


def _state(query: Mapping[str, str]) -> dict[str, str]:
    return {"state": query["state"]} if "state" in query else {}


def _with_query(uri: str, more: Mapping[str, str]) -> str:
    return f"{uri}{'&' if urlsplit(uri).query else '?'}{urlencode(more)}"


def _signed_in(desk: Desk, pool: UserPool, cookies: Mapping[str, str]) -> PoolUser | None:
    try:
        state = orjson.loads(desk.tools.secrets.open(cookies.get(SESSION, ""), _KEPT))
    except SecretError:
        return None
    pool_id, username, expires, password_hash = state
    user = find_user(desk, pool, username) if pool_id == pool.id and expires > desk.now else None
    # A new password ends what the old one began.
    return user if user is not None and user.enabled and user.password_hash == password_hash else None


def _to_application(desk: Desk, asked: Authorization, user: PoolUser, query: Mapping[str, str]) -> Page:
    code = issue_code(desk, asked, user.username)
    return Page(302, location=_with_query(asked.redirect_uri, {"code": code, **_state(query)}))


def show_login(desk: Desk, params: Params) -> Page:
    asked = _asked(desk, params)
    return asked if isinstance(asked, Page) else _form(asked, params)


def _form(asked: Authorization, params: Params, problem: str = "", status: int = 200) -> Page:
    fields = (
        '<p><label>Username <input name="username" autocomplete="username" required autofocus></label></p>'
        '<p><label>Password <input name="password" type="password" autocomplete="current-password" required></label></p>'
        '<p><button type="submit">Sign in</button></p>'
    )
    return _page(asked, params, f"Sign in to {asked.client.client_name}", fields, problem, status)


def _page(asked: Authorization, params: Params, title: str, fields: str, problem: str, status: int) -> Page:
    given = params["cookies"].get(FORM, "")
    repeat = given if _REPEAT.fullmatch(given) else secrets.token_urlsafe(24)
    action = html.escape(f"{params['base']}/login?{urlencode(params['query'])}", quote=True)
    told = f'<p role="alert">{html.escape(problem)}</p>' if problem else ""
    body = f'{told}<form method="post" action="{action}"><input type="hidden" name="_csrf" value="{repeat}">{fields}</form>'
    parts = urlsplit(asked.redirect_uri)
    target = f"{parts.scheme}://{parts.netloc}" if parts.netloc else f"{parts.scheme}:"
    return Page(status, title, body, cookies={FORM: repeat}, form_target=target)


def log_in(desk: Desk, params: Params) -> Any:
    """`params`: those of `authorize`, and the form: name and password, or a new password for a temporary one."""
    asked, form = _asked(desk, params), params["form"]
    if isinstance(asked, Page):
        return asked
    wanted = params["cookies"].get(FORM, "")
    if not wanted or not hmac.compare_digest(wanted.encode(), form.get("_csrf", "").encode()):
        return _form(asked, params, "Please try again.", 403)
    if "change" in form:
        return _replace_password(desk, asked, params)
    name, password = form.get("username", ""), form.get("password", "")
    if not name or not password:
        return _form(asked, params, "Username and password are needed.", 400)

    def welcome(later: Desk, pool: UserPool, client: UserPoolClient, user: PoolUser) -> Page:
        check_state(later, user)
        if user.user_status == "FORCE_CHANGE_PASSWORD":
            state = orjson.dumps([pool.id, client.client_id, user.username, later.now + _HOLDS, user.password_hash])
            return _change_form(asked, params, later.tools.secrets.seal(state, _CHANGE))
        return _signed(later, asked, user, params)

    return check_password(desk, asked.pool, asked.client, name, password, welcome)


def _signed(desk: Desk, asked: Authorization, user: PoolUser, params: Params) -> Page:
    """To the application, and remembered."""
    state = orjson.dumps([asked.pool.id, user.username, desk.now + _HOLDS, user.password_hash])
    page = _to_application(desk, asked, user, params["query"])
    cookies = {SESSION: desk.tools.secrets.seal(state, _KEPT), FORM: None}
    return Page(page.status, location=page.location, cookies=cookies)


def _change_form(asked: Authorization, params: Params, change: str, problem: str = "") -> Page:
    fields = (
        f'<input type="hidden" name="change" value="{html.escape(change, quote=True)}">'
        '<p><label>New password <input name="new_password" type="password" autocomplete="new-password" required></label></p>'
        '<p><button type="submit">Go on</button></p>'
    )
    return _page(asked, params, "Choose a password", fields, problem, 400 if problem else 200)


def _replace_password(desk: Desk, asked: Authorization, params: Params) -> Any:
    pool, change, password = asked.pool, params["form"]["change"], params["form"].get("new_password", "")
    try:
        state = orjson.loads(desk.tools.secrets.open(change, _CHANGE))
    except SecretError:
        return _form(asked, params, "Please try again.", 403)
    pool_id, client_id, username, expires, password_hash = state
    if (pool_id, client_id) != (pool.id, asked.client.client_id) or expires <= desk.now:
        return _form(asked, params, "Please try again.", 403)
    try:
        check_policy(pool, password)
    except ControlError as error:
        return _change_form(asked, params, change, error.message)

    def store(later: Desk, digest: passwords.Digest) -> Page:
        user = find_user(later, pool, username)
        # The old password is part of what was sealed: a form is good for one change.
        if user is None or not user.enabled or user.password_hash != password_hash:
            return _form(asked, params, "Please try again.", 403)
        changed = with_password(later, user, digest, user_status="CONFIRMED")
        later.tx.put(changed)
        return _signed(later, asked, changed, params)

    return Costly(lambda: passwords.digest(pool.id, username, password), store)


def try_again(desk: Desk, params: Params) -> Page:
    """The form once more, with what was wrong (`params["problem"]`)."""
    asked = _asked(desk, params)
    return asked if isinstance(asked, Page) else _form(asked, params, params["problem"], 400)


def log_out(desk: Desk, params: Params) -> Page:
    pool, query = pool_of(desk, params["pool_id"]), params["query"]
    client, uri = _client(desk, pool, query), query.get("logout_uri")
    if client is None:
        return _refused("invalid_request: there is no such client")
    if uri is None and "redirect_uri" in query:
        location = f"{params['base']}/login?{urlencode(query)}"
        return Page(302, location=location, cookies={SESSION: None})
    if uri not in (client.logout_urls or ()):
        return _refused("invalid_request: the logout URI is not one of the client's")
    return Page(302, location=uri, cookies={SESSION: None})
