"""Resource: the tree of paths. Source: shared facts, rest-control-plane §6 (messages, sibling rule)."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

from tidegate.aws.model import Params
from tidegate.control.apigateway.lookup import get_api, get_resource
from tidegate.control.context import Context
from tidegate.control.pages import page
from tidegate.control.patch import Apply, Draft, PatchOp, bad_request, patch, rule, table, text
from tidegate.core.errors import ControlError
from tidegate.definition.records import Method, Resource

_PATH_PART = re.compile(r"[a-zA-Z0-9._\-:]+|\{[a-zA-Z0-9._\-:]+\+?\}")

_MOST = 300
"""AWS: resources per API, the quota that every account has at first."""

RULES = table(
    rule("/parentId", "replace", text("parent_id")),
    rule("/pathPart", "replace", text("path_part")),
)


def _refused(field: str) -> Apply:
    def apply(_draft: Draft, _op: PatchOp) -> None:
        raise bad_request(f"Root resource cannot update its {field}.")

    return apply


ROOT_RULES = table(
    rule("/parentId", "replace", _refused("parentId")),
    rule("/pathPart", "replace", _refused("pathPart")),
)


def create_resource(context: Context, params: Params) -> dict[str, Any]:
    parent = get_resource(context, params["rest_api_id"], params["parent_id"])
    resource = add_resource(context, parent, params["path_part"])
    return shown(context, resource, embed=False)


def add_resource(context: Context, parent: Resource, part: str) -> Resource:
    """A new child, checked against its siblings."""
    resource = Resource(
        api_id=parent.api_id,
        id=context.ids.child_id(),
        parent_id=parent.id,
        path_part=part,
        path=child_path(parent, part),
    )
    check_place(context, resource, parent)
    # The root is not counted [unverified].
    if len(context.tx.list(Resource, parent.api_id)) > _MOST:
        raise ControlError(
            "LimitExceededException",
            "Maximum number of resources for this API has been reached. Please contact AWS if you need additional "
            "resources.",
            429,
        )
    context.tx.put(resource)
    return resource


def child_path(parent: Resource, part: str) -> str:
    return f"{parent.path.rstrip('/')}/{part}"


def check_place(context: Context, resource: Resource, parent: Resource) -> None:
    """Whether a resource may stand below a parent. Raises ControlError."""
    part = resource.path_part or ""
    if not _PATH_PART.fullmatch(part):
        raise bad_request(
            "Resource's path part only allow a-zA-Z0-9._-: or a valid greedy path variable and curly braces at the "
            "beginning and the end."
        )
    if (parent.path_part or "").endswith("+}"):
        raise bad_request(f"Cannot create a child of a resource with a greedy path variable: {parent.path_part}")
    if part.startswith("{") and f"{{{part.strip('{}+')}}}" in parent.path.replace("+}", "}"):
        raise bad_request(f"Parameter names must be unique in a path: {part}")
    siblings = [
        sibling
        for sibling in context.tx.list(Resource, parent.api_id)
        if sibling.parent_id == parent.id and sibling.id != resource.id
    ]
    for sibling in siblings:
        if sibling.path_part == part:
            raise ControlError(
                "ConflictException", f"Another resource with the same parent already has this name: {part}", 409
            )
        if part.startswith("{") and (sibling.path_part or "").startswith("{"):
            raise bad_request(
                f"A sibling ({sibling.path_part}) of this resource already has a variable path part -- only one is allowed"
            )


def shown(context: Context, resource: Resource, *, embed: bool) -> dict[str, Any]:
    """A resource as AWS shows it: with its methods by verb, empty unless `embed=methods` is asked for."""
    methods = context.tx.list(Method, resource.api_id, resource.id)
    out = {name: getattr(resource, name) for name in ("id", "parent_id", "path_part", "path")}
    out["resource_methods"] = {method.http_method: method if embed else {} for method in methods} or None
    return out


def _embeds(params: Params) -> bool:
    return "methods" in (params.get("embed") or ())


def get_resource_operation(context: Context, params: Params) -> dict[str, Any]:
    resource = get_resource(context, params["rest_api_id"], params["resource_id"])
    return shown(context, resource, embed=_embeds(params))


def get_resources(context: Context, params: Params) -> dict[str, Any]:
    get_api(context, params["rest_api_id"])
    resources = sorted(context.tx.list(Resource, params["rest_api_id"]), key=lambda resource: resource.path)
    result = page(resources, params, lambda resource: resource.path)
    result["items"] = [shown(context, resource, embed=_embeds(params)) for resource in result["items"]]
    return result


def update_resource(context: Context, params: Params) -> dict[str, Any]:
    before = get_resource(context, params["rest_api_id"], params["resource_id"])
    if before.parent_id is None:
        patch(before, params.get("patch_operations"), ROOT_RULES)
        return shown(context, before, embed=False)
    after = patch(before, params.get("patch_operations"), RULES)
    parent = get_resource(context, before.api_id, after.parent_id or "")
    if parent.id == before.id or parent.path.startswith(before.path + "/"):
        raise bad_request("Resources cannot be cyclical.")
    after = replace(after, path=child_path(parent, after.path_part or ""))
    check_place(context, after, parent)
    children = [below for below in context.tx.list(Resource, before.api_id) if below.path.startswith(before.path + "/")]
    if children and (after.path_part or "").endswith("+}"):
        raise bad_request(f"Cannot create a child of a resource with a greedy path variable: {after.path_part}")
    for below in children:
        if (after.path_part or "").startswith("{") and after.path_part in below.path[len(before.path) :].split("/"):
            raise bad_request(f"Parameter names must be unique in a path: {after.path_part}")
        context.tx.put(replace(below, path=after.path + below.path[len(before.path) :]))
    context.tx.put(after)
    return shown(context, after, embed=False)


def delete_resource(context: Context, params: Params) -> None:
    resource = get_resource(context, params["rest_api_id"], params["resource_id"])
    if resource.parent_id is None:
        raise bad_request("Root resource cannot be deleted.")
    doomed = [
        below
        for below in context.tx.list(Resource, resource.api_id)
        if below.id == resource.id or below.path.startswith(resource.path + "/")
    ]
    for below in doomed:
        context.tx.delete_all(Method, below.api_id, below.id)
        context.tx.delete(Resource, below.api_id, below.id)


OPERATIONS = {
    "CreateResource": create_resource,
    "GetResource": get_resource_operation,
    "GetResources": get_resources,
    "UpdateResource": update_resource,
    "DeleteResource": delete_resource,
}
