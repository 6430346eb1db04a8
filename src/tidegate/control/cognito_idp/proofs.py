"""Proofs of who somebody is: passwords and their like, counted, and things that are good once.

Source: *Lockout behavior for failed sign-in attempts*, *Managing error responses*.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from tidegate.control.cognito_idp import passwords
from tidegate.control.cognito_idp.clients import hides_users
from tidegate.control.cognito_idp.desk import Costly, Desk
from tidegate.control.cognito_idp.errors import invalid, no_user, not_authorized
from tidegate.control.cognito_idp.lookup import find_user
from tidegate.definition.records import PoolUser, UserPool, UserPoolClient

USED = "Invalid session for the user, session can only be used once."

Given = Mapping[str, str]
"""Parameters of a sign-in."""
Welcome = Callable[[Desk, UserPool, UserPoolClient, PoolUser], Any]
"""What follows when it is clear who somebody is."""


def needed(given: Given, name: str) -> str:
    """Raises ControlError."""
    value = given.get(name)
    if not value:
        raise invalid(f"Missing required parameter {name}")
    return value


def check_password(
    desk: Desk, pool: UserPool, client: UserPoolClient, name: str, password: str, then: Welcome
) -> Costly:
    """Raises ControlError, in this step or the next, unless the password is right; says no more than the client allows."""
    user = find_user(desk, pool, name)
    known = name if user is None else user.username
    desk.tools.attempts.check_password(pool.id, known)
    stored = None if user is None else user.password_hash

    def decide(later: Desk, right: bool) -> Any:
        found = None if user is None else find_user(later, pool, user.username)
        judge(later, pool, client, known, right=right and found is not None and found.password_hash == stored)
        assert found is not None
        return then(later, pool, client, found)

    if user is None and not hides_users(client):
        raise no_user()
    return Costly(lambda: passwords.matches(stored, password), decide)


def judge(desk: Desk, pool: UserPool, client: UserPoolClient, name: str, *, right: bool) -> None:
    """Count a proof that was given, right or wrong. Raises ControlError for a wrong one, and for any during a lock."""
    attempts = desk.tools.attempts
    # Looked at once more: many guesses at a time all began before the first had failed.
    attempts.check_password(pool.id, name)
    if not right:
        attempts.wrong_password(pool.id, name)
        raise not_authorized()
    attempts.right_password(pool.id, name)


def spend(desk: Desk, name: str, expires: float) -> None:
    """Use up a session or a challenge. Raises ControlError when that has been done, or is too late."""
    if expires <= desk.now:
        raise not_authorized("Invalid session for the user, session is expired.")
    if not desk.tools.spent.spend(name, expires):
        raise not_authorized(USED)
