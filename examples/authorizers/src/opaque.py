"""A token that means nothing by itself: the party that gave it is asked (RFC 7662, OAuth 2.0 Token Introspection)."""

import base64
import json
import os
import time
import urllib.parse
import urllib.request

from policy import allow

ENDPOINT, AUDIENCE = os.environ["INTROSPECTION_ENDPOINT"], os.environ["INTROSPECTION_AUDIENCE"]
CLIENT = f"{os.environ['INTROSPECTION_CLIENT']}:{os.environ['INTROSPECTION_SECRET']}"


def handler(event, context):
    # When the party cannot be asked, this fails and the caller gets a 500: nobody gets in, and nobody is told to log in again.
    told = introspect(event["authorizationToken"].removeprefix("Bearer "))
    audience = told.get("aud", [])
    audiences = [audience] if isinstance(audience, str) else audience
    until = told.get("exp", time.time() + 60)
    if told.get("active") is not True or AUDIENCE not in audiences or until <= time.time():
        raise Exception("Unauthorized")
    return allow(told["sub"], event["methodArn"], until, by="opaque", scope=told.get("scope", ""))


def introspect(token):
    request = urllib.request.Request(
        ENDPOINT,
        data=urllib.parse.urlencode({"token": token, "token_type_hint": "access_token"}).encode(),
        headers={"Authorization": f"Basic {base64.b64encode(CLIENT.encode()).decode()}", "Accept": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=5) as answer:
        return json.load(answer)
