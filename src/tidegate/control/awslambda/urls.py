"""Function URLs: an address of its own for a function or an alias.

Source: *CreateFunctionUrlConfig* and its kin. Not here: serving them (gateway.function_urls).
"""

from __future__ import annotations

from dataclasses import asdict, fields, replace
from typing import Any
from urllib.parse import urlsplit

from tidegate.aws.model import Params
from tidegate.aws.rest import Answer
from tidegate.control.awslambda.lookup import (
    conflict,
    function_missing,
    get_function_record,
    get_invocable,
    not_found,
    page,
    read_target,
)
from tidegate.control.context import Context
from tidegate.core.arns import function_arn
from tidegate.definition.records import LATEST, FunctionUrl, FunctionVersion, UrlCors

_MISSING = "The resource you requested does not exist."


def _shown(context: Context, url: FunctionUrl) -> dict[str, Any]:
    here = urlsplit(context.base_url)
    port = f":{here.port}" if here.port else ""
    return {
        "function_url": f"{here.scheme}://{url.url_id}.lambda-url.{context.scope.region}.localhost{port}/",
        "function_arn": url.function_arn,
        "auth_type": url.auth_type,
        "cors": None if url.cors is None else asdict(url.cors),
        "creation_time": url.creation_time,
        "last_modified_time": url.last_modified_time,
        "invoke_mode": url.invoke_mode,
    }


def _place(context: Context, params: Params) -> tuple[str, str]:
    """Function and qualifier, `$LATEST` for none. Raises ControlError when there is no such function or alias."""
    name, qualifier = read_target(context, params)
    if isinstance(get_invocable(context, params), FunctionVersion):
        raise function_missing(context, name, qualifier)
    return name, qualifier or LATEST


def _get(context: Context, params: Params) -> FunctionUrl:
    url = context.tx.get(FunctionUrl, *_place(context, params))
    if url is None:
        raise not_found(_MISSING)
    return url


def _cors(given: Params | None) -> UrlCors | None:
    if not given:
        return None
    return UrlCors(**{field.name: given.get(field.name) for field in fields(UrlCors)})


def _now(context: Context) -> str:
    # AWS: unlike those of functions, these times have microseconds and a Z.
    return context.clock.now().strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def create_url(context: Context, params: Params) -> dict[str, Any]:
    name, qualifier = _place(context, params)
    arn = function_arn(context.scope.region, context.scope.account, name, None if qualifier == LATEST else qualifier)
    if context.tx.get(FunctionUrl, name, qualifier) is not None:
        raise conflict(
            f"Failed to create function url config for [functionArn = {arn}]. Error message:  FunctionUrlConfig exists for "
            "this Lambda function"
        )
    url = FunctionUrl(
        function_name=name,
        qualifier=qualifier,
        url_id=context.ids.token_hex(32),
        function_arn=arn,
        auth_type=params["auth_type"],
        invoke_mode=params.get("invoke_mode") or "BUFFERED",
        cors=_cors(params.get("cors")),
        creation_time=_now(context),
        last_modified_time=_now(context),
    )
    context.tx.put(url)
    return _shown(context, url)


def get_url(context: Context, params: Params) -> dict[str, Any]:
    return _shown(context, _get(context, params))


def update_url(context: Context, params: Params) -> dict[str, Any]:
    url = _get(context, params)
    changes: dict[str, Any] = {}
    if params.get("auth_type"):
        changes["auth_type"] = params["auth_type"]
    if params.get("invoke_mode"):
        changes["invoke_mode"] = params["invoke_mode"]
    if params.get("cors") is not None:
        changes["cors"] = _cors(params["cors"])
    changed = replace(url, last_modified_time=_now(context), **changes)
    context.tx.put(changed)
    return _shown(context, changed)


def delete_url(context: Context, params: Params) -> Answer:
    url = _get(context, params)
    context.tx.delete(FunctionUrl, *url.key)
    return Answer(b"", status=204)


def list_urls(context: Context, params: Params) -> dict[str, Any]:
    function = get_function_record(context, params)
    urls = [_shown(context, url) for url in context.tx.list(FunctionUrl, function.function_name)]
    found, marker = page(urls, params, lambda one: str(one["function_arn"]))
    return {"function_url_configs": found, "next_marker": marker}


OPERATIONS = {
    "CreateFunctionUrlConfig": create_url,
    "GetFunctionUrlConfig": get_url,
    "UpdateFunctionUrlConfig": update_url,
    "DeleteFunctionUrlConfig": delete_url,
    "ListFunctionUrlConfigs": list_urls,
}
