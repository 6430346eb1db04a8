"""RestApi: create, get, list, update, delete. Source: shared facts, rest-control-plane §4 to §6."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

from tidegate.aws.model import Params
from tidegate.control.apigateway.base_path_mappings import refuse_while_mapped
from tidegate.control.apigateway.lookup import get_api
from tidegate.control.apigateway.tags import check_tags
from tidegate.control.apigateway.usage_plans import forget_stages
from tidegate.control.context import Context
from tidegate.control.pages import stored_page
from tidegate.control.patch import (
    Draft,
    PatchOp,
    bad_request,
    boolean,
    choice,
    integer,
    keyed_member,
    member,
    patch,
    rule,
    table,
    text,
)
from tidegate.core.errors import ControlError
from tidegate.definition.records import API_PARTS, EndpointConfiguration, Model, Resource, RestApi

CUSTOM_ID_TAG = "_custom_id_"
_CUSTOM_ID = re.compile(r"[a-zA-Z0-9_-]{1,64}")
_TYPES = ("EDGE", "REGIONAL", "PRIVATE")

# AWS: what every API is born with, in AWS's own words and spacing.
_FIRST_MODELS = {
    "Empty": """{
  "$schema": "http://json-schema.org/draft-04/schema#",
  "title" : "Empty Schema",
  "type" : "object"
}""",
    "Error": """{
  "$schema" : "http://json-schema.org/draft-04/schema#",
  "title" : "Error Schema",
  "type" : "object",
  "properties" : {
    "message" : { "type" : "string" }
  }
}""",
}


def create_rest_api(context: Context, params: Params) -> RestApi:
    if params.get("clone_from"):
        raise bad_request("Tidegate does not support cloneFrom yet")
    api_id = new_api_id(context, params.get("tags"))
    if params.get("description") == "":
        raise bad_request("Description cannot be an empty string")
    _check_compression(params.get("minimum_compression_size"))
    check_tags(params.get("tags"))
    api = RestApi(
        id=api_id,
        name=params["name"],
        root_resource_id=context.ids.api_id(),
        created_date=int(context.clock.time()),
        description=params.get("description"),
        version=params.get("version"),
        binary_media_types=params.get("binary_media_types") or None,
        minimum_compression_size=params.get("minimum_compression_size"),
        api_key_source=params.get("api_key_source") or "HEADER",
        endpoint_configuration=_endpoint(params.get("endpoint_configuration")),
        policy=params.get("policy") or None,
        disable_execute_api_endpoint=bool(params.get("disable_execute_api_endpoint")),
        security_policy=params.get("security_policy"),
        endpoint_access_mode=params.get("endpoint_access_mode"),
        tags=params.get("tags"),
    )
    context.tx.put(api)
    context.tx.put(Resource(api_id=api.id, id=api.root_resource_id, path="/"))
    for name, schema in _FIRST_MODELS.items():
        context.tx.put(
            Model(
                api_id=api.id,
                id=context.ids.child_id(),
                name=name,
                content_type="application/json",
                schema=schema,
                description=f"This is a default {name.lower()} schema model",
            )
        )
    return api


def new_api_id(context: Context, tags: dict[str, str] | None) -> str:
    """A new id, or the one that the tag `_custom_id_` fixes."""
    custom = (tags or {}).get(CUSTOM_ID_TAG)
    if custom is None:
        return context.ids.api_id()
    if not _CUSTOM_ID.fullmatch(custom):
        raise bad_request(f"Invalid {CUSTOM_ID_TAG} tag: {custom}")
    if context.tx.exists_anywhere(RestApi, custom):
        raise ControlError("ConflictException", f"An API with the id {custom} exists", 409)
    return custom


def _endpoint(given: Params | None) -> EndpointConfiguration:
    if given is None:
        return EndpointConfiguration()
    types = given.get("types")
    if types is None:
        types = ["EDGE"]
    if not types:
        raise bad_request("REGIONAL Configuration and EDGE Configuration cannot be both DISABLED.")
    if any(kind not in _TYPES for kind in types):
        raise bad_request("Invalid EndpointTypes specified. Valid options are REGIONAL,EDGE,PRIVATE")
    if given.get("vpc_endpoint_ids") and types != ["PRIVATE"]:
        raise bad_request("VPCEndpoint IDs can only be used with PRIVATE APIs")
    if len(types) > 1:
        raise bad_request("Cannot create an api with multiple Endpoint Types.")
    address = given.get("ip_address_type") or ("dualstack" if types == ["PRIVATE"] else "ipv4")
    if types == ["PRIVATE"] and address != "dualstack":
        raise bad_request("Only dualstack ipAddressType is supported for Private APIs.")
    return EndpointConfiguration(types=types, vpc_endpoint_ids=given.get("vpc_endpoint_ids"), ip_address_type=address)


def _check_compression(size: int | None) -> None:
    if size is not None and (complaint := _compression_complaint(size)):
        raise bad_request(complaint)


def _compression_complaint(size: int) -> str | None:
    if 0 <= size <= 10485760:
        return None
    return "Invalid minimum compression size, must be between 0 and 10485760"


def _name(draft: Draft, op: PatchOp) -> None:
    if not op.value:
        raise bad_request("Invalid REST API name: must not be empty")
    draft["name"] = op.value


def _endpoint_type(draft: Draft, op: PatchOp) -> None:
    if op.value not in _TYPES:
        raise bad_request("Invalid EndpointTypes specified. Valid options are REGIONAL,EDGE,PRIVATE")
    draft["endpoint_configuration"]["types"] = [op.value]


def _vpc_endpoint(draft: Draft, op: PatchOp) -> None:
    if draft["endpoint_configuration"]["types"] != ["PRIVATE"]:
        raise bad_request("VPCEndpoint IDs can only be used with PRIVATE APIs")
    member("vpc_endpoint_ids")(draft["endpoint_configuration"], op)


def _ip_address_type(draft: Draft, op: PatchOp) -> None:
    if op.value not in ("ipv4", "dualstack"):
        raise bad_request("ipAddressType must be either ipv4 or dualstack.")
    draft["endpoint_configuration"]["ip_address_type"] = op.value


RULES = table(
    rule("/name", "replace", _name),
    rule("/description", "add replace remove", text("description")),
    rule("/apiKeySource", "replace", choice("api_key_source", "HEADER", "AUTHORIZER")),
    rule("/disableExecuteApiEndpoint", "replace", boolean("disable_execute_api_endpoint")),
    rule("/policy", "replace", text("policy")),
    rule("/securityPolicy", "replace", text("security_policy")),
    rule("/endpointAccessMode", "replace", text("endpoint_access_mode")),
    rule("/minimumCompressionSize", "replace", integer("minimum_compression_size", _compression_complaint)),
    rule("/binaryMediaTypes/{type}", "add replace remove", keyed_member("binary_media_types")),
    rule("/endpointConfiguration/types/{type}", "replace", _endpoint_type),
    rule("/endpointConfiguration/vpcEndpointIds", "add remove", _vpc_endpoint),
    rule("/endpointConfiguration/ipAddressType", "replace", _ip_address_type),
)


def get_rest_api(context: Context, params: Params) -> RestApi:
    return with_tags(get_api(context, params["rest_api_id"]))


def get_rest_apis(context: Context, params: Params) -> dict[str, Any]:
    return stored_page(context.tx, RestApi, params)


def update_rest_api(context: Context, params: Params) -> RestApi:
    api = patch(get_api(context, params["rest_api_id"]), params.get("patch_operations"), RULES)
    context.tx.put(api)
    return with_tags(api)


def with_tags(api: RestApi) -> RestApi:
    """AWS: an empty `tags` appears on single gets and updates, not on create or in lists."""
    return api if api.tags is not None else replace(api, tags={})


def delete_rest_api(context: Context, params: Params) -> None:
    api = get_api(context, params["rest_api_id"])
    refuse_while_mapped(context, api.id)
    forget_stages(context, api.id)
    for kind in API_PARTS:
        context.tx.delete_all(kind, api.id)
    context.tx.delete(RestApi, api.id)


OPERATIONS = {
    "CreateRestApi": create_rest_api,
    "GetRestApi": get_rest_api,
    "GetRestApis": get_rest_apis,
    "UpdateRestApi": update_rest_api,
    "DeleteRestApi": delete_rest_api,
}
