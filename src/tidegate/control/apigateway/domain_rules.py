"""What a custom domain may be, whether it is made so or patched so: its name, security policy, access mode, mutual TLS,
routing mode, policies, address type.

What Tidegate would not enforce is refused by name. Source: *Custom domain names for REST APIs*, *Choose a security policy for
your custom domain*; shared facts, endpoints-domains §3, §5, §6, §9 and §10.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from tidegate.control.patch import bad_request
from tidegate.definition.json_text import decode_object

DEFAULT_POLICY = "TLS_1_2"
DEFAULT_ROUTING = "BASE_PATH_MAPPING_ONLY"
_LEGACY_POLICIES = ("TLS_1_0", "TLS_1_2")
_ROUTING_MODES = (DEFAULT_ROUTING, "ROUTING_RULE_ONLY", "ROUTING_RULE_THEN_BASE_PATH_MAPPING")
_NAME = re.compile(r"(?:\*\.)?(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z](?:[a-z0-9-]{0,61}[a-z0-9])?")
_LONGEST_NAME = 253
_AWS_HOSTS = re.compile(r"(?:.*\.)?execute-api\..*|.*\.amazonaws\.com(?:\.cn)?")
_TRUSTSTORE = re.compile(r"s3://[^/]+/.+")


def check_name(name: str, kind: str) -> None:
    if len(name) > _LONGEST_NAME or not _NAME.fullmatch(name):
        raise bad_request(f"Invalid domain name specified: {name}")
    if kind == "PRIVATE" and name.startswith("*"):
        raise bad_request("Wildcard custom domain names are not supported for private custom domain names")
    if _AWS_HOSTS.fullmatch(name):
        # The gateway tells APIs and the management API from custom domains by the host: these names are taken.
        raise bad_request(f"Invalid domain name specified: {name}")


def check_types(types: list[str]) -> None:
    """Of a domain that is made; only a migration has two."""
    if not types:
        raise bad_request("REGIONAL Configuration and EDGE Configuration cannot be both DISABLED.")
    if any(kind not in ("EDGE", "REGIONAL", "PRIVATE") for kind in types):
        raise bad_request("Invalid EndpointTypes specified. Valid options are REGIONAL,EDGE,PRIVATE")
    if len(types) > 1:
        raise bad_request("Cannot create a domain name with multiple Endpoint Types.")


def check_address_type(address: str | None, types: list[str]) -> None:
    """Recorded only: which addresses are listened on, the operator decides for all domains (`--listen`)."""
    if address not in ("ipv4", "dualstack"):
        raise bad_request("ipAddressType must be either ipv4 or dualstack.")
    if types == ["PRIVATE"] and address != "dualstack":
        raise bad_request("Only dualstack ipAddressType is supported for private domain names.")


def check_security(policy: str | None, mode: str | None, types: list[str]) -> None:
    """TLS_1_0 and TLS_1_2 are recorded only: which protocols are spoken, whoever ends TLS decides, for all domains alike."""
    if policy is not None and policy.startswith("SecurityPolicy_"):
        if policy.endswith("_EDGE") != (types == ["EDGE"]):
            raise bad_request(f"The security policy {policy} is not supported for the endpoint type {types[0]}")
        if not mode:
            raise bad_request("Endpoint access mode is required for the specified security policy")
        raise bad_request(f"Tidegate does not support the security policy {policy} yet")
    if policy not in _LEGACY_POLICIES:
        raise bad_request(f"Invalid security policy specified: {policy}")
    if types == ["PRIVATE"] and policy != DEFAULT_POLICY:
        raise bad_request(f"The security policy {policy} is not supported for the endpoint type PRIVATE")
    if mode:
        # AWS: an access mode goes with policies that begin with SecurityPolicy_ only.
        raise bad_request("/endpointAccessMode Invalid request input")


def check_mutual_tls(given: Mapping[str, str | None] | None, types: list[str]) -> None:
    if not given or not any(given.values()):
        return
    if types != ["REGIONAL"]:
        raise bad_request("Mutual TLS is only supported for domain names with the endpoint type REGIONAL")
    uri = given.get("truststore_uri")
    if not uri or not _TRUSTSTORE.fullmatch(uri):
        raise bad_request(f"Invalid truststoreUri specified: {uri}. It must be of the form s3://bucket-name/key-name")
    raise bad_request("Tidegate does not support mutual TLS yet")


def check_routing(mode: str | None) -> None:
    if mode not in _ROUTING_MODES:
        raise bad_request(f"Invalid routing mode specified: {mode}. Must be one of: [{', '.join(_ROUTING_MODES)}]")
    if mode != DEFAULT_ROUTING:
        raise bad_request(f"Tidegate does not support the routing mode {mode} yet")


def check_policy(text: str | None, what: str, types: list[str]) -> None:
    """Recorded only, as the whole private domain is: nothing is served by it yet."""
    if not text:
        return
    if types != ["PRIVATE"]:
        raise bad_request(f"{what} is only supported for private custom domain names")
    document = decode_object(text)
    if document is None or "Statement" not in document:
        raise bad_request(f"Invalid policy document specified for {what}")
