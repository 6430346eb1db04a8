"""ClientCertificate: a key pair and a self-signed certificate, by which HTTP backends can know the gateway.

Not here: attaching one to a stage (stages), showing it to a backend (plan, wire). Source: *Generate and configure an SSL
certificate for backend authentication in API Gateway*; shared facts, access §9.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID

from tidegate.aws.model import Params
from tidegate.control.apigateway.lookup import get_certificate
from tidegate.control.apigateway.tags import check_tags
from tidegate.control.context import Context
from tidegate.control.pages import stored_page
from tidegate.control.patch import bad_request, patch, rule, table, text
from tidegate.definition.records import ClientCertificate, Stage

_VALID = timedelta(days=365)
_NAME = x509.Name(
    [
        x509.NameAttribute(NameOID.COUNTRY_NAME, "US"),
        x509.NameAttribute(NameOID.LOCALITY_NAME, "Seattle"),
        x509.NameAttribute(NameOID.COMMON_NAME, "ApiGateway"),
    ]
)
"""Subject and issuer. AWS: the same for every certificate; which one it is, its key says."""


def generate_client_certificate(context: Context, params: Params) -> ClientCertificate:
    check_tags(params.get("tags"))
    created = context.clock.now().replace(microsecond=0)
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    certificate = ClientCertificate(
        client_certificate_id=context.ids.child_id(),
        description=params.get("description"),
        pem_encoded_certificate=_self_signed(key, created).public_bytes(serialization.Encoding.PEM).decode(),
        private_key=key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        ).decode(),
        created_date=created.timestamp(),
        expiration_date=(created + _VALID).timestamp(),
        tags=params.get("tags"),
    )
    context.tx.put(certificate)
    return certificate


def _self_signed(key: rsa.RSAPrivateKey, created: datetime) -> x509.Certificate:
    return (
        x509.CertificateBuilder()
        .subject_name(_NAME)
        .issuer_name(_NAME)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(created)
        .not_valid_after(created + _VALID)
        # It is its own authority: a backend trusts it by having it, so OpenSSL must take it for one.
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )


def get_client_certificate(context: Context, params: Params) -> ClientCertificate:
    return get_certificate(context, params["client_certificate_id"])


def get_client_certificates(context: Context, params: Params) -> dict[str, Any]:
    return stored_page(context.tx, ClientCertificate, params)


def update_client_certificate(context: Context, params: Params) -> ClientCertificate:
    before = get_certificate(context, params["client_certificate_id"])
    certificate = patch(before, params.get("patch_operations"), RULES)
    context.tx.put(certificate)
    return certificate


def delete_client_certificate(context: Context, params: Params) -> None:
    certificate = get_certificate(context, params["client_certificate_id"])
    # All stages of the account: deleting a certificate is rare, and an index would be kept up by every change of a stage.
    for stage in context.tx.list(Stage):
        if stage.client_certificate_id == certificate.client_certificate_id:
            raise bad_request(
                f"Cannot delete Client Certificate {certificate.client_certificate_id} because there are API Stages "
                f"associated with it, including {stage.api_id}:{stage.stage_name}"
            )
    context.tx.delete(ClientCertificate, certificate.client_certificate_id)


RULES = table(rule("/description", "replace", text("description")))

OPERATIONS = {
    "GenerateClientCertificate": generate_client_certificate,
    "GetClientCertificate": get_client_certificate,
    "GetClientCertificates": get_client_certificates,
    "UpdateClientCertificate": update_client_certificate,
    "DeleteClientCertificate": delete_client_certificate,
}
