"""Token buckets in this process: the rate refills, the burst is the size. Source: *Throttle requests to your REST APIs*."""

from __future__ import annotations

from collections.abc import Callable


class _Bucket:
    __slots__ = ("seen_ns", "tokens")

    def __init__(self, tokens: float, seen_ns: int) -> None:
        self.tokens = tokens
        self.seen_ns = seen_ns


class MemoryLimiter:
    """Buckets by key, made when first asked for. A change of rate or burst keeps the tokens that are left."""

    __slots__ = ("_buckets", "_ticks_ns")

    def __init__(self, ticks_ns: Callable[[], int]) -> None:
        self._buckets: dict[str, _Bucket] = {}
        self._ticks_ns = ticks_ns

    def take(self, key: str, rate: float, burst: int) -> bool:
        """Take one token. `rate` in tokens a second. False: there is none."""
        now = self._ticks_ns()
        bucket = self._buckets.get(key)
        if bucket is None:
            bucket = self._buckets[key] = _Bucket(burst, now)
        tokens = min(burst, bucket.tokens + (now - bucket.seen_ns) * rate / 1e9)
        bucket.seen_ns = now
        if tokens < 1:
            bucket.tokens = tokens
            return False
        bucket.tokens = tokens - 1
        return True

    def forget(self, prefix: str) -> None:
        """Drop the buckets whose keys begin so: their stage is gone."""
        for key in [key for key in self._buckets if key.startswith(prefix)]:
            del self._buckets[key]
