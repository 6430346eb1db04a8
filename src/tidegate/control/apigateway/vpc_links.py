"""VpcLink: a name for a network load balancer.

Not here: sending requests through one (integrations with a VPC_LINK connection cannot be deployed yet). Source:
*CreateVpcLink* … *DeleteVpcLink*; shared facts, rest-control-plane §4 and §6.
"""

from __future__ import annotations

import re
from typing import Any

import msgspec

from tidegate.aws.model import Params
from tidegate.control.apigateway.lookup import get_link
from tidegate.control.apigateway.tags import check_tags
from tidegate.control.context import Context
from tidegate.control.pages import matching_page
from tidegate.control.patch import Draft, PatchOp, bad_request, patch, rule, table, text
from tidegate.core.arns import Arn
from tidegate.definition.records import Method, VpcLink

_BALANCER = re.compile(r"loadbalancer/net/[^/]+/[^/]+")


def create_vpc_link(context: Context, params: Params) -> dict[str, Any]:
    """AWS: a link is made in minutes, and says so; here it is ready when it is next looked at."""
    check_tags(params.get("tags"))
    _check_name(params["name"])
    targets = params["target_arns"]
    if not targets:
        raise bad_request("No target arn specified for vpc link.")
    if len(targets) > 1:
        raise bad_request("More than one target arn specified for vpc link.")
    _parse_target(targets[0])
    link = VpcLink(
        id=context.ids.child_id(),
        name=params["name"],
        description=params.get("description"),
        target_arns=targets,
        tags=params.get("tags"),
    )
    context.tx.put(link)
    return {**_shown(link), "status": "PENDING", "status_message": None}


def _check_name(name: str | None) -> None:
    if not name:
        raise bad_request("Name cannot be empty")


def _parse_target(text: str) -> Arn:
    try:
        return Arn.parse(text)
    except ValueError:
        raise bad_request(f"Invalid ARN. ARN is not well formed {text}") from None


def _shown(link: VpcLink) -> dict[str, Any]:
    target = _parse_target(link.target_arns[0])
    # AWS: what is no network load balancer is found out while the link is made.
    if target.service != "elasticloadbalancing" or not _BALANCER.fullmatch(target.resource):
        status = {"status": "FAILED", "status_message": "NLB ARN is malformed."}
    else:
        status = {"status": "AVAILABLE", "status_message": "Your vpc link is ready for use"}
    return {**msgspec.to_builtins(link), **status}


def get_vpc_link(context: Context, params: Params) -> dict[str, Any]:
    return _shown(get_link(context, params["vpc_link_id"]))


def get_vpc_links(context: Context, params: Params) -> dict[str, Any]:
    return matching_page(context.tx, VpcLink, params, _shown)


def update_vpc_link(context: Context, params: Params) -> dict[str, Any]:
    link = patch(get_link(context, params["vpc_link_id"]), params.get("patch_operations"), RULES)
    context.tx.put(link)
    return _shown(link)


def delete_vpc_link(context: Context, params: Params) -> None:
    link = get_link(context, params["vpc_link_id"])
    # All methods of the account: deleting a link is rare, and an index would be kept up by every change of a method.
    methods = context.tx.list(Method)
    references = [
        f"{method.api_id}:{method.http_method}:{method.resource_id}"
        for method in methods
        if method.method_integration is not None and method.method_integration.connection_id == link.id
    ]
    if references:
        raise bad_request(
            f"Cannot delete vpc link. Vpc link '{link.id}', is referenced in [{', '.join(references)}] "
            "in format of [RESTApiId:Method:Resource]."
        )
    context.tx.delete(VpcLink, link.id)


def _name(draft: Draft, op: PatchOp) -> None:
    _check_name(op.value)
    draft["name"] = op.value


def _targets(_draft: Draft, _op: PatchOp) -> None:
    raise bad_request("Target arns are not allowed to be changed/added.")


RULES = table(
    rule("/name", "replace", _name),
    rule("/description", "replace", text("description")),
    rule("/targetArns", "add replace remove", _targets),
    listed="/name /description",
)

OPERATIONS = {
    "CreateVpcLink": create_vpc_link,
    "GetVpcLink": get_vpc_link,
    "GetVpcLinks": get_vpc_links,
    "UpdateVpcLink": update_vpc_link,
    "DeleteVpcLink": delete_vpc_link,
}
