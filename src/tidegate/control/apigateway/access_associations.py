"""DomainNameAccessAssociation: which VPC endpoint may reach a private custom domain.

Associations are recorded; nothing is served by private domains yet. Between accounts there are none: a domain of another
account cannot be looked into, so its management policy could not be enforced. Source: *Custom domain names for private APIs in
API Gateway*; shared facts, endpoints-domains §10.
"""

from __future__ import annotations

import json
import re
from typing import Any

from tidegate.aws.model import Params
from tidegate.control.apigateway.lookup import get_association, get_domain
from tidegate.control.apigateway.tags import check_tags
from tidegate.control.context import Context
from tidegate.control.pages import stored_page
from tidegate.control.patch import bad_request
from tidegate.core.arns import Arn
from tidegate.core.errors import ControlError
from tidegate.definition.records import DomainName, DomainNameAccessAssociation

_DOMAIN = re.compile(r"/domainnames/([^/+]+)\+([^/+]+)")
_ENDPOINT = re.compile(r"vpce-[A-Za-z0-9]+")


def create_domain_name_access_association(context: Context, params: Params) -> DomainNameAccessAssociation:
    check_tags(params.get("tags"))
    domain = _private_domain(context, params["domain_name_arn"])
    source = params["access_association_source"]
    if not _ENDPOINT.fullmatch(source):
        raise bad_request(f"Invalid access association source specified: {source}")
    _check_management_policy(domain)
    place = f"/domainnameaccessassociations/domainname/{domain.domain_name}+{domain.domain_name_id}/vpcesource/{source}"
    association = DomainNameAccessAssociation(
        domain_name_access_association_arn=str(
            Arn("aws", "apigateway", context.scope.region, context.scope.account, place)
        ),
        domain_name_arn=params["domain_name_arn"],
        access_association_source_type=params["access_association_source_type"],
        access_association_source=source,
        tags=params.get("tags"),
    )
    _check_conflict(context, association, domain.domain_name)
    context.tx.put(association)
    return association


def _private_domain(context: Context, text: str) -> DomainName:
    try:
        arn = Arn.parse(text)
    except ValueError:
        raise bad_request(f"Invalid ARN. ARN is not well formed {text}") from None
    found = _DOMAIN.fullmatch(arn.resource)
    if found is None or arn.service != "apigateway" or arn.region != context.scope.region:
        raise bad_request(f"Invalid domain name ARN specified: {text}")
    if arn.account != context.scope.account:
        raise bad_request("Tidegate does not support access associations with domain names of other accounts yet")
    return get_domain(context, found[1], found[2])


def _check_management_policy(domain: DomainName) -> None:
    """AWS: an account may use its own domain unless the domain's management policy denies it."""
    statements = json.loads(domain.management_policy or "{}").get("Statement", [])
    for statement in statements if isinstance(statements, list) else [statements]:
        if statement.get("Effect") == "Deny":
            raise bad_request("Tidegate does not support management policies that deny access associations yet")


def _check_conflict(context: Context, new: DomainNameAccessAssociation, name: str) -> None:
    """AWS: two private domains of one name cannot be reached by one endpoint."""
    for other in context.tx.list(DomainNameAccessAssociation):
        same_source = other.access_association_source == new.access_association_source
        if same_source and f"/domainnames/{name}+" in other.domain_name_arn:
            text = (
                f"A domain name access association between {name} and {other.access_association_source} already exists"
            )
            raise ControlError("ConflictException", text, 409)


def get_domain_name_access_associations(context: Context, params: Params) -> dict[str, Any]:
    if params.get("resource_owner") == "OTHER_ACCOUNTS":
        return {"items": []}
    return stored_page(context.tx, DomainNameAccessAssociation, params)


def delete_domain_name_access_association(context: Context, params: Params) -> None:
    association = get_association(context, params["domain_name_access_association_arn"])
    context.tx.delete(DomainNameAccessAssociation, *association.key)


def reject_domain_name_access_association(context: Context, params: Params) -> None:
    """AWS: for other accounts' endpoints, of which there are none; one's own association is deleted."""
    association = get_association(context, params["domain_name_access_association_arn"])
    if association.domain_name_arn != params["domain_name_arn"]:
        raise bad_request(f"Invalid domain name ARN specified: {params['domain_name_arn']}")
    raise bad_request(
        "Domain name access associations of your own account cannot be rejected. Use DeleteDomainNameAccessAssociation"
    )


OPERATIONS = {
    "CreateDomainNameAccessAssociation": create_domain_name_access_association,
    "GetDomainNameAccessAssociations": get_domain_name_access_associations,
    "DeleteDomainNameAccessAssociation": delete_domain_name_access_association,
    "RejectDomainNameAccessAssociation": reject_domain_name_access_association,
}
