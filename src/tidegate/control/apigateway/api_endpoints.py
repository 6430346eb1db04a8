"""Endpoint type, IP address type, security policy and access mode of an API: what goes together, and what may become what.

Not here: serving over them (wire, gateway). Source: *API endpoint types for REST APIs*, *Change a public or private API endpoint
type*, *Security policies for REST APIs*; shared facts, endpoints-domains §2, §3 and §5.
"""

from __future__ import annotations

from functools import lru_cache

from tidegate.aws.model import Params, load_service_model
from tidegate.control.patch import Draft, PatchOp, bad_request, member
from tidegate.definition.records import EndpointConfiguration, RestApi

_TYPES = ("EDGE", "REGIONAL", "PRIVATE")
_ADDRESSES = ("ipv4", "dualstack")
_ONLY_PRIVATE = "VPCEndpoint IDs can only be used with PRIVATE APIs"
_UNKNOWN_TYPE = "Invalid EndpointTypes specified. Valid options are REGIONAL,EDGE,PRIVATE"
_ENHANCED = "SecurityPolicy_"


def new_endpoint(given: Params | None) -> EndpointConfiguration:
    """What CreateRestApi asks for, with AWS's defaults. Raises ControlError."""
    if given is None:
        return EndpointConfiguration()
    types = given.get("types")
    if types is None:
        types = ["EDGE"]
    if not types:
        raise bad_request("REGIONAL Configuration and EDGE Configuration cannot be both DISABLED.")
    if any(kind not in _TYPES for kind in types):
        raise bad_request(_UNKNOWN_TYPE)
    if given.get("vpc_endpoint_ids") and types != ["PRIVATE"]:
        raise bad_request(_ONLY_PRIVATE)
    if len(types) > 1:
        raise bad_request("Cannot create an api with multiple Endpoint Types.")
    endpoint = EndpointConfiguration(
        types=types,
        vpc_endpoint_ids=given.get("vpc_endpoint_ids") or None,
        ip_address_type=given.get("ip_address_type") or ("dualstack" if types == ["PRIVATE"] else "ipv4"),
    )
    _check_address(endpoint)
    return endpoint


def check_endpoint(api: RestApi) -> None:
    """Whether an API's endpoint, security policy and access mode go together. Raises ControlError."""
    _check_address(api.endpoint_configuration)
    policy, mode = api.security_policy, api.endpoint_access_mode
    (kind,) = api.endpoint_configuration.types
    if policy is not None and policy not in _allowed_policies(kind):
        raise bad_request(f"Invalid security policy specified for a {kind} API: {policy}")
    enhanced = (policy or "").startswith(_ENHANCED)
    if enhanced and mode is None:
        raise bad_request(f"endpointAccessMode must be specified with the security policy {policy}")
    if mode is not None and not enhanced:
        raise bad_request(
            "endpointAccessMode is only supported with a security policy that starts with SecurityPolicy_"
        )
    if mode not in (None, "BASIC", "STRICT"):
        raise bad_request(f"Invalid endpointAccessMode specified: {mode}. Must be one of: [BASIC, STRICT]")


def _check_address(endpoint: EndpointConfiguration) -> None:
    if endpoint.ip_address_type not in _ADDRESSES:
        raise bad_request("ipAddressType must be either ipv4 or dualstack.")
    if endpoint.types == ["PRIVATE"] and endpoint.ip_address_type != "dualstack":
        raise bad_request("Only dualstack ipAddressType is supported for Private APIs.")


@lru_cache(maxsize=4)
def _allowed_policies(kind: str) -> frozenset[str]:
    """AWS: the enhanced ones are made for one kind of endpoint; of the older ones, each kind has its default alone."""
    names = load_service_model("apigateway").shape_for("SecurityPolicy").enum
    enhanced = {name for name in names if name.startswith(_ENHANCED) and ("EDGE" in name) == (kind == "EDGE")}
    return frozenset(enhanced | {"TLS_1_2" if kind == "PRIVATE" else "TLS_1_0"})


# --- patches ---------------------------------------------------------------------------------------------------------


def patch_type(draft: Draft, op: PatchOp) -> None:
    """AWS: the path names the present type, or its place in the list."""
    endpoint = draft["endpoint_configuration"]
    (before,) = endpoint["types"]
    if op.value not in _TYPES:
        raise bad_request(_UNKNOWN_TYPE)
    if op.names[0] not in ("0", before):
        raise bad_request(f"Invalid patch path {op.path}: the endpoint type of the API is {before}")
    if op.value == before:
        return
    if draft.get("endpoint_access_mode") == "STRICT":
        raise bad_request("Cannot update the endpoint type while endpointAccessMode is STRICT. Set it to BASIC first.")
    if (before, op.value) == ("PRIVATE", "EDGE"):
        raise bad_request("Cannot update the endpoint type from PRIVATE to EDGE")
    endpoint["types"] = [op.value]
    if op.value == "PRIVATE":
        endpoint["ip_address_type"] = "dualstack"
    elif before == "PRIVATE":
        # AWS: an API that is public again has no VPC endpoints; that its address type follows is one page's word of two.
        endpoint |= {"ip_address_type": "ipv4", "vpc_endpoint_ids": None}


def patch_vpc_endpoint(draft: Draft, op: PatchOp) -> None:
    endpoint = draft["endpoint_configuration"]
    if endpoint["types"] != ["PRIVATE"]:
        raise bad_request(_ONLY_PRIVATE)
    member("vpc_endpoint_ids")(endpoint, op)
    endpoint["vpc_endpoint_ids"] = endpoint["vpc_endpoint_ids"] or None


def patch_address_type(draft: Draft, op: PatchOp) -> None:
    if op.value not in _ADDRESSES:
        raise bad_request("ipAddressType must be either ipv4 or dualstack.")
    draft["endpoint_configuration"]["ip_address_type"] = op.value
