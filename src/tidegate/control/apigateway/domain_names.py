"""DomainName: create, get, list, update, delete.

Not here: what a domain may be (domain_rules), its endpoints and certificates (domain_endpoints), its mappings. Source:
*CreateDomainName* … *DeleteDomainName*, *Migrate a custom domain name to a different API endpoint type*; shared facts,
endpoints-domains §6 and §7.
"""

from __future__ import annotations

from typing import Any

import msgspec

from tidegate.aws.model import Params
from tidegate.control.apigateway import domain_rules as rules
from tidegate.control.apigateway.base_path_mappings import forget_mappings
from tidegate.control.apigateway.domain_endpoints import check_certificate, settle_endpoints
from tidegate.control.apigateway.lookup import get_domain
from tidegate.control.apigateway.tags import check_tags
from tidegate.control.context import Context
from tidegate.control.pages import matching_page
from tidegate.control.patch import Apply, Draft, PatchOp, bad_request, patch, rule, table, text
from tidegate.core.arns import Arn
from tidegate.core.errors import ControlError
from tidegate.definition.records import DomainName, DomainNameAccessAssociation

_UPLOADS = ("certificate_body", "certificate_private_key", "certificate_chain")
_GIVEN = (
    *("certificate_name", "certificate_arn", "regional_certificate_name", "regional_certificate_arn"),
    *("ownership_verification_certificate_arn", "policy", "tags"),
)


def create_domain_name(context: Context, params: Params) -> dict[str, Any]:
    check_tags(params.get("tags"))
    if any(params.get(member) for member in _UPLOADS):
        # AWS: deprecated in favour of the certificate manager.
        raise bad_request("Tidegate does not support uploading certificates (certificateBody) yet")
    name, endpoints = params["domain_name"], params.get("endpoint_configuration") or {}
    types = ["EDGE"] if endpoints.get("types") is None else endpoints["types"]
    rules.check_types(types)
    if endpoints.get("vpc_endpoint_ids"):
        raise bad_request("VPCEndpoint IDs are not supported for domain names")
    rules.check_name(name, types[0])
    private = types == ["PRIVATE"]
    # A host names one domain, whoever made it: by its host alone a request finds its domain.
    if not private and context.tx.exists_anywhere(DomainName, name, ""):
        raise bad_request("The domain name you provided already exists.")
    domain_id = context.ids.api_id() if private else ""
    draft: Draft = {
        **{member: params.get(member) or None for member in _GIVEN},
        "domain_name": name,
        "domain_name_id": domain_id,
        "domain_name_arn": _arn(context, name, domain_id),
        "endpoint_configuration": {
            "types": types,
            "ip_address_type": endpoints.get("ip_address_type") or ("dualstack" if private else "ipv4"),
        },
        "security_policy": params.get("security_policy") or rules.DEFAULT_POLICY,
        "endpoint_access_mode": params.get("endpoint_access_mode") or None,
        "mutual_tls_authentication": params.get("mutual_tls_authentication") or None,
        "routing_mode": params.get("routing_mode") or rules.DEFAULT_ROUTING,
    }
    domain = _settled(context, draft, {})
    context.tx.put(domain)
    return _shown(domain)


def _arn(context: Context, name: str, domain_id: str) -> str:
    """AWS: only private domains' ARNs have the account and the id in them."""
    account, suffix = (context.scope.account, f"+{domain_id}") if domain_id else ("", "")
    return str(Arn("aws", "apigateway", context.scope.region, account, f"/domainnames/{name}{suffix}"))


def _settled(context: Context, draft: Draft, before: Draft) -> DomainName:
    """The domain of a draft, checked as a whole. Raises ControlError."""
    types = draft["endpoint_configuration"]["types"]
    rules.check_address_type(draft["endpoint_configuration"]["ip_address_type"], types)
    rules.check_security(draft["security_policy"], draft["endpoint_access_mode"], types)
    rules.check_mutual_tls(draft["mutual_tls_authentication"], types)
    rules.check_routing(draft["routing_mode"])
    rules.check_policy(draft.get("policy"), "policy", types)
    rules.check_policy(draft.get("management_policy"), "managementPolicy", types)
    if draft.get("ownership_verification_certificate_arn"):
        check_certificate(draft["ownership_verification_certificate_arn"], None)
    settle_endpoints(context, draft, before)
    return msgspec.convert(draft, DomainName)


def get_domain_name(context: Context, params: Params) -> dict[str, Any]:
    return _shown(get_domain(context, params["domain_name"], params.get("domain_name_id")))


def _shown(domain: DomainName) -> dict[str, Any]:
    return {**msgspec.to_builtins(domain), "domain_name_id": domain.domain_name_id or None}


def get_domain_names(context: Context, params: Params) -> dict[str, Any]:
    if params.get("resource_owner") == "OTHER_ACCOUNTS":
        # AWS: what other accounts share by its Resource Access Manager. There is none here, so nothing is shared.
        return {"items": []}
    return matching_page(context.tx, DomainName, params, _shown)


def update_domain_name(context: Context, params: Params) -> dict[str, Any]:
    before = get_domain(context, params["domain_name"], params.get("domain_name_id"))
    operations = params.get("patch_operations") or []
    _check_migration(operations)
    draft = msgspec.to_builtins(patch(before, operations, RULES))
    domain = _settled(context, draft, msgspec.to_builtins(before))
    context.tx.put(domain)
    return _shown(domain)


def _check_migration(operations: list[Params]) -> None:
    """AWS: a request either adds an endpoint type or a certificate, or removes one."""
    for path in (_TYPES, "/certificateArn", "/certificateName", "/regionalCertificateArn", "/regionalCertificateName"):
        if {"add", "remove"} <= {given.get("op") for given in operations if given.get("path") == path}:
            raise bad_request(f"Cannot add and remove {path} in the same request")


def delete_domain_name(context: Context, params: Params) -> None:
    domain = get_domain(context, params["domain_name"], params.get("domain_name_id"))
    for association in context.tx.list(DomainNameAccessAssociation):
        if association.domain_name_arn == domain.domain_name_arn:
            text = f"Domain name {domain.domain_name_arn} has access associations, which must be deleted first"
            raise ControlError("ConflictException", text, 409)
    forget_mappings(context, domain)
    context.tx.delete(DomainName, *domain.key)


# --- patch rules -----------------------------------------------------------------------------------------------------

_TYPES = "/endpointConfiguration/types"


def _types(draft: Draft, op: PatchOp) -> None:
    types = draft["endpoint_configuration"]["types"]
    if op.value not in ("EDGE", "REGIONAL") or types == ["PRIVATE"]:
        raise bad_request("Domain names can only be migrated between the endpoint types EDGE and REGIONAL")
    if op.op == "remove":
        types = [kind for kind in types if kind != op.value]
        if not types:
            raise bad_request("REGIONAL Configuration and EDGE Configuration cannot be both DISABLED.")
    elif op.value not in types:
        types = [*types, op.value]
    draft["endpoint_configuration"]["types"] = types


def _address_type(draft: Draft, op: PatchOp) -> None:
    draft["endpoint_configuration"]["ip_address_type"] = op.value


def _rotated(field: str) -> Apply:
    """Replacing is for what is there."""

    def apply(draft: Draft, op: PatchOp) -> None:
        if op.op == "replace" and not draft.get(
            "regional_certificate_arn" if "regional" in field else "certificate_arn"
        ):
            raise bad_request(f"Cannot replace {op.path}: there is none")
        draft[field] = None if op.op == "remove" else op.value or None

    return apply


def _truststore(field: str) -> Apply:
    def apply(draft: Draft, op: PatchOp) -> None:
        settings = dict(draft.get("mutual_tls_authentication") or {})
        settings[field] = None if op.op == "remove" else op.value
        draft["mutual_tls_authentication"] = settings if any(settings.values()) else None

    return apply


def _access_mode(draft: Draft, op: PatchOp) -> None:
    draft["endpoint_access_mode"] = op.value or None


def _policy(field: str) -> Apply:
    def apply(draft: Draft, op: PatchOp) -> None:
        draft[field] = op.value or None

    return apply


RULES = table(
    rule("/certificateArn", "add replace remove", _rotated("certificate_arn")),
    rule("/certificateName", "add replace remove", _rotated("certificate_name")),
    rule("/regionalCertificateArn", "add replace remove", _rotated("regional_certificate_arn")),
    rule("/regionalCertificateName", "add replace remove", _rotated("regional_certificate_name")),
    rule(_TYPES, "add remove", _types),
    rule("/endpointConfiguration/ipAddressType", "replace", _address_type),
    rule("/endpointAccessMode", "replace", _access_mode),
    rule("/securityPolicy", "replace", text("security_policy")),
    rule("/mutualTlsAuthentication/truststoreUri", "add replace remove", _truststore("truststore_uri")),
    rule("/mutualTlsAuthentication/truststoreVersion", "add replace remove", _truststore("truststore_version")),
    rule("/ownershipVerificationCertificateArn", "add replace remove", text("ownership_verification_certificate_arn")),
    rule("/routingMode", "replace", text("routing_mode")),
    rule("/policy", "replace", _policy("policy")),
    rule("/managementPolicy", "replace", _policy("management_policy")),
)

OPERATIONS = {
    "CreateDomainName": create_domain_name,
    "GetDomainName": get_domain_name,
    "GetDomainNames": get_domain_names,
    "UpdateDomainName": update_domain_name,
    "DeleteDomainName": delete_domain_name,
}
