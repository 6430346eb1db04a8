"""ImportApiKeys: a file of keys, as comma-separated values.

What is wrong with one line is a warning, and the line is left out; with `failonwarnings` the first makes the whole import
fail. Source: *API Gateway API key file format*, *ImportApiKeys*.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from tidegate.aws.model import Params
from tidegate.control.apigateway.api_keys import add_key, check_name, check_value, find_by_value
from tidegate.control.apigateway.lookup import get_key, get_plan
from tidegate.control.apigateway.usage_plan_keys import add_to_plan
from tidegate.control.context import Context
from tidegate.control.patch import bad_request
from tidegate.core.errors import ControlError

_REQUIRED = ("name", "key")


def import_api_keys(context: Context, params: Params) -> dict[str, Any]:
    ids: list[str] = []
    warnings: list[str] = []
    for number, row in _rows(params["body"]):
        try:
            key_id = _import(context, row)
            ids.extend([] if key_id in ids else [key_id])
            _join_plans(context, key_id, row.get("usageplanids") or "")
        except ControlError as problem:
            warnings.append(f"Line {number}: {problem.message}")
    if warnings and params.get("fail_on_warnings"):
        raise bad_request("; ".join(warnings))
    return {"ids": ids, "warnings": warnings}


def _rows(body: bytes) -> Iterator[tuple[int, Mapping[str, str]]]:
    """Each line with its number and its fields by column, in lower case."""
    try:
        lines = body.decode("utf-8-sig").splitlines()
    except UnicodeDecodeError:
        raise bad_request("The file of API keys must be encoded in UTF-8") from None
    numbered = [(number, _fields(line)) for number, line in enumerate(lines, 1) if line.strip()]
    columns = [column.lower() for column in numbered[0][1]] if numbered else []
    if missing := [column for column in _REQUIRED if column not in columns]:
        raise bad_request(f"The file of API keys has no column {missing[0].capitalize()}")
    for number, fields in numbered[1:]:
        yield number, dict(zip(columns, fields, strict=False))


def _fields(line: str) -> list[str]:
    """AWS: a field with commas stands between double quotes or single ones."""
    quote = '"' if '"' in line else "'"
    try:
        return [field.strip() for field in next(csv.reader([line], quotechar=quote, skipinitialspace=True))]
    except csv.Error as error:
        raise bad_request(f"The file of API keys cannot be read: {error}") from None


def _import(context: Context, row: Mapping[str, str]) -> str:
    """Add a key, or overwrite what the key with this value is called. Gives its id."""
    value, name = row.get("key") or "", row.get("name") or ""
    check_value(value)
    check_name(name)
    enabled = (row.get("enabled") or "true").lower() == "true"
    members: dict[str, Any] = {"name": name, "description": row.get("description") or "", "enabled": enabled}
    known = find_by_value(context, value)
    if known is None:
        return add_key(context, value, **members).id
    context.tx.put(replace(known, **members, last_updated_date=int(context.clock.time())))
    return known.id


def _join_plans(context: Context, key_id: str, plan_ids: str) -> None:
    for plan_id in filter(None, (part.strip() for part in plan_ids.split(","))):
        plan, key = get_plan(context, plan_id), get_key(context, key_id)
        if plan.id not in key.usage_plan_ids:
            add_to_plan(context, plan, key)


OPERATIONS = {"ImportApiKeys": import_api_keys}
