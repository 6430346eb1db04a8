"""Ids: their forms, and that none comes twice."""

from __future__ import annotations

import re

from tidegate.core.ids import Ids


def test_forms() -> None:
    ids = Ids(seed=1)
    assert re.fullmatch(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-a[0-9a-f]{3}-[0-9a-f]{12}", ids.request_id())
    assert re.fullmatch(r"[0-9a-z]{10}", ids.api_id())
    assert re.fullmatch(r"[0-9a-z]{6}", ids.child_id())
    assert re.fullmatch(r"[0-9a-f]{15}=", ids.extended_request_id())


def test_a_request_s_ids() -> None:
    ids = Ids(seed=1)
    drawn = [ids.for_request(0x6B04A53D) for _ in range(1000)]
    for request_id, extended, root in drawn:
        assert re.fullmatch(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-a[0-9a-f]{3}-[0-9a-f]{12}", request_id)
        assert re.fullmatch(r"[0-9a-f]{15}=", extended)
        assert re.fullmatch(r"1-6b04a53d-[0-9a-f]{24}", root)
    for one in zip(*drawn, strict=True):
        assert len(set(one)) == 1000
