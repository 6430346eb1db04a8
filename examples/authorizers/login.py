"""Logging in at the OpenID provider, as a browser and an application do: prints the token that the application then has.

python3 login.py USER [CLIENT]
"""

import json
import os
import sys
from http.client import HTTPConnection
from urllib.parse import parse_qs, urlencode, urlsplit


def login(issuer, user, client):
    """Authorization code flow: the user consents, the application exchanges the code."""
    parts = urlsplit(issuer)
    host = HTTPConnection(parts.hostname, parts.port)
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    redirect = "http://localhost/callback"
    asked = urlencode({"response_type": "code", "client_id": client, "redirect_uri": redirect, "scope": "openid email"})
    host.request("POST", f"/oauth2/authorize?{asked}", urlencode({"sub": user}), form)
    answer = host.getresponse()
    answer.read()
    code = parse_qs(urlsplit(answer.headers["Location"]).query)["code"][0]
    given = {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": redirect,
        "client_id": client,
        "client_secret": "-",
    }
    host.request("POST", "/oauth2/token", urlencode({**given, "client_secret": "-"}), form)
    return json.load(host.getresponse())["id_token"]


if __name__ == "__main__":
    print(login(os.environ["OIDC"], sys.argv[1], sys.argv[2] if len(sys.argv) > 2 else "example"))
