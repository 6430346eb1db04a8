"""Signing in by SRP, with pycognito as it is: a client that was written against AWS. And what an attacker may try with it."""

from __future__ import annotations

import base64
import re
from typing import Any

import pytest
from pycognito import Cognito
from pycognito.aws_srp import AWSSRP
from pycognito.exceptions import ForceChangePasswordException

from tests.support.pools import PASSWORD, Pool, refused
from tests.support.running import Server

WRONG = "Incorrect username or password."
N = int(
    "FFFFFFFFFFFFFFFFC90FDAA22168C234C4C6628B80DC1CD129024E088A67CC74020BBEA63B139B22514A08798E3404DDEF9519B3CD3A431B"
    "302B0A6DF25F14374FE1356D6D51C245E485B576625E7EC6F44C42E9A637ED6B0BFF5CB6F406B7EDEE386BFB5A899FA5AE9F24117C4B1FE6"
    "49286651ECE45B3DC2007CB8A163BF0598DA48361C55D39A69163FA8FD24CF5F83655D23DCA3AD961C62F356208552BB9ED529077096966D"
    "670C354E4ABC9804F1746C08CA18217C32905E462E36CE3BE39E772C180E86039B2783A2EC07A28FB5C55DF06F4C52C9DE2BCBF695581718"
    "3995497CEA956AE515D2261898FA051015728E5A8AAAC42DAD33170D04507A33A85521ABDF1CBA64ECFB850458DBEF0A8AEA71575D060C7D"
    "B3970F85A6E1E4C7ABF5AE8CDB0933D71E8C94E04A25619DCEE3D2261AD2EE6BF12FFA06D98A0864D87602733EC86A64521F2B18177B200C"
    "BBE117577A615D6C770988C0BAD946E208E24FA074E5AB3143DB5BFCE0FD108E4B82D120A93AD2CAFFFFFFFFFFFFFFFF",
    16,
)


@pytest.fixture(scope="module")
def pool(server: Server) -> Pool:
    made = Pool(server, AutoVerifiedAttributes=["email"])
    made.user("ann", email="ann@example.com", email_verified="true")
    return made


@pytest.fixture(scope="module")
def client(pool: Pool) -> str:
    return pool.client()


def user(pool: Pool, client: str, name: str | None, **more: Any) -> Cognito:
    keys = {"access_key": "test", "secret_key": "test", "user_pool_region": "us-east-1"}
    made = Cognito(pool.id, client, username=name, **keys, **more)
    made.client = pool.server.client("cognito-idp")
    # It would fetch the keys from AWS: it gets ours, and verifies every token by them.
    made.pool_jwk = pool.server.request("GET", f"/{pool.id}/.well-known/jwks.json").json
    return made


def test_pycognito_from_sign_up_to_sign_out(pool: Pool, client: str) -> None:
    gus = user(pool, client, "gus")
    gus.set_base_attributes(email="gus@example.com")
    gus.register("gus", PASSWORD)
    gus.confirm_sign_up(pool.code(), username="gus")
    gus.authenticate(PASSWORD)
    assert gus.id_claims["email"] == "gus@example.com"
    assert gus.access_claims["username"] == "gus"
    before = gus.access_token
    gus.renew_access_token()
    assert gus.access_token != before
    gus.change_password(PASSWORD, "N3w-password")
    gus.authenticate("N3w-password")
    gus.initiate_forgot_password()
    gus.confirm_forgot_password(pool.code(), PASSWORD)
    gus.authenticate(PASSWORD)
    assert gus.get_user().email == "gus@example.com"
    old = gus.access_token
    gus.logout()
    with refused("NotAuthorizedException", "Access Token has been revoked"):
        pool.api.get_user(AccessToken=old)


def test_pycognito_with_a_secret_and_a_temporary_password(pool: Pool) -> None:
    client = pool.client(GenerateSecret=True, ExplicitAuthFlows=["ALLOW_USER_SRP_AUTH", "ALLOW_REFRESH_TOKEN_AUTH"])
    pool.api.admin_create_user(UserPoolId=pool.id, Username="hal", TemporaryPassword=PASSWORD, MessageAction="SUPPRESS")
    hal = user(pool, client, "hal", client_secret=pool.secret(client))
    with pytest.raises(ForceChangePasswordException):
        hal.authenticate(PASSWORD)
    hal.new_password_challenge(PASSWORD, "N3w-password")
    hal.authenticate("N3w-password")
    assert hal.id_claims["cognito:username"] == "hal"
    with refused("NotAuthorizedException", WRONG):
        hal.authenticate(PASSWORD)


class Attempt:
    """The two calls of an SRP sign-in, by hand."""

    def __init__(self, pool: Pool, client: str, password: str = PASSWORD, name: str = "ann") -> None:
        self.pool, self.client = pool, client
        self.srp = AWSSRP(name, password, pool.id, client, client=pool.api)
        self.asked = pool.api.initiate_auth(
            ClientId=client, AuthFlow="USER_SRP_AUTH", AuthParameters=self.srp.get_auth_params()
        )["ChallengeParameters"]
        self.answer = self.srp.process_challenge(self.asked, {"USERNAME": name})

    def respond(self, client: str | None = None, **changed: str) -> Any:
        return self.pool.api.respond_to_auth_challenge(
            ClientId=client or self.client,
            ChallengeName="PASSWORD_VERIFIER",
            ChallengeResponses={**self.answer, **changed},
        )


def test_a_challenge_is_good_for_one_client_and_once(pool: Pool, client: str) -> None:
    attempt = Attempt(pool, client)
    with refused("NotAuthorizedException", WRONG):
        attempt.respond(pool.client())
    assert attempt.respond()["AuthenticationResult"]["TokenType"] == "Bearer"
    with refused("NotAuthorizedException", "Invalid session for the user, session can only be used once."):
        attempt.respond()


def test_what_an_attacker_may_send_instead_of_a_proof(pool: Pool, client: str) -> None:
    pool.user("target")
    block = base64.b64encode(b"my own").decode()
    for changed in (
        {"PASSWORD_CLAIM_SIGNATURE": base64.b64encode(bytes(32)).decode()},
        {"PASSWORD_CLAIM_SECRET_BLOCK": block},
        {"TIMESTAMP": "Tue Nov 3 05:06:07 UTC 2026"},
    ):
        with refused("NotAuthorizedException", WRONG):
            Attempt(pool, client, name="target").respond(**changed)
    with refused("InvalidParameterException", "TIMESTAMP format should be…"):
        Attempt(pool, client, name="target").respond(TIMESTAMP="2026-11-03T05:06:07Z")
    # Of somebody else, whose password is known: the block says whose it is.
    with refused("NotAuthorizedException", WRONG):
        Attempt(pool, client).respond(USERNAME="target")
    for public in (0, N, 2 * N, -1):
        parameters = {"USERNAME": "target", "SRP_A": f"{public:x}"}
        with refused("InvalidParameterException", "SRP_A …"):
            pool.api.initiate_auth(ClientId=client, AuthFlow="USER_SRP_AUTH", AuthParameters=parameters)
    with refused("NotAuthorizedException", WRONG):
        Attempt(pool, client, "Wr0ng-one!", "target").respond()


def test_wrong_proofs_lock_as_wrong_passwords_do(pool: Pool, client: str) -> None:
    pool.user("locked")
    for _ in range(5):
        with refused("NotAuthorizedException", WRONG):
            Attempt(pool, client, "Wr0ng-one!", "locked").respond()
    with refused("NotAuthorizedException", "Password attempts exceeded"):
        Attempt(pool, client, name="locked").respond()


def test_a_user_who_is_not_there_answers_like_one_who_is(pool: Pool) -> None:
    client = pool.client(PreventUserExistenceErrors="ENABLED")
    there, not_there = (Attempt(pool, client, "Wr0ng-one!", name) for name in ("ann", "nobody"))
    assert there.asked.keys() == not_there.asked.keys()
    for asked in (there.asked, not_there.asked):
        assert re.fullmatch(r"[0-9a-f]{32}", asked["SALT"])
        # Almost always of full length; a number may begin with zeros.
        assert re.fullmatch(r"[0-9a-f]{740,768}", asked["SRP_B"])
    for attempt in (there, not_there):
        with refused("NotAuthorizedException", WRONG):
            attempt.respond()
