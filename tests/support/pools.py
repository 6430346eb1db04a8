"""User pools as tests make them: a pool, its clients, users whose passwords are set, and the codes that were sent."""

from __future__ import annotations

import base64
import hmac
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import jwt
import pytest
from botocore.exceptions import ClientError

from tests.support.running import Server

PASSWORD = "Passw0rd!"
FLOWS = [
    "ALLOW_USER_PASSWORD_AUTH",
    "ALLOW_USER_SRP_AUTH",
    "ALLOW_REFRESH_TOKEN_AUTH",
    "ALLOW_ADMIN_USER_PASSWORD_AUTH",
]


class Pool:
    def __init__(self, server: Server, **settings: Any) -> None:
        self.server = server
        self.api = server.client("cognito-idp")
        made = self.api.create_user_pool(**{"PoolName": "test", **settings})["UserPool"]
        self.id: str = made["Id"]
        self.arn: str = made["Arn"]

    def client(self, **settings: Any) -> str:
        given = {"ClientName": "app", "ExplicitAuthFlows": FLOWS, **settings}
        return str(self.api.create_user_pool_client(UserPoolId=self.id, **given)["UserPoolClient"]["ClientId"])

    def secret(self, client: str) -> str:
        described = self.api.describe_user_pool_client(UserPoolId=self.id, ClientId=client)
        return str(described["UserPoolClient"]["ClientSecret"])

    def user(self, username: str, /, password: str = PASSWORD, **attributes: str) -> str:
        """Signs in with the password at once; returns the `sub`."""
        # By signing up and not by an administrator: passwords are slow to hash, and this hashes one.
        door = self.api.create_user_pool_client(UserPoolId=self.id, ClientName="door")["UserPoolClient"]["ClientId"]
        given, verified = {}, {}
        for key, value in attributes.items():
            (verified if key.endswith("_verified") else given)[key] = value
        made = self.api.sign_up(ClientId=door, Username=username, Password=password, UserAttributes=_listed(given))
        at = {"UserPoolId": self.id, "Username": made["UserSub"]}
        self.api.admin_confirm_sign_up(**at)
        if verified:
            self.api.admin_update_user_attributes(**at, UserAttributes=_listed(verified))
        self.api.delete_user_pool_client(UserPoolId=self.id, ClientId=door)
        return str(made["UserSub"])

    def sign_in(self, client: str, name: str, password: str = PASSWORD, **parameters: str) -> dict[str, Any]:
        given = {"USERNAME": name, "PASSWORD": password, **parameters}
        answer = self.api.initiate_auth(ClientId=client, AuthFlow="USER_PASSWORD_AUTH", AuthParameters=given)
        return dict(answer.get("AuthenticationResult") or answer)

    def refresh(self, client: str, token: str, **parameters: str) -> dict[str, Any]:
        given = {"REFRESH_TOKEN": token, **parameters}
        answer = self.api.initiate_auth(ClientId=client, AuthFlow="REFRESH_TOKEN_AUTH", AuthParameters=given)
        return dict(answer["AuthenticationResult"])

    def messages(self) -> list[dict[str, str]]:
        found: list[dict[str, str]] = self.server.request("GET", f"/_tidegate/user-pools/{self.id}/messages").json
        return found

    def code(self) -> str:
        """The one that was sent last."""
        return self.messages()[-1]["code"]

    def key(self) -> Any:
        keys = self.server.request("GET", f"/{self.id}/.well-known/jwks.json").json
        return jwt.PyJWKSet.from_dict(keys).keys[0].key

    def claims(self, token: str) -> dict[str, Any]:
        """Of a token whose signature holds."""
        off = {"verify_aud": False, "verify_exp": False, "verify_iat": False}
        return dict(jwt.decode(token, self.key(), algorithms=["RS256"], options=off))


def _listed(attributes: Mapping[str, str]) -> list[dict[str, str]]:
    return [{"Name": name, "Value": value} for name, value in attributes.items()]


def secret_hash(name: str, client: str, secret: str) -> str:
    return base64.b64encode(hmac.digest(secret.encode(), f"{name}{client}".encode(), "sha256")).decode()


@contextmanager
def refused(code: str, message: str | None = None) -> Iterator[None]:
    """The call inside fails with this error. `message`: the whole of it, or its beginning when it ends in an ellipsis."""
    with pytest.raises(ClientError) as caught:
        yield
    error = caught.value.response["Error"]
    assert error["Code"] == code, error
    if message is not None and message.endswith("…"):
        assert error["Message"].startswith(message[:-1]), error
    elif message is not None:
        assert error["Message"] == message


@contextmanager
def later(server: Server, seconds: float) -> Iterator[None]:
    """The server's clock stands that much further on inside."""
    server.request("POST", "/_tidegate/clock", body=f'{{"advance": {seconds}}}'.encode())
    try:
        yield
    finally:
        server.request("POST", "/_tidegate/clock", body=b'{"reset": true}')
