"""The authorizers of the example, attacked: what their README does not show. Here they run in process; deployed, in the
example's own test.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import importlib
import json
import sys
import threading
import time
from collections.abc import Callable, Iterator
from copy import deepcopy
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from lxml import etree
from signxml import DigestAlgorithm, SignatureMethod, XMLSigner

from tests.support.backend import Backend

EXAMPLE = Path(__file__).parents[2] / "examples" / "authorizers"
NAMES = ("policy", "oidc", "saml", "opaque", "providers")
ARN = "arn:aws:execute-api:us-east-1:000000000000:api/v1/GET/x"
AUDIENCE, ISSUER = "https://api.example.com", "https://idp.example.com"


@pytest.fixture(scope="module")
def issuer() -> Iterator[Backend]:
    """An OpenID provider's documents, with a key of ours."""
    running = Backend().start()
    keys = {"keys": [{**json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(KEY.public_key())), "kid": "k", "use": "sig"}]}
    documents = {"/.well-known/openid-configuration": {"jwks_uri": f"{running.url}/jwks"}, "/jwks": keys}
    running.answer = lambda asked: (200, [], json.dumps(documents[asked.target]).encode())
    yield running
    running.stop()


@pytest.fixture(scope="module")
def example(issuer: Backend) -> Iterator[dict[str, Any]]:
    """The modules of the example, as they lie there."""
    folders = [str(EXAMPLE / "src"), str(EXAMPLE)]
    environment = {
        "OIDC_ISSUER": issuer.url, "OIDC_AUDIENCE": "example", "INTROSPECTION_ENDPOINT": "http://127.0.0.1:9/introspect",
        "INTROSPECTION_CLIENT": "example-api", "INTROSPECTION_SECRET": "-", "INTROSPECTION_AUDIENCE": AUDIENCE,
        "SAML_ISSUER": ISSUER, "SAML_AUDIENCE": AUDIENCE,
    }  # fmt: skip
    with pytest.MonkeyPatch.context() as patch:
        for name, value in environment.items():
            patch.setenv(name, value)
        for folder in folders:
            patch.syspath_prepend(folder)
        yield {name: importlib.import_module(name) for name in NAMES}
    for name in NAMES:
        sys.modules.pop(name, None)


KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
STRANGER = rsa.generate_private_key(public_exponent=65537, key_size=2048)


# --- SAML -------------------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def provider(example: dict[str, Any]) -> Any:
    return example["providers"].IdentityProvider()


def verified(example: dict[str, Any], provider: Any, document: Any, *, now: datetime | None = None) -> tuple[str, str]:
    """Who an assertion is of, and in which role. Raises Refused."""
    raw = document if isinstance(document, bytes) else base64.b64encode(etree.tostring(document))
    certificate = f"-----BEGIN CERTIFICATE-----\n{provider.metadata_certificate}\n-----END CERTIFICATE-----\n"
    saml = example["saml"]
    found, _ = saml.verify(
        raw.decode(), certificate=certificate, issuer=ISSUER, audience=AUDIENCE, now=now or datetime.now(UTC)
    )
    role = found.find(f".//{saml.SAML}AttributeValue")
    return saml.text(found.find(f"{saml.SAML}Subject/{saml.SAML}NameID")), saml.text(role)


def tag(name: str) -> str:
    return "{urn:oasis:names:tc:SAML:2.0:assertion}" + name


SIGNATURE = "{http://www.w3.org/2000/09/xmldsig#}Signature"


def evil(genuine: Any) -> Any:
    """What an attacker would like to have been signed."""
    forged = deepcopy(genuine)
    forged.find(f".//{tag('NameID')}").text = "admin"
    forged.find(f".//{tag('AttributeValue')}").text = "admin"
    return forged


def edited(element: str, text: str | None = None, **attributes: str) -> Callable[[Any], Any]:
    def edit(genuine: Any) -> Any:
        found = genuine.find(f".//{tag(element)}")
        found.text = text if text is not None else found.text
        for name, value in attributes.items():
            found.set(name, value)
        return genuine

    return edit


def cut(element: Any, tag_name: str) -> None:
    """Take an element out and leave the text behind it, which is signed over."""
    found = element.find(f".//{tag_name}")
    before, parent = found.getprevious(), found.getparent()
    if before is None:
        parent.text = (parent.text or "") + (found.tail or "")
    else:
        before.tail = (before.tail or "") + (found.tail or "")
    parent.remove(found)


def without(element: str) -> Callable[[Any], Any]:
    def edit(genuine: Any) -> Any:
        cut(genuine, element)
        return genuine

    return edit


def wrapped(
    place: Callable[[Any, Any], Any], *, identifier: str | None = None, keep: bool = True
) -> Callable[[Any], Any]:
    """The forged assertion at the top, the genuine one where it does not disturb. `keep`: the signature is the forged one's."""

    def wrap(genuine: Any) -> Any:
        forged = evil(genuine)
        if identifier != "same":
            forged.set("ID", identifier or "_evil")
        if not keep:
            cut(forged, SIGNATURE)
        inner = deepcopy(genuine)
        if keep:
            cut(inner, SIGNATURE)
        place(forged, inner)
        return forged

    return wrap


def in_object(forged: Any, inner: Any) -> None:
    etree.SubElement(forged.find(SIGNATURE), "{http://www.w3.org/2000/09/xmldsig#}Object").append(inner)


def in_attribute(forged: Any, inner: Any) -> None:
    forged.find(f".//{tag('AttributeValue')}").append(inner)


def in_extensions(forged: Any, inner: Any) -> None:
    forged.insert(1, etree.Element("Extensions"))
    forged[1].append(inner)


def in_a_response(order: int) -> Callable[[Any], Any]:
    def wrap(genuine: Any) -> Any:
        response = etree.Element("{urn:oasis:names:tc:SAML:2.0:protocol}Response", ID="_r")
        forged = evil(genuine)
        forged.set("ID", "_evil")
        cut(forged, SIGNATURE)
        both = [forged, genuine] if order else [genuine, forged]
        response.extend(both)
        return response

    return wrap


def around(genuine: Any) -> Any:
    """The genuine one whole, within another that has no signature."""
    forged = evil(genuine)
    forged.set("ID", "_evil")
    forged.replace(forged.find(SIGNATURE), genuine)
    return forged


def signed_in_part(provider: Any) -> Callable[[Any], Any]:
    """Another element of the provider's is signed, and its signature put into the assertion."""

    def sign(genuine: Any) -> Any:
        part = etree.fromstring('<Note xmlns="urn:x" ID="_note">hello</Note>')
        signer = XMLSigner(c14n_algorithm="http://www.w3.org/2001/10/xml-exc-c14n#")
        note = signer.sign(
            part, key=provider.key, cert=[provider.certificate], reference_uri="#_note", id_attribute="ID"
        )
        genuine.replace(genuine.find(SIGNATURE), note.find(SIGNATURE))
        genuine.append(note)
        return evil(genuine)

    return sign


def signed_otherwise(**options: Any) -> Callable[[Any], Any]:
    def sign(genuine: Any) -> Any:
        key, certificate = options.pop("key"), options.pop("cert", None)
        genuine.remove(genuine.find(SIGNATURE))
        signer = XMLSigner(c14n_algorithm="http://www.w3.org/2001/10/xml-exc-c14n#", **options)
        return signer.sign(genuine, key=key, cert=certificate, reference_uri=f"#{genuine.get('ID')}", id_attribute="ID")

    return sign


def with_secret(provider: Any) -> Callable[[Any], Any]:
    """HMAC, keyed with what everybody knows of the provider: its certificate."""

    def sign(genuine: Any) -> Any:
        secret = provider.certificate.public_bytes(Encoding.PEM)
        return signed_otherwise(key=secret, signature_algorithm=SignatureMethod.HMAC_SHA256)(evil(genuine))

    return sign


def forgeries(provider: Any, other: Any) -> dict[str, Callable[[Any], Any]]:
    return {
        "another name": edited("NameID", "admin"),
        "another role": edited("AttributeValue", "admin"),
        "another audience": edited("Audience", "https://other.example.com"),
        "a longer time": edited("Conditions", NotOnOrAfter="2100-01-01T00:00:00Z"),
        "no signature": without(SIGNATURE),
        "no conditions": without(tag("Conditions")),
        "wrapped, genuine in the signature": wrapped(in_object),
        "wrapped, genuine in the signature, of one name": wrapped(in_object, identifier="same"),
        "wrapped, genuine in an attribute": wrapped(in_attribute),
        "wrapped, genuine in an attribute, of one name": wrapped(in_attribute, identifier="same"),
        "wrapped, genuine with its signature in an attribute": wrapped(in_attribute, keep=False),
        "wrapped, genuine with its signature in extensions": wrapped(in_extensions, keep=False),
        "wrapped, genuine in extensions": wrapped(in_extensions),
        "wrapped, genuine in place of the signature": around,
        "behind a forged one in a response": in_a_response(1),
        "before a forged one in a response": in_a_response(0),
        "signed in part": signed_in_part(provider),
        "signed with a known secret": with_secret(provider),
        "signed by somebody else": lambda genuine: signed_otherwise(key=other.key, cert=[other.certificate])(
            evil(genuine)
        ),
        "signed by somebody else who shows the provider's certificate": lambda genuine: signed_otherwise(
            key=other.key, cert=[provider.certificate]
        )(evil(genuine)),
        "signed over a weak digest": signed_otherwise(
            key=provider.key, cert=[provider.certificate], digest_algorithm=DigestAlgorithm.SHA224
        ),
    }


def test_saml_forgeries(example: dict[str, Any], provider: Any) -> None:
    assert verified(example, provider, provider.assertion("alice")) == ("alice", "reader")
    for case, forge in forgeries(provider, example["providers"].IdentityProvider()).items():
        with pytest.raises(example["saml"].Refused):
            print(case, verified(example, provider, forge(provider.assertion("alice"))))


def test_saml_assertions_for_others_and_other_times(example: dict[str, Any], provider: Any) -> None:
    refused = example["saml"].Refused
    for options in (
        {"audience": "https://other.example.com"},
        {"audience": f"{AUDIENCE}.evil.example"},
        {"issuer": "https://other.example.com"},
        {"begins": -600, "ends": -120},
        {"begins": 120, "ends": 600},
        {"name": ""},
    ):
        with pytest.raises(refused):
            verified(example, provider, provider.assertion(**{"name": "alice", **options}))
    good = provider.assertion("alice")
    for minutes, holds in ((-3, False), (0, True), (5, True), (7, False)):
        moment = datetime.now(UTC) + timedelta(minutes=minutes)
        if holds:
            assert verified(example, provider, good, now=moment) == ("alice", "reader")
        else:
            with pytest.raises(refused):
                verified(example, provider, good, now=moment)


def test_what_stands_in_saml_names(example: dict[str, Any], provider: Any) -> None:
    """A comment is not signed over, and must not cut the name short; other text is no markup."""
    commented = provider.assertion("admin<!---->.evil.example")
    assert verified(example, provider, commented)[0] == "admin.evil.example"
    commented = provider.assertion("admin.evil.example")
    name = commented.find(f".//{tag('NameID')}")
    name.text, comment = "admin", etree.Comment("x")
    name.append(comment)
    comment.tail = ".evil.example"
    assert verified(example, provider, commented)[0] == "admin.evil.example"


@pytest.mark.parametrize(
    "raw",
    [
        b"", b"!", b"PA==", base64.b64encode(b"<a/>"), base64.b64encode(b"\xff\xfe<"), base64.b64encode(b"<a>" * 5000),
        base64.b64encode(b'<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a>&x;</a>'),
        base64.b64encode(b'<!DOCTYPE a [<!ENTITY x "y"><!ENTITY z "&x;&x;">]><a>&z;</a>'),
    ],
)  # fmt: skip
def test_what_is_no_assertion(example: dict[str, Any], provider: Any, raw: bytes) -> None:
    with pytest.raises(example["saml"].Refused):
        verified(example, provider, raw)


def test_saml_with_a_document_type(example: dict[str, Any], provider: Any) -> None:
    raw = etree.tostring(provider.assertion("alice"))
    with pytest.raises(example["saml"].Refused, match="document type"):
        verified(example, provider, base64.b64encode(b'<!DOCTYPE a [<!ENTITY x "admin">]>' + raw))


# --- OpenID -----------------------------------------------------------------------------------------------------------------


def id_token(issuer: str, *, key: Any = KEY, alg: str = "RS256", kid: str | None = "k", **more: Any) -> str:
    now = int(time.time())
    claims = {"iss": issuer, "aud": "example", "sub": "alice", "iat": now, "exp": now + 300, **more}
    headers = {} if kid is None else {"kid": kid}
    return jwt.encode({n: v for n, v in claims.items() if v is not None}, key, algorithm=alg, headers=headers)


def by_hand(issuer: str, alg: str, secret: bytes | None) -> str:
    head, body, _ = id_token(issuer).split(".")
    head = base64.urlsafe_b64encode(json.dumps({"alg": alg, "kid": "k"}).encode()).rstrip(b"=").decode()
    proof = b"" if secret is None else hmac.digest(secret, f"{head}.{body}".encode(), hashlib.sha256)
    return f"{head}.{body}.{base64.urlsafe_b64encode(proof).rstrip(b'=').decode()}"


def test_openid_tokens(example: dict[str, Any], issuer: Backend) -> None:
    handler, at = example["oidc"].handler, issuer.url
    for good in (id_token(at), id_token(at, kid=None), id_token(at, aud=["other", "example"])):
        answer = handler({"authorizationToken": f"Bearer {good}", "methodArn": ARN}, None)
        assert (answer["principalId"], answer["context"]["by"]) == ("alice", "oidc")
    public = KEY.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    now = int(time.time())
    for bad in (
        by_hand(at, "none", None), by_hand(at, "HS256", public), id_token(at, key=STRANGER), id_token(at, alg="RS384"),
        id_token(at, kid="other"), id_token(at, key=STRANGER, kid=None), id_token(at, aud="other"), id_token(at, aud=None),
        id_token(f"{at}/"), id_token("https://other.example.com"), id_token(at, exp=now - 1), id_token(at, exp=None),
        id_token(at, nbf=now + 60), id_token(at, sub=None), id_token(at, iss=None), "abc", "", "a.b.c",
    ):  # fmt: skip
        with pytest.raises(Exception, match=r"^Unauthorized$"):
            print(handler({"authorizationToken": f"Bearer {bad}", "methodArn": ARN}, None))


# --- opaque tokens ----------------------------------------------------------------------------------------------------------


def test_opaque_tokens(example: dict[str, Any], provider: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    opaque, providers = example["opaque"], example["providers"]
    party = providers.Party()
    monkeypatch.setattr(opaque, "CLIENT", f"example-api:{party.secret}")

    def ask(token: str) -> Any:
        return opaque.handler({"authorizationToken": f"Bearer {token}", "methodArn": ARN}, None)

    # A party that cannot be asked lets nobody in, and says nothing about the token.
    with pytest.raises(OSError):
        ask("any")
    with providers.serve(provider, party) as served:
        threading.Thread(target=served.serve_forever, daemon=True).start()
        monkeypatch.setattr(opaque, "ENDPOINT", f"http://127.0.0.1:{served.server_port}/introspect")
        good = party.give("alice")
        assert ask(good)["principalId"] == "alice"
        odd = {"active": "true", "sub": "alice", "aud": AUDIENCE, "exp": time.time() + 60}
        party.tokens |= {"words": odd, "nobody's": {**odd, "active": True, "aud": []}, "none": {**odd, "active": None}}
        tokens = (
            "",
            "unknown",
            good[:-1],
            party.give("a", audience="other"),
            party.give("a", seconds=-1),
            *party.tokens,
        )
        for bad in (each for each in tokens if each != good and party.tokens.get(each, {}).get("aud") != [AUDIENCE]):
            with pytest.raises(Exception, match=r"^Unauthorized$"):
                print(bad, ask(bad))
        party.tokens.pop(good)
        with pytest.raises(Exception, match=r"^Unauthorized$"):
            ask(good)
        monkeypatch.setattr(opaque, "CLIENT", "example-api:other")
        with pytest.raises(OSError, match="401"):
            ask(party.give("alice"))
        served.shutdown()


def test_policies_end_with_their_proof(example: dict[str, Any]) -> None:
    """Held against Tidegate's own reading of policies: the whole stage, and no longer than the token."""
    from tidegate.aws.policy import ANONYMOUS, Request
    from tidegate.aws.policy.api_gateway import ApiRules, compile_authorizer_policy

    answer = example["policy"].allow("alice", ARN, 1_800_000_000, by="x")
    compiled = compile_authorizer_policy(answer["policyDocument"], source_name="example")
    rules = ApiRules("000000000000", None)
    for resource, moment, allowed in (
        (ARN, "2027-01-15T07:59:59Z", True),
        (ARN.replace("GET/x", "POST/y/z"), "2027-01-15T07:59:59Z", True),
        (ARN.replace("/v1/", "/v2/"), "2027-01-15T07:59:59Z", False),
        (ARN, "2027-01-15T08:00:00Z", False),
    ):
        asked = Request("execute-api:Invoke", resource, ANONYMOUS, {"aws:CurrentTime": moment})
        assert rules.after_authorizer(asked, compiled).allowed is allowed
