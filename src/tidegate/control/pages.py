"""Pagination as API Gateway does it: `limit` and an opaque `position`."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from tidegate.aws.model import Params
from tidegate.core.errors import ControlError
from tidegate.definition.records import Record
from tidegate.definition.store import Transaction

T = TypeVar("T")
R = TypeVar("R", bound=Record)

_BETWEEN = "\x1f"
"""Between the parts of a key in a position; no id or name may hold it."""


def page(items: Sequence[T], params: Params, key: Callable[[T], str]) -> dict[str, Any]:
    """One page of items that are sorted by `key`; a position names the last item that was given out."""
    limit, after = _limit(params), _decode(params.get("position"))
    rest = [item for item in items if after is None or key(item) > after]
    return _result(rest[: limit + 1], limit, key)


def stored_page(tx: Transaction, kind: type[R], params: Params, *key_prefix: str) -> dict[str, Any]:
    """One page of stored records in the order of their ids (the last part of their key); costs the page, not the whole."""
    limit, after = _limit(params), _decode(params.get("position"))
    found = tx.page(kind, *key_prefix, after=None if after is None else (*key_prefix, after), limit=limit + 1)
    return _result(found, limit, lambda record: record.key[-1])


def matching_page(
    tx: Transaction, kind: type[R], params: Params, show: Callable[[R], T | None], *key_prefix: str
) -> dict[str, Any]:
    """One page of what `show` makes of stored records, in the order of their keys; those of which it makes None are passed
    over. A position names all of a key behind the prefix."""
    limit, position = _limit(params), _decode(params.get("position"))
    after = None if position is None else (*key_prefix, *position.split(_BETWEEN))
    found: list[tuple[str, T]] = []
    while len(found) <= limit:
        records = tx.page(kind, *key_prefix, after=after, limit=limit + 1)
        shown = ((_BETWEEN.join(record.key[len(key_prefix) :]), show(record)) for record in records)
        found.extend((place, item) for place, item in shown if item is not None)
        if len(records) <= limit:
            break
        after = records[-1].key
    page = _result(found[: limit + 1], limit, lambda item: item[0])
    return {**page, "items": [shown for _, shown in page["items"]]}


def _limit(params: Params) -> int:
    limit = params.get("limit")
    # AWS: out of range values are clamped rather than refused.
    return 25 if limit is None else min(max(int(limit), 1), 500)


def _result(found: Sequence[T], limit: int, key: Callable[[T], str]) -> dict[str, Any]:
    """`found`: one item more than the limit when there is more to come."""
    shown = found[:limit]
    result: dict[str, Any] = {"items": shown}
    if len(found) > limit:
        result["position"] = base64.urlsafe_b64encode(key(shown[-1]).encode()).decode()
    return result


def _decode(position: str | None) -> str | None:
    if not position:
        return None
    try:
        return base64.b64decode(position, altchars=b"-_", validate=True).decode()
    except (binascii.Error, UnicodeDecodeError, ValueError):
        raise ControlError("BadRequestException", "Invalid position parameter") from None
