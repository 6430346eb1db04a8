"""An OpenID Connect provider's token: signed by the provider, for this API, and not expired."""

import json
import os
import urllib.request

import jwt
from policy import allow

ISSUER, AUDIENCE = os.environ["OIDC_ISSUER"], os.environ["OIDC_AUDIENCE"]
_keys = None


def handler(event, context):
    try:
        claims = verify(event["authorizationToken"].removeprefix("Bearer "), keys())
    except jwt.PyJWTError as error:
        print(f"refused: {error!r}")
        # This very message is what API Gateway answers with 401; any other error is a 500.
        raise Exception("Unauthorized") from None
    return allow(claims["sub"], event["methodArn"], claims["exp"], by="oidc", email=claims.get("email", ""))


def keys():
    """The provider's keys, found by its discovery document once for all calls of this process."""
    global _keys
    if _keys is None:
        with urllib.request.urlopen(f"{ISSUER}/.well-known/openid-configuration", timeout=5) as answer:
            _keys = jwt.PyJWKClient(json.load(answer)["jwks_uri"], timeout=5)
    return _keys


def verify(token, keys):
    """The claims. Raises PyJWTError."""
    return jwt.decode(
        token,
        key_of(token, keys),
        # The provider's algorithm, not the one that the token asks for.
        algorithms=["RS256"],
        issuer=ISSUER,
        audience=AUDIENCE,
        options={"require": ["exp", "iat", "iss", "aud", "sub"]},
    )


def key_of(token, keys):
    name = jwt.get_unverified_header(token).get("kid")
    if name is not None:
        return keys.get_signing_key(name)
    # OpenID Connect Core 10.1: a provider with one key need not name it.
    signing = [key for key in keys.get_jwk_set().keys if key.public_key_use in ("sig", None)]
    if len(signing) != 1:
        raise jwt.InvalidKeyError("the token does not say which key it is signed with")
    return signing[0]
