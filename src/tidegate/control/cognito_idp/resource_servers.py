"""Resource servers, whose scopes access tokens carry, and the domain of a pool's hosted endpoints.

Source: *Scopes, M2M, and APIs with resource servers*, *Configuring a user pool domain*.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from tidegate.aws.model import Params
from tidegate.control.cognito_idp.desk import Desk, Operation, page
from tidegate.control.cognito_idp.errors import invalid, missing, unsupported
from tidegate.control.cognito_idp.lookup import pool_of
from tidegate.definition.records import UserPoolDomain, UserPoolResourceServer

_DOMAIN = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")
_RESERVED = ("aws", "amazon", "cognito")


def create(desk: Desk, params: Params) -> dict[str, Any]:
    pool, identifier = pool_of(desk, params["user_pool_id"]), params["identifier"]
    if desk.tx.get(UserPoolResourceServer, pool.id, identifier) is not None:
        raise invalid(f"{identifier} already exists in user pool {pool.id}.")
    return _put(desk, pool.id, params)


def _put(desk: Desk, pool_id: str, params: Params) -> dict[str, Any]:
    server = UserPoolResourceServer(
        user_pool_id=pool_id,
        identifier=params["identifier"],
        name=params["name"],
        scopes=_scopes(params.get("scopes") or ()),
    )
    desk.tx.put(server)
    return {"resource_server": server}


def _scopes(given: Iterable[dict[str, str]]) -> list[dict[str, str]]:
    found = {scope["scope_name"]: scope for scope in given}
    return list(found.values())


def describe(desk: Desk, params: Params) -> dict[str, Any]:
    return {"resource_server": _server(desk, params)}


def _server(desk: Desk, params: Params) -> UserPoolResourceServer:
    pool, identifier = pool_of(desk, params["user_pool_id"]), params["identifier"]
    found = desk.tx.get(UserPoolResourceServer, pool.id, identifier)
    if found is None:
        raise missing(f"Resource server {identifier} does not exist.")
    return found


def list_servers(desk: Desk, params: Params) -> dict[str, Any]:
    pool = pool_of(desk, params["user_pool_id"])
    servers, token = page(desk, UserPoolResourceServer, pool.id, params=params, most=50)
    return {"resource_servers": servers, "next_token": token}


def update(desk: Desk, params: Params) -> dict[str, Any]:
    return _put(desk, _server(desk, params).user_pool_id, params)


def delete(desk: Desk, params: Params) -> None:
    desk.tx.delete(UserPoolResourceServer, *_server(desk, params).key)


def create_domain(desk: Desk, params: Params) -> dict[str, Any]:
    pool, domain = pool_of(desk, params["user_pool_id"]), params["domain"]
    if params.get("custom_domain_config"):
        raise unsupported("custom domains of user pools (CustomDomainConfig)")
    if params.get("managed_login_version", 1) != 1:
        raise unsupported("managed login (ManagedLoginVersion 2)")
    if params.get("routing"):
        raise unsupported("Routing")
    if not _DOMAIN.fullmatch(domain):
        raise invalid("Domain prefix may hold lower-case letters, digits and hyphens only")
    if reserved := next((word for word in _RESERVED if word in domain), None):
        raise invalid(f"Domain cannot contain reserved word: {reserved}")
    if pool.domain:
        raise invalid("User pool already has a domain configured.")
    if desk.tx.exists_anywhere(UserPoolDomain, domain):
        raise invalid("Domain already associated with another user pool.")
    desk.tx.put(UserPoolDomain(domain=domain, user_pool_id=pool.id))
    desk.tx.put(replace(pool, domain=domain))
    return {"managed_login_version": 1}


def describe_domain(desk: Desk, params: Params) -> dict[str, Any]:
    found = desk.tx.get(UserPoolDomain, params["domain"])
    if found is None:
        # AWS: no error, and an empty description.
        return {"domain_description": {}}
    return {
        "domain_description": {
            "user_pool_id": found.user_pool_id,
            "aws_account_id": desk.scope.account,
            "domain": found.domain,
            "status": "ACTIVE",
            "managed_login_version": 1,
            "custom_domain_config": {},
        }
    }


def delete_domain(desk: Desk, params: Params) -> dict[str, Any]:
    found = desk.tx.get(UserPoolDomain, params["domain"])
    if found is None or found.user_pool_id != params["user_pool_id"]:
        raise invalid("No such domain or user pool exists.")
    desk.tx.delete(UserPoolDomain, found.domain)
    desk.tx.put(replace(pool_of(desk, found.user_pool_id), domain=None))
    return {}


OPERATIONS: dict[str, Operation] = {
    "CreateResourceServer": create,
    "DescribeResourceServer": describe,
    "ListResourceServers": list_servers,
    "UpdateResourceServer": update,
    "DeleteResourceServer": delete,
    "CreateUserPoolDomain": create_domain,
    "DescribeUserPoolDomain": describe_domain,
    "DeleteUserPoolDomain": delete_domain,
}
