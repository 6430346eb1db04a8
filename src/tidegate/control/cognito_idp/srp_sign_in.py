"""Signing in by SRP: the challenge, and the proof that answers it.

What the server has to remember in between is sealed into the challenge's secret block. Source: *SRP-based authentication*.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import re
import secrets
from typing import Any

import orjson

from tidegate.control.cognito_idp import srp
from tidegate.control.cognito_idp.clients import check_secret_hash, hides_users
from tidegate.control.cognito_idp.desk import Costly, Desk
from tidegate.control.cognito_idp.errors import invalid, no_user, not_authorized
from tidegate.control.cognito_idp.lookup import find_user
from tidegate.control.cognito_idp.proofs import Given, judge, needed, spend
from tidegate.control.cognito_idp.sealing import SecretError
from tidegate.control.cognito_idp.users import VERIFIER
from tidegate.control.cognito_idp.welcome import welcome
from tidegate.definition.records import PoolUser, UserPool, UserPoolClient

_BLOCK = "srp challenge"
_TIMESTAMP = re.compile(r"(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun) [A-Z][a-z]{2} \d{1,2} \d{2}:\d{2}:\d{2} [A-Z]{3,4} \d{4}")


def by_srp(desk: Desk, pool: UserPool, client: UserPoolClient, given: Given) -> Costly:
    """The challenge PASSWORD_VERIFIER. Raises ControlError."""
    name = needed(given, "USERNAME")
    try:
        client_public = srp.read_public(needed(given, "SRP_A"))
    except srp.SrpError as error:
        raise invalid(str(error)) from None
    check_secret_hash(desk, client, given.get("SECRET_HASH"), name)
    user = find_user(desk, pool, name)
    if user is None and not hides_users(client):
        raise no_user()
    username = name if user is None else user.username
    salt, verifier = _stored(desk, pool, user, username)
    box, expires = desk.tools.secrets, desk.now + client.auth_session_validity * 60

    def challenge() -> dict[str, Any]:
        made = srp.challenge(verifier)
        numbers = [f"{number:x}" for number in (client_public, made.secret, made.public)]
        state = orjson.dumps([pool.id, client.client_id, username, expires, secrets.token_hex(8), salt, *numbers])
        # Clients hash the block's bytes, and take it for base64 of the ordinary alphabet.
        block = base64.b64encode(box.seal(state, _BLOCK).encode()).decode()
        return {
            "challenge_name": "PASSWORD_VERIFIER",
            "challenge_parameters": {
                "USER_ID_FOR_SRP": username,
                "USERNAME": username,
                "SALT": salt,
                "SRP_B": numbers[2],
                "SECRET_BLOCK": block,
            },
        }

    return Costly(challenge)


def _stored(desk: Desk, pool: UserPool, user: PoolUser | None, username: str) -> tuple[str, int]:
    """Salt and verifier; for somebody who is not there, made-up ones, the same at every call."""
    box = desk.tools.secrets
    if user is not None and user.srp_salt is not None and user.sealed_srp_verifier is not None:
        return user.srp_salt, int.from_bytes(box.open(user.sealed_srp_verifier, VERIFIER))
    made_up = box.derive(f"nobody's verifier {pool.id} {username}", 400)
    return f"{int.from_bytes(made_up[:16]) | 1 << 120:032x}", int.from_bytes(made_up[16:])


def verify_srp(desk: Desk, pool: UserPool, client: UserPoolClient, given: Given) -> Costly:
    """The answer to it. Raises ControlError."""
    block, timestamp = needed(given, "PASSWORD_CLAIM_SECRET_BLOCK"), needed(given, "TIMESTAMP")
    signature, name = needed(given, "PASSWORD_CLAIM_SIGNATURE"), needed(given, "USERNAME")
    if not _TIMESTAMP.fullmatch(timestamp):
        raise invalid("TIMESTAMP format should be EEE MMM d HH:mm:ss z yyyy in english.")
    check_secret_hash(desk, client, given.get("SECRET_HASH"), name)
    try:
        block_bytes, proof = base64.b64decode(block, validate=True), base64.b64decode(signature, validate=True)
        state = orjson.loads(desk.tools.secrets.open(block_bytes.decode("latin-1"), _BLOCK))
    except (SecretError, binascii.Error, ValueError):
        raise not_authorized() from None
    pool_id, client_id, username, expires, nonce, salt, *numbers = state
    named = find_user(desk, pool, name)
    if (pool_id, client_id, username) != (pool.id, client.client_id, name if named is None else named.username):
        raise not_authorized()
    spend(desk, nonce, expires)
    desk.tools.attempts.check_password(pool.id, username)
    user = find_user(desk, pool, username)
    verifier = _stored(desk, pool, user, username)[1]
    client_public, secret, public = (int(number, 16) for number in numbers)
    message = block_bytes + timestamp.encode()

    def decide(later: Desk, wanted: bytes) -> Any:
        found = find_user(later, pool, username)
        same = found is not None and found.srp_salt == salt
        judge(later, pool, client, username, right=hmac.compare_digest(wanted, proof) and same)
        assert found is not None
        return welcome(later, pool, client, found)

    mine = srp.Challenge(secret, public)
    return Costly(lambda: srp.prove(client_public, mine, verifier, message, pool.id, username), decide)
