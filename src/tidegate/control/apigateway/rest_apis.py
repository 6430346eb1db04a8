"""RestApi: create, get, list, update, delete. Source: shared facts, rest-control-plane §4 to §6."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

from tidegate.aws.model import Params
from tidegate.control.apigateway.api_endpoints import (
    check_endpoint,
    new_endpoint,
    patch_address_type,
    patch_type,
    patch_vpc_endpoint,
)
from tidegate.control.apigateway.api_policies import check_policy, with_policy_shown
from tidegate.control.apigateway.base_path_mappings import refuse_while_mapped
from tidegate.control.apigateway.cloning import clone_draft
from tidegate.control.apigateway.lookup import get_api
from tidegate.control.apigateway.tags import check_tags
from tidegate.control.apigateway.usage_plans import forget_stages
from tidegate.control.context import Context
from tidegate.control.pages import stored_page
from tidegate.control.patch import (
    bad_request,
    boolean,
    choice,
    integer,
    keyed_member,
    patch,
    required,
    rule,
    table,
    text,
)
from tidegate.core.errors import ControlError
from tidegate.definition.records import API_PARTS, Model, Resource, RestApi

CUSTOM_ID_TAG = "_custom_id_"
_CUSTOM_ID = re.compile(r"[a-zA-Z0-9_-]{1,64}")
_OWN = (
    "description",
    "version",
    "binary_media_types",
    "minimum_compression_size",
    "api_key_source",
    "endpoint_configuration",
    "policy",
    "disable_execute_api_endpoint",
    "security_policy",
    "endpoint_access_mode",
)
"""What a creation may say of an API; what it does not say, a clone has from its source [unverified]."""

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
    """A new API, as it is kept."""
    source = get_api(context, params["clone_from"]) if params.get("clone_from") else None
    api_id = new_api_id(context, params.get("tags"))
    if params.get("description") == "":
        raise bad_request("Description cannot be an empty string")
    check_tags(params.get("tags"))
    api = RestApi(
        id=api_id,
        name=params["name"],
        root_resource_id=context.ids.api_id(),
        created_date=int(context.clock.time()),
        **({} if source is None else {name: getattr(source, name) for name in _OWN}),
    )
    given = {name: params[name] for name in _OWN if params.get(name) is not None}
    if "endpoint_configuration" in given:
        given["endpoint_configuration"] = new_endpoint(given["endpoint_configuration"])
    api = _settled(replace(api, **given, tags=params.get("tags")))
    context.tx.put(api)
    if source is not None:
        clone_draft(context, source, api)
        return api
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


def _settled(api: RestApi) -> RestApi:
    """Checked as a whole, with nothing empty where unset is meant. Raises ControlError."""
    api = replace(
        api,
        description=api.description or None,
        binary_media_types=api.binary_media_types or None,
        policy=api.policy or None,
        security_policy=api.security_policy or None,
        endpoint_access_mode=api.endpoint_access_mode or None,
    )
    if not api.name.strip():
        raise bad_request("Invalid REST API name: must not be empty")
    if api.minimum_compression_size is not None and (complaint := _compression_complaint(api.minimum_compression_size)):
        raise bad_request(complaint)
    check_policy(api.policy)
    check_endpoint(api)
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


def _compression_complaint(size: int) -> str | None:
    if 0 <= size <= 10485760:
        return None
    return "Invalid minimum compression size, must be between 0 and 10485760"


RULES = table(
    rule("/name", "replace", required("name")),
    rule("/description", "add replace remove", text("description")),
    rule("/apiKeySource", "replace", choice("api_key_source", "HEADER", "AUTHORIZER")),
    rule("/disableExecuteApiEndpoint", "replace", boolean("disable_execute_api_endpoint")),
    rule("/policy", "replace", text("policy")),
    rule("/securityPolicy", "replace", text("security_policy")),
    rule("/endpointAccessMode", "replace", text("endpoint_access_mode")),
    rule("/minimumCompressionSize", "replace", integer("minimum_compression_size", _compression_complaint)),
    rule("/binaryMediaTypes/{type}", "add replace remove", keyed_member("binary_media_types")),
    rule("/endpointConfiguration/types/{type}", "replace", patch_type),
    rule("/endpointConfiguration/vpcEndpointIds", "add remove", patch_vpc_endpoint),
    rule("/endpointConfiguration/ipAddressType", "replace", patch_address_type),
)


def create_rest_api_operation(context: Context, params: Params) -> RestApi:
    return shown(context, create_rest_api(context, params))


def get_rest_api(context: Context, params: Params) -> RestApi:
    return shown(context, with_tags(get_api(context, params["rest_api_id"])))


def get_rest_apis(context: Context, params: Params) -> dict[str, Any]:
    result = stored_page(context.tx, RestApi, params)
    return {**result, "items": [shown(context, api) for api in result["items"]]}


def update_rest_api(context: Context, params: Params) -> RestApi:
    api = _settled(patch(get_api(context, params["rest_api_id"]), params.get("patch_operations"), RULES))
    context.tx.put(api)
    return shown(context, with_tags(api))


def shown(context: Context, api: RestApi) -> RestApi:
    """An API as AWS shows it, which is not how it is kept."""
    # AWS: a change of the security policy takes a while, of which this tells; here it is there at once.
    status = None if api.security_policy is None else "AVAILABLE"
    return with_policy_shown(context, replace(api, api_status=status))


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
    "CreateRestApi": create_rest_api_operation,
    "GetRestApi": get_rest_api,
    "GetRestApis": get_rest_apis,
    "UpdateRestApi": update_rest_api,
    "DeleteRestApi": delete_rest_api,
}
