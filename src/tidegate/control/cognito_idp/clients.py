"""App clients: what they may do, how long their tokens hold, and their secrets.

Source: *CreateUserPoolClient*, *UpdateUserPoolClient* (Amazon Cognito user pools API Reference).
"""

from __future__ import annotations

import base64
import hmac
import secrets
import string
from collections.abc import Callable, Iterable, Mapping
from typing import Any
from urllib.parse import urlsplit

from tidegate.aws.model import Params
from tidegate.control.cognito_idp.desk import Desk, Operation, page
from tidegate.control.cognito_idp.errors import invalid, not_authorized, unsupported
from tidegate.control.cognito_idp.lookup import client_of, pool_of
from tidegate.control.cognito_idp.sealing import SecretBox
from tidegate.core.errors import ControlError
from tidegate.definition.records import (
    ClientPool,
    UserPool,
    UserPoolClient,
    UserPoolResourceServer,
)

STANDARD_SCOPES = ("phone", "email", "openid", "profile", "aws.cognito.signin.user.admin")
SECONDS = {"seconds": 1, "minutes": 60, "hours": 3600, "days": 86_400}
_ALPHABET = string.ascii_lowercase + string.digits
_PURPOSE = "user pool client secret"
_OLD_FLOWS = {
    "ADMIN_NO_SRP_AUTH": "ALLOW_ADMIN_USER_PASSWORD_AUTH",
    "USER_PASSWORD_AUTH": "ALLOW_USER_PASSWORD_AUTH",
    "CUSTOM_AUTH_FLOW_ONLY": "ALLOW_CUSTOM_AUTH",
}
_DEFAULT_FLOWS = ("ALLOW_REFRESH_TOKEN_AUTH", "ALLOW_USER_SRP_AUTH", "ALLOW_CUSTOM_AUTH")
_VALIDITIES = {
    "access_token": ("hours", 3600, 300, 86_400),
    "id_token": ("hours", 3600, 300, 86_400),
    "refresh_token": ("days", 30 * 86_400, 3600, 315_360_000),
}
"""Unit, default, least and most seconds."""
_REFUSED: Mapping[str, tuple[str, Callable[[Any], bool]]] = {
    "analytics_configuration": ("analytics (AnalyticsConfiguration)", bool),
    "enable_propagate_additional_user_context_data": (
        "threat protection (EnablePropagateAdditionalUserContextData)",
        bool,
    ),
    "publish_secrets_in_aws_secrets_manager": ("secrets in Secrets Manager", bool),
    "refresh_token_rotation": (
        "rotation of refresh tokens (RefreshTokenRotation)",
        lambda given: given.get("feature") == "ENABLED",
    ),
    "explicit_auth_flows": ("choice-based sign-in (ALLOW_USER_AUTH)", lambda given: "ALLOW_USER_AUTH" in given),
    "supported_identity_providers": (
        "other identity providers (SupportedIdentityProviders)",
        lambda given: any(name != "COGNITO" for name in given),
    ),
}
_SETTINGS = (
    *("client_name", "refresh_token_validity", "access_token_validity", "id_token_validity", "token_validity_units"),
    *("read_attributes", "write_attributes", "explicit_auth_flows", "supported_identity_providers", "callback_urls"),
    *("logout_urls", "default_redirect_uri", "allowed_o_auth_flows", "allowed_o_auth_scopes"),
    *("allowed_o_auth_flows_user_pool_client", "prevent_user_existence_errors", "enable_token_revocation"),
    "auth_session_validity",
)


def create(desk: Desk, params: Params) -> dict[str, Any]:
    pool = pool_of(desk, params["user_pool_id"])
    secret = params.get("client_secret")
    if params.get("generate_secret") and not secret:
        secret = "".join(secrets.choice(_ALPHABET) for _ in range(52))
    client = UserPoolClient(
        user_pool_id=pool.id,
        client_id="".join(secrets.choice(_ALPHABET) for _ in range(26)),
        sealed_secret=None if secret is None else desk.tools.secrets.seal(secret.encode(), _PURPOSE),
        creation_date=desk.now,
        last_modified_date=desk.now,
        **_settings(desk, pool, params),
    )
    desk.tx.put(client)
    desk.tx.put(ClientPool(client_id=client.client_id, user_pool_id=pool.id))
    return {"user_pool_client": _shown(desk, client)}


def _settings(desk: Desk, pool: UserPool, params: Params) -> dict[str, Any]:
    for name, (noun, asks) in _REFUSED.items():
        given = params.get(name)
        if given and asks(given):
            raise unsupported(noun)
    settings = {name: value for name in _SETTINGS if (value := params.get(name)) is not None}
    if not settings.get("refresh_token_validity"):
        # AWS: 0 asks for the default.
        settings.pop("refresh_token_validity", None)
    _check_flows(settings)
    for each in _VALIDITIES:
        _check_validity(settings, each)
    _check_attributes(pool, settings)
    _check_oauth(desk, pool, settings, secret=bool(params.get("generate_secret") or params.get("client_secret")))
    return settings


def _check_flows(settings: Params) -> None:
    flows = settings.get("explicit_auth_flows") or []
    old = [flow for flow in flows if flow in _OLD_FLOWS]
    if old and len(old) != len(flows):
        raise invalid("ExplicitAuthFlows can't have values with and without the ALLOW_ prefix at the same time")


def _check_validity(settings: Params, name: str) -> None:
    _, _, least, most = _VALIDITIES[name]
    if not least <= _seconds(name, settings.get(f"{name}_validity"), settings.get("token_validity_units")) <= most:
        raise invalid("Invalid range for token validity.")


def _seconds(name: str, validity: int | None, units: Mapping[str, str] | None) -> int:
    unit, default, _, _ = _VALIDITIES[name]
    return validity * SECONDS[(units or {}).get(name) or unit] if validity else default


def validity(client: UserPoolClient, token: str) -> int:
    """Seconds that a client's tokens hold. `token`: `access_token`, `id_token` or `refresh_token`."""
    return _seconds(token, getattr(client, f"{token}_validity"), client.token_validity_units)


def _check_attributes(pool: UserPool, settings: Params) -> None:
    known = {each["name"] for each in pool.schema_attributes}
    for name in ("read_attributes", "write_attributes"):
        if unknown := set(settings.get(name) or ()) - known:
            raise invalid(
                f"Invalid {name.partition('_')[0]} attributes specified while creating a client: {sorted(unknown)}"
            )
    required = {each["name"] for each in pool.schema_attributes if each.get("required")} - {"sub"}
    writable = settings.get("write_attributes")
    if writable is not None and required - set(writable):
        raise invalid("Invalid write attributes specified while creating a client")


def _check_oauth(desk: Desk, pool: UserPool, settings: Params, *, secret: bool) -> None:
    flows, scopes = settings.get("allowed_o_auth_flows") or [], settings.get("allowed_o_auth_scopes") or []
    if "client_credentials" in flows and len(flows) > 1:
        raise invalid("client_credentials flow can not be selected along with code flow or implicit flow")
    if "implicit" in flows:
        raise unsupported("the implicit grant (AllowedOAuthFlows)")
    if settings.get("allowed_o_auth_flows_user_pool_client") and not (flows and scopes):
        raise invalid(
            "AllowedOAuthFlows and AllowedOAuthScopes are required if user pool client is allowed to use OAuth flows."
        )
    if "client_credentials" in flows and not secret:
        raise invalid("client_credentials flow can not be selected if client does not have a client secret.")
    if "code" in flows and not settings.get("callback_urls"):
        raise invalid("At least one callback URL is required for the code flow")
    if unknown := sorted(set(scopes) - known_scopes(desk, pool)):
        raise ControlError("ScopeDoesNotExistException", f"Invalid scope requested: {unknown[0]}")
    if "client_credentials" in flows and set(scopes) & set(STANDARD_SCOPES):
        raise invalid(f"{sorted(set(scopes) & set(STANDARD_SCOPES))[0]} is not supported with client_credentials flow")
    urls = settings.get("callback_urls") or []
    _check_urls([*urls, *(settings.get("logout_urls") or [])])
    default = settings.get("default_redirect_uri")
    if default is not None and default not in urls:
        raise invalid("DefaultRedirectURI must be in the list of CallbackURLs.")


def known_scopes(desk: Desk, pool: UserPool) -> set[str]:
    servers = desk.tx.list(UserPoolResourceServer, pool.id)
    own = {f"{server.identifier}/{scope['scope_name']}" for server in servers for scope in server.scopes}
    return own | set(STANDARD_SCOPES)


def _check_urls(urls: Iterable[str]) -> None:
    for url in urls:
        parts = urlsplit(url)
        local = parts.hostname in ("localhost", "127.0.0.1", "::1")
        if not parts.scheme or parts.fragment or (parts.scheme == "http" and not local):
            # AWS: https, an app's own scheme, or http to this very machine.
            raise invalid(
                f"{url} cannot use the HTTP protocol." if parts.scheme == "http" else f"Invalid callback url: {url}"
            )


def _shown(desk: Desk, client: UserPoolClient) -> dict[str, Any]:
    fields = {name: getattr(client, name) for name in client.__dataclass_fields__ if name != "sealed_secret"}
    return {
        **fields,
        "client_secret": secret_of(desk.tools.secrets, client),
        "explicit_auth_flows": client.explicit_auth_flows,
    }


def describe(desk: Desk, params: Params) -> dict[str, Any]:
    client = client_of(desk, pool_of(desk, params["user_pool_id"]), params["client_id"])
    return {"user_pool_client": _shown(desk, client)}


def list_clients(desk: Desk, params: Params) -> dict[str, Any]:
    pool = pool_of(desk, params["user_pool_id"])
    clients, token = page(desk, UserPoolClient, pool.id, params=params)
    return {"user_pool_clients": clients, "next_token": token}


def update(desk: Desk, params: Params) -> dict[str, Any]:
    """AWS: a parameter that is not given gets its default."""
    pool = pool_of(desk, params["user_pool_id"])
    client = client_of(desk, pool, params["client_id"])
    given = {**params, "client_name": params.get("client_name") or client.client_name}
    secret = client.sealed_secret is not None
    settings = _settings(desk, pool, {**given, "generate_secret": secret})
    changed = UserPoolClient(
        user_pool_id=pool.id,
        client_id=client.client_id,
        sealed_secret=client.sealed_secret,
        creation_date=client.creation_date,
        last_modified_date=desk.now,
        **settings,
    )
    desk.tx.put(changed)
    return {"user_pool_client": _shown(desk, changed)}


def delete(desk: Desk, params: Params) -> None:
    client = client_of(desk, pool_of(desk, params["user_pool_id"]), params["client_id"])
    desk.tx.delete(UserPoolClient, client.user_pool_id, client.client_id)
    desk.tx.delete(ClientPool, client.client_id)


def secret_of(box: SecretBox, client: UserPoolClient) -> str | None:
    return None if client.sealed_secret is None else box.open(client.sealed_secret, _PURPOSE).decode()


def check_secret_hash(desk: Desk, client: UserPoolClient, given: str | None, *names: str) -> None:
    """AWS: clients with a secret prove it by a keyed hash of username and client id. Raises ControlError."""
    secret = secret_of(desk.tools.secrets, client)
    if secret is None and not given:
        return
    if secret is not None and not given:
        raise not_authorized(f"Client {client.client_id} is configured with secret but SECRET_HASH was not received")
    if secret is None or not any(_hash_holds(secret, client.client_id, name, given or "") for name in names):
        raise not_authorized(f"Unable to verify secret hash for client {client.client_id}")


def _hash_holds(secret: str, client_id: str, name: str, given: str) -> bool:
    wanted = base64.b64encode(hmac.digest(secret.encode(), f"{name}{client_id}".encode(), "sha256"))
    return hmac.compare_digest(wanted, given.encode())


def check_client_secret(desk: Desk, client: UserPoolClient, given: str | None) -> None:
    """Raises ControlError."""
    secret = secret_of(desk.tools.secrets, client)
    if not hmac.compare_digest((secret or "").encode(), (given or "").encode()):
        raise ControlError("UnauthorizedException", "Invalid client secret")


def allows(client: UserPoolClient, flow: str) -> bool:
    """`flow`: with the `ALLOW_` prefix."""
    given = client.explicit_auth_flows
    flows = [_OLD_FLOWS.get(each, each) for each in given] if given else list(_DEFAULT_FLOWS)
    # AWS: with the older names, refreshing and SRP need no permission.
    if given and any(each in _OLD_FLOWS for each in given):
        flows += ["ALLOW_REFRESH_TOKEN_AUTH", "ALLOW_USER_SRP_AUTH"]
    return flow in flows


def hides_users(client: UserPoolClient) -> bool:
    return client.prevent_user_existence_errors == "ENABLED"


OPERATIONS: dict[str, Operation] = {
    "CreateUserPoolClient": create,
    "DescribeUserPoolClient": describe,
    "ListUserPoolClients": list_clients,
    "UpdateUserPoolClient": update,
    "DeleteUserPoolClient": delete,
}
