"""Pagination as API Gateway does it: `limit` and an opaque `position`."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from tidegate.aws.model import Params
from tidegate.core.errors import ControlError

T = TypeVar("T")


def page(items: Sequence[T], params: Params, key: Callable[[T], str]) -> dict[str, Any]:
    """One page of items that are sorted by `key`; a position names the last item that was given out."""
    limit = params.get("limit")
    limit = 25 if limit is None else limit
    if not 1 <= limit <= 500:
        # AWS: out of range values are clamped rather than refused.
        limit = min(max(limit, 1), 500)
    after = _decode(params.get("position"))
    rest = [item for item in items if after is None or key(item) > after]
    shown = rest[:limit]
    result: dict[str, Any] = {"items": shown}
    if len(rest) > limit:
        result["position"] = base64.urlsafe_b64encode(key(shown[-1]).encode()).decode()
    return result


def _decode(position: str | None) -> str | None:
    if not position:
        return None
    try:
        return base64.urlsafe_b64decode(position).decode()
    except (binascii.Error, UnicodeDecodeError, ValueError):
        raise ControlError("BadRequestException", "Invalid position parameter") from None
