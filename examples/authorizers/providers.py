"""The third parties of this example, for trying it: an OpenID provider, a SAML identity provider, and a party that gives opaque
tokens and tells what they mean. Needs: pip install oidc-provider-mock signxml

Whoever asks is given what they ask for. Nothing here is for production.
"""

import base64
import json
import secrets
import shlex
import time
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from lxml import etree
from oidc_provider_mock import User, run_server_in_thread
from signxml import XMLSigner

AUDIENCE = "https://api.example.com"
SAML_ISSUER = "https://idp.example.com"
ASSERTION = """<saml:Assertion xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion" Version="2.0" ID="{id}" IssueInstant="{now}">
<saml:Issuer>{issuer}</saml:Issuer><ds:Signature xmlns:ds="http://www.w3.org/2000/09/xmldsig#" Id="placeholder"/>
<saml:Subject><saml:NameID>{name}</saml:NameID>
<saml:SubjectConfirmation Method="urn:oasis:names:tc:SAML:2.0:cm:bearer">
<saml:SubjectConfirmationData NotOnOrAfter="{ends}"/></saml:SubjectConfirmation></saml:Subject>
<saml:Conditions NotBefore="{begins}" NotOnOrAfter="{ends}">
<saml:AudienceRestriction><saml:Audience>{audience}</saml:Audience></saml:AudienceRestriction></saml:Conditions>
<saml:AttributeStatement><saml:Attribute Name="role"><saml:AttributeValue>{role}</saml:AttributeValue>
</saml:Attribute></saml:AttributeStatement></saml:Assertion>"""


class IdentityProvider:
    """Signs assertions. `begins` and `ends`: seconds from now."""

    def __init__(self):
        self.key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "idp.example.com")])
        now = datetime.now(UTC)
        builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(self.key.public_key())
        builder = builder.serial_number(x509.random_serial_number())
        builder = builder.not_valid_before(now - timedelta(days=1)).not_valid_after(now + timedelta(days=365))
        self.certificate = builder.sign(self.key, hashes.SHA256())

    @property
    def metadata_certificate(self):
        return base64.b64encode(self.certificate.public_bytes(serialization.Encoding.DER)).decode()

    def assertion(self, name, *, role="reader", begins=-60, ends=300, audience=AUDIENCE, issuer=SAML_ISSUER):
        def moment(seconds):
            return (datetime.now(UTC) + timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%SZ")

        identifier = f"_{secrets.token_hex(8)}"
        document = etree.fromstring(
            ASSERTION.format(
                id=identifier, now=moment(0), begins=moment(begins), ends=moment(ends),
                name=name, role=role, audience=audience, issuer=issuer,
            )
        )  # fmt: skip
        signer = XMLSigner(c14n_algorithm="http://www.w3.org/2001/10/xml-exc-c14n#")
        return signer.sign(
            document, key=self.key, cert=[self.certificate], reference_uri=f"#{identifier}", id_attribute="ID"
        )


class Party:
    """Gives opaque tokens, and tells its clients what they mean (RFC 7662)."""

    def __init__(self):
        self.secret = secrets.token_urlsafe(16)
        self.tokens = {}

    def give(self, user, *, audience=AUDIENCE, seconds=300):
        token = secrets.token_urlsafe(24)
        self.tokens[token] = {
            "active": True, "sub": user, "scope": "read write", "aud": audience, "exp": int(time.time()) + seconds,
        }  # fmt: skip
        return token

    def introspect(self, authorization, token):
        """None: whoever asks is not one of its clients."""
        expected = base64.b64encode(f"example-api:{self.secret}".encode()).decode()
        if not secrets.compare_digest(authorization or "", f"Basic {expected}"):
            return None
        return self.tokens.get(token, {"active": False})


def serve(provider, party, port=0):
    """The SAML provider and the party, behind one address."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            target = urlsplit(self.path)
            asked = {name: values[0] for name, values in parse_qs(target.query).items()}
            if target.path == "/saml":
                self.answer(base64.b64encode(etree.tostring(provider.assertion(**asked))))
            elif target.path == "/token":
                self.answer(party.give(**asked).encode())
            else:
                self.answer(b"", 404)

        def do_POST(self):
            form = self.rfile.read(int(self.headers["Content-Length"] or 0)).decode()
            token = parse_qs(form).get("token", [""])[0]
            if self.path == "/introspect":
                told = party.introspect(self.headers["Authorization"], token)
                self.answer(json.dumps(told).encode(), 401 if told is None else 200)
            elif self.path == "/revoke":
                party.tokens.pop(token, None)
                self.answer(b"")
            else:
                self.answer(b"", 404)

        def answer(self, body, status=200):
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    return ThreadingHTTPServer(("127.0.0.1", port), Handler)


def main():
    provider, party = IdentityProvider(), Party()
    users = [User(sub=name, claims={"email": f"{name}@example.com"}) for name in ("alice", "bob")]
    with run_server_in_thread(user_claims=users) as oidc, serve(provider, party) as other:
        issuer, address = f"http://localhost:{oidc.server_port}", f"http://127.0.0.1:{other.server_port}"
        parameters = {
            "OidcIssuer": issuer,
            "SamlIssuer": SAML_ISSUER,
            "SamlCertificate": provider.metadata_certificate,
            "IntrospectionEndpoint": f"{address}/introspect",
            "IntrospectionSecret": party.secret,
        }
        given = " ".join(f"--parameter {shlex.quote(f'{name}={value}')}" for name, value in parameters.items())
        print(f"export OIDC={issuer} PARTY={address}\ntidegate run {given} template.yaml", flush=True)
        other.serve_forever()


if __name__ == "__main__":
    main()
