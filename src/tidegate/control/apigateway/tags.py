"""Tags of REST APIs and stages. Source: *Tagging your API Gateway resources*; shared facts, rest-control-plane §8."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

from tidegate.aws.model import Params
from tidegate.control.apigateway.lookup import get_api, get_stage, not_found
from tidegate.control.context import Context
from tidegate.control.patch import bad_request
from tidegate.definition.records import RestApi, Stage

_ARN = re.compile(r"arn:aws[\w-]*:apigateway:[\w-]*::/restapis/([^/]+)(?:/stages/([^/]+))?")
_MOST = 50


def _tagged(context: Context, arn: str) -> RestApi | Stage:
    found = _ARN.fullmatch(arn)
    if found is None:
        raise not_found(f"Invalid resource ARN specified {arn}")
    return get_stage(context, found[1], found[2]) if found[2] else get_api(context, found[1])


def get_tags(context: Context, params: Params) -> dict[str, Any]:
    return {"tags": _tagged(context, params["resource_arn"]).tags or {}}


def tag_resource(context: Context, params: Params) -> None:
    record = _tagged(context, params["resource_arn"])
    tags = {**(record.tags or {}), **params["tags"]}
    for name, value in params["tags"].items():
        if name.startswith("aws:") or not 1 <= len(name) <= 128 or len(value) > 256:
            raise bad_request(f"Invalid tag: {name}")
    if len(tags) > _MOST:
        raise bad_request(f"Too many tags: at most {_MOST} are allowed")
    context.tx.put(replace(record, tags=tags))


def untag_resource(context: Context, params: Params) -> None:
    record = _tagged(context, params["resource_arn"])
    tags = {name: value for name, value in (record.tags or {}).items() if name not in params["tag_keys"]}
    context.tx.put(replace(record, tags=tags))


OPERATIONS = {"GetTags": get_tags, "TagResource": tag_resource, "UntagResource": untag_resource}
