"""A SAML 2.0 assertion in a header, Base64: signed by the identity provider, for this API, within its time.

What is signed and what is read have to be the same element, or an attacker wraps a genuine assertion into one of their own
(signature wrapping). So the assertion has to be the whole document, its signature a child of it that covers it whole, and
everything is read from what the verifier says was signed.
"""

import base64
import binascii
import os
from datetime import UTC, datetime, timedelta

from lxml import etree
from policy import allow
from signxml import (
    DigestAlgorithm,
    InvalidInput,
    InvalidSignature,
    SignatureConfiguration,
    SignatureMethod,
    XMLVerifier,
)

SAML = "{urn:oasis:names:tc:SAML:2.0:assertion}"
BEARER = "urn:oasis:names:tc:SAML:2.0:cm:bearer"
CLOCKS_DIFFER = timedelta(seconds=60)
EXPECTED = SignatureConfiguration(
    require_x509=True,
    location="./",
    expect_references=1,
    signature_methods=frozenset({SignatureMethod.RSA_SHA256}),
    digest_algorithms=frozenset({DigestAlgorithm.SHA256}),
)


class Refused(Exception):
    """The assertion does not hold; the text is for the log."""


def handler(event, context):
    header = {name.lower(): value for name, value in event["headers"].items()}["saml-assertion"]
    # One line of Base64: the certificate from the provider's metadata.
    certificate = f"-----BEGIN CERTIFICATE-----\n{os.environ['SAML_CERTIFICATE']}\n-----END CERTIFICATE-----\n"
    try:
        assertion, until = verify(
            header,
            certificate=certificate,
            issuer=os.environ["SAML_ISSUER"],
            audience=os.environ["SAML_AUDIENCE"],
            now=datetime.now(UTC),
        )
    except Refused as error:
        print(f"refused: {error}")
        raise Exception("Unauthorized") from None
    roles = [text(value) for value in assertion.iterfind(f".//{SAML}Attribute[@Name='role']/{SAML}AttributeValue")]
    name = text(assertion.find(f"{SAML}Subject/{SAML}NameID"))
    return allow(name, event["methodArn"], until.timestamp(), by="saml", roles=" ".join(roles))


def verify(header, *, certificate, issuer, audience, now):
    """The assertion that was signed, and until when it holds. Raises Refused."""
    assertion = signed(parsed(header), certificate)
    if assertion.tag != f"{SAML}Assertion" or text(assertion.find(f"{SAML}Issuer")) != issuer:
        raise Refused("no assertion of the provider")
    until = [within(one(assertion, "Conditions"), now)]
    audiences = assertion.findall(f"{SAML}Conditions/{SAML}AudienceRestriction")
    if not audiences or any(audience not in map(text, each.iterfind(f"{SAML}Audience")) for each in audiences):
        raise Refused("for somebody else")
    confirmation = one(one(assertion, "Subject"), "SubjectConfirmation")
    if confirmation.get("Method") != BEARER:
        raise Refused("not for whoever brings it")
    until.append(within(one(confirmation, "SubjectConfirmationData"), now))
    if not text(one(one(assertion, "Subject"), "NameID")):
        raise Refused("names nobody")
    return assertion, min(until)


def parsed(header):
    """The document. Without a DTD: nothing in it stands for something else."""
    try:
        document = etree.fromstring(
            base64.b64decode(header, validate=True), etree.XMLParser(resolve_entities=False, no_network=True)
        )
    except (binascii.Error, ValueError, etree.XMLSyntaxError) as error:
        raise Refused(f"no XML: {error}") from None
    if document.getroottree().docinfo.doctype:
        raise Refused("a document type")
    if document.tag != f"{SAML}Assertion":
        raise Refused("no assertion, or not at the top")
    identifiers = document.xpath("//@ID | //@Id | //@id")
    if len(identifiers) != len(set(identifiers)) or document.xpath("//*[local-name()='Assertion']")[1:]:
        raise Refused("two assertions, or two elements of one name")
    return document


def signed(document, certificate):
    """What the provider has signed: all of the document, or nothing."""
    try:
        result = XMLVerifier().verify(document, x509_cert=certificate, id_attribute="ID", expect_config=EXPECTED)
    except (InvalidSignature, InvalidInput, ValueError) as error:
        raise Refused(f"the signature does not hold: {error}") from None
    references = result.signature_xml.findall(".//{*}Reference")
    if [reference.get("URI") for reference in references] != [f"#{document.get('ID')}"]:
        raise Refused("something else is signed")
    return result.signed_xml


def one(element, name):
    found = element.findall(f"{SAML}{name}")
    if len(found) != 1:
        raise Refused(f"{len(found)} times {name}")
    return found[0]


def text(element):
    """All of it: a comment within a name must not cut it short."""
    return "" if element is None else "".join(element.itertext()).strip()


def within(element, now):
    """When an element's time ends. Raises Refused when that was, or when it has not begun."""
    begins, ends = moment(element.get("NotBefore")), moment(element.get("NotOnOrAfter"))
    if ends is None or now >= ends + CLOCKS_DIFFER:
        raise Refused("over")
    if begins is not None and now < begins - CLOCKS_DIFFER:
        raise Refused("not good yet")
    return ends + CLOCKS_DIFFER


def moment(given):
    try:
        return None if given is None else datetime.fromisoformat(given).astimezone(UTC)
    except ValueError:
        raise Refused(f"no time: {given!r}") from None
