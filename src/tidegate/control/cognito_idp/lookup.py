"""Finding pools, clients and users, and keeping what finds users in step with them."""

from __future__ import annotations

from tidegate.control.cognito_idp.attributes import is_email, is_phone
from tidegate.control.cognito_idp.desk import Desk
from tidegate.control.cognito_idp.errors import invalid, missing, no_user
from tidegate.core.errors import ControlError
from tidegate.definition.records import ClientPool, PoolAlias, PoolUser, UserPool, UserPoolClient


def pool_of(desk: Desk, pool_id: str) -> UserPool:
    found = desk.tx.get(UserPool, pool_id)
    if found is None:
        raise missing(f"User pool {pool_id} does not exist.")
    return found


def client_of(desk: Desk, pool: UserPool, client_id: str) -> UserPoolClient:
    found = desk.tx.get(UserPoolClient, pool.id, client_id)
    if found is None:
        raise missing(f"User pool client {client_id} does not exist.")
    return found


def pool_and_client(desk: Desk, client_id: str) -> tuple[UserPool, UserPoolClient]:
    """For calls of users, which name the client only."""
    found = desk.tx.get(ClientPool, client_id)
    if found is None:
        raise missing(f"User pool client {client_id} does not exist.")
    pool = pool_of(desk, found.user_pool_id)
    return pool, client_of(desk, pool, client_id)


def find_user(desk: Desk, pool: UserPool, name: str) -> PoolUser | None:
    """By username, by `sub`, or by an attribute that signs in."""
    user = desk.tx.get(PoolUser, pool.id, name)
    if user is not None:
        return user
    for kind in _kinds(pool):
        alias = desk.tx.get(PoolAlias, pool.id, kind, folded(pool, name) if kind != "sub" else name)
        if alias is not None:
            return desk.tx.get(PoolUser, pool.id, alias.username)
    return None


def user_of(desk: Desk, pool: UserPool, name: str) -> PoolUser:
    user = find_user(desk, pool, name)
    if user is None:
        raise no_user()
    return user


def folded(pool: UserPool, name: str) -> str:
    return name if case_matters(pool) else name.lower()


def case_matters(pool: UserPool) -> bool:
    return bool((pool.username_configuration or {}).get("case_sensitive", True))


def _kinds(pool: UserPool) -> list[str]:
    kinds = ["sub", *(pool.username_attributes or ()), *(pool.alias_attributes or ())]
    return kinds if case_matters(pool) else ["username", *kinds]


def put_user(desk: Desk, pool: UserPool, user: PoolUser, old: PoolUser | None = None, *, take: bool = False) -> None:
    """Store a user, and what finds it. `take`: aliases of others are taken over. Raises ControlError for theirs."""
    wanted, had = _aliases(pool, user), set() if old is None else _aliases(pool, old)
    for kind, value in sorted(wanted - had):
        other = desk.tx.get(PoolAlias, pool.id, kind, value)
        if other is not None and other.username != user.username and not take:
            raise _taken(pool, kind)
        desk.tx.put(PoolAlias(user_pool_id=pool.id, kind=kind, value=value, username=user.username))
    for kind, value in sorted(had - wanted):
        _drop_alias(desk, pool, kind, value, user.username)
    desk.tx.put(user)


def drop_aliases(desk: Desk, pool: UserPool, user: PoolUser) -> None:
    for kind, value in _aliases(pool, user):
        _drop_alias(desk, pool, kind, value, user.username)


def _drop_alias(desk: Desk, pool: UserPool, kind: str, value: str, username: str) -> None:
    found = desk.tx.get(PoolAlias, pool.id, kind, value)
    if found is not None and found.username == username:
        desk.tx.delete(PoolAlias, pool.id, kind, value)


def _taken(pool: UserPool, kind: str) -> ControlError:
    if kind == "username":
        return ControlError("UsernameExistsException", "User already exists")
    if kind in (pool.username_attributes or ()):
        return ControlError("UsernameExistsException", f"An account with the given {kind} already exists.")
    return ControlError("AliasExistsException", f"An account with the {kind} already exists.")


def _aliases(pool: UserPool, user: PoolUser) -> set[tuple[str, str]]:
    found = {("sub", user.sub)}
    if not case_matters(pool):
        found.add(("username", user.username.lower()))
    for kind in (*(pool.username_attributes or ()), *(pool.alias_attributes or ())):
        value = user.attributes.get(kind)
        # AWS: an address signs in as an alias once it is verified; as the username itself, from the beginning.
        counts = kind in (pool.username_attributes or ()) or kind == "preferred_username"
        if value and (counts or user.attributes.get(f"{kind}_verified") == "true"):
            found.add((kind, folded(pool, value)))
    return found


def naming_attribute(pool: UserPool, name: str) -> str | None:
    """Of a new user's name: the attribute that it is, in pools that sign in by one. Raises ControlError."""
    allowed = pool.username_attributes or ()
    if allowed:
        for kind, fits in (("email", is_email), ("phone_number", is_phone)):
            if kind in allowed and fits(name):
                return kind
        nouns = {"email": "an email", "phone_number": "a phone number"}
        if len(allowed) > 1:
            raise invalid("Username should be either an email or a phone number.")
        raise invalid(f"Username should be {nouns[allowed[0]]}.")
    for kind, noun, fits in (("email", "email", is_email), ("phone_number", "phone number", is_phone)):
        if kind in (pool.alias_attributes or ()) and fits(name):
            raise invalid(f"Username cannot be of {noun} format, since user pool is configured for {noun} alias.")
    return None
