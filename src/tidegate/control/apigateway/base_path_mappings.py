"""BasePathMapping: which API and stage a custom domain serves below a base path.

Not here: choosing one for a request (plan.domains, gateway.front). Source: *CreateBasePathMapping* …
*DeleteBasePathMapping*, *Use API mappings to connect API stages to a custom domain name*; shared facts, endpoints-domains §8.
"""

from __future__ import annotations

import re
from typing import Any

from tidegate.aws.model import Params
from tidegate.control.apigateway.lookup import get_domain, get_mapping
from tidegate.control.context import Context
from tidegate.control.pages import stored_page
from tidegate.control.patch import Draft, PatchOp, bad_request, patch, rule, table, text
from tidegate.core.errors import ControlError
from tidegate.definition.records import BasePathMapping, DomainName, MappedApi, RestApi, Stage

EMPTY = "(none)"
_BASE_PATH = re.compile(r"[A-Za-z0-9$\-_.+!*'()]{1,300}")
_RESERVED = ("ping", "sping")


def create_base_path_mapping(context: Context, params: Params) -> BasePathMapping:
    domain = get_domain(context, params["domain_name"], params.get("domain_name_id"))
    if domain.domain_name_id:
        raise bad_request("Tidegate does not support base path mappings of private domain names yet")
    mapping = BasePathMapping(
        domain_name=domain.domain_name,
        base_path=params.get("base_path") or EMPTY,
        rest_api_id=params["rest_api_id"],
        stage=_stage_or_none(params.get("stage")),
    )
    _put(context, mapping, before=None)
    return mapping


def _stage_or_none(name: str | None) -> str | None:
    """AWS: `(none)` lets the callers name the stage, as leaving it out does."""
    return None if name in (None, "", EMPTY) else name


def _put(context: Context, mapping: BasePathMapping, before: BasePathMapping | None) -> None:
    """Check and store a mapping, and keep what finds it by its API in step."""
    if before is None or mapping.base_path != before.base_path:
        _check_base_path(mapping.base_path)
        if context.tx.get(BasePathMapping, *mapping.key) is not None:
            raise ControlError("ConflictException", "Base path already exists for this domain name", 409)
    if context.tx.get(RestApi, mapping.rest_api_id) is None:
        raise bad_request("Invalid REST API identifier specified")
    if mapping.stage is not None and context.tx.get(Stage, mapping.rest_api_id, mapping.stage) is None:
        raise bad_request("Invalid stage identifier specified")
    if before is not None:
        _remove(context, before)
    context.tx.put(mapping)
    context.tx.put(_mapped(mapping))


def _check_base_path(path: str) -> None:
    if "/" in path:
        raise bad_request(
            "API Gateway V1 doesn't support the slash character (/) in base path mappings. "
            "To create a multi-level base path mapping, use API Gateway V2."
        )
    if not _BASE_PATH.fullmatch(path):
        raise bad_request('A base path may only contain letters, numbers, and one of "$-_.+!*\'()"')
    if path in _RESERVED:
        raise bad_request(f"Base path {path} is reserved for health checks")


def _mapped(mapping: BasePathMapping) -> MappedApi:
    return MappedApi(
        api_id=mapping.rest_api_id,
        domain_name=mapping.domain_name,
        domain_name_id=mapping.domain_name_id,
        base_path=mapping.base_path,
        stage=mapping.stage,
    )


def _remove(context: Context, mapping: BasePathMapping) -> None:
    context.tx.delete(BasePathMapping, *mapping.key)
    context.tx.delete(MappedApi, *_mapped(mapping).key)


def get_base_path_mapping(context: Context, params: Params) -> BasePathMapping:
    domain = get_domain(context, params["domain_name"], params.get("domain_name_id"))
    return get_mapping(context, domain, params["base_path"] or EMPTY)


def get_base_path_mappings(context: Context, params: Params) -> dict[str, Any]:
    domain = get_domain(context, params["domain_name"], params.get("domain_name_id"))
    return stored_page(context.tx, BasePathMapping, params, *domain.key)


def update_base_path_mapping(context: Context, params: Params) -> BasePathMapping:
    before = get_base_path_mapping(context, params)
    mapping = patch(before, params.get("patch_operations"), RULES)
    _put(context, mapping, before)
    return mapping


def delete_base_path_mapping(context: Context, params: Params) -> None:
    _remove(context, get_base_path_mapping(context, params))


def forget_mappings(context: Context, domain: DomainName) -> None:
    """A domain is deleted: its mappings go with it."""
    for mapping in context.tx.list(BasePathMapping, *domain.key):
        _remove(context, mapping)


def refuse_while_mapped(context: Context, api_id: str, stage: str | None = None) -> None:
    """Raises ControlError while a domain serves an API, or the one stage of it."""
    places = [found for found in context.tx.list(MappedApi, api_id) if stage in (None, found.stage)]
    if places:
        what, name = ("RestApi", api_id) if stage is None else ("Stage", stage)
        domains = ", ".join(sorted({found.domain_name for found in places}))
        raise bad_request(
            f"Deleting {what} {name} failed. "
            f"Please remove all base path mappings related to the {what} in your domains: {domains}"
        )


def _base_path(draft: Draft, op: PatchOp) -> None:
    draft["base_path"] = op.value or EMPTY


def _stage(draft: Draft, op: PatchOp) -> None:
    draft["stage"] = _stage_or_none(op.value)


RULES = table(
    rule("/basepath", "replace", _base_path),
    # AWS: its table has `basepath`; Terraform sends `basePath`, and is understood.
    rule("/basePath", "replace", _base_path),
    rule("/restapiId", "replace", text("rest_api_id")),
    rule("/stage", "replace", _stage),
    listed="/basepath /restapiId /stage",
)

OPERATIONS = {
    "CreateBasePathMapping": create_base_path_mapping,
    "GetBasePathMapping": get_base_path_mapping,
    "GetBasePathMappings": get_base_path_mappings,
    "UpdateBasePathMapping": update_base_path_mapping,
    "DeleteBasePathMapping": delete_base_path_mapping,
}
