"""Guessing is slowed down: passwords and codes that were wrong, and challenges that were answered, are remembered for a while.

AWS (*Lockout behavior for failed sign-in attempts*): after five wrong passwords a user is locked for a second, and for twice as
long at every further one, up to about fifteen minutes; what comes during a lock counts for nothing. Kept in memory, by node:
a restart forgets it. Codes get five guesses each.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tidegate.core.errors import ControlError

_FREE = 5
_LONGEST_LOCK = 900.0
_FORGET = 900.0
_MOST = 100_000
"""Users remembered; names come from clients, so the memory has a bound."""
_CODE_GUESSES = 5
_CODES_AN_HOUR, _HOUR = 20, 3600.0
"""AWS: a user may ask for five to twenty codes an hour; else new codes would mean new guesses without end."""


@dataclass(slots=True)
class _Failures:
    count: int = 0
    locked_until: float = 0.0
    last: float = 0.0


class Attempts:
    """Used from the management thread only."""

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._passwords: OrderedDict[tuple[str, str], _Failures] = OrderedDict()
        self._codes: OrderedDict[str, tuple[int, float]] = OrderedDict()

    def check_password(self, pool_id: str, name: str) -> None:
        """Raises ControlError while a user is locked."""
        failures = self._passwords.get((pool_id, name))
        if failures is not None and self._now() < failures.locked_until:
            raise ControlError("NotAuthorizedException", "Password attempts exceeded")

    def wrong_password(self, pool_id: str, name: str) -> None:
        failures = self._passwords.setdefault((pool_id, name), _Failures())
        self._passwords.move_to_end((pool_id, name))
        now = self._now()
        if now - failures.last > _FORGET:
            failures.count = 0
        failures.count, failures.last = failures.count + 1, now
        if failures.count >= _FREE:
            failures.locked_until = now + min(2.0 ** min(failures.count - _FREE, 10), _LONGEST_LOCK)
        _trim(self._passwords)

    def right_password(self, pool_id: str, name: str) -> None:
        self._passwords.pop((pool_id, name), None)

    def check_code(self, digest: str) -> None:
        """Raises ControlError once a code has been guessed at too often. `digest`: the code's own."""
        if self._codes.get(digest, (0, 0.0))[0] >= _CODE_GUESSES:
            raise _limit()

    def wrong_code(self, digest: str) -> None:
        self._count(digest)

    def check_sending(self, pool_id: str, name: str) -> None:
        """Counts a code that is about to be sent. Raises ControlError when the hour has had its share."""
        if self._count(f"{pool_id}/{name}") > _CODES_AN_HOUR:
            raise _limit()

    def _count(self, key: str) -> int:
        now = self._now()
        count, since = self._codes.get(key, (0, now))
        if now - since > _HOUR:
            count, since = 0, now
        self._codes[key] = (count + 1, since)
        self._codes.move_to_end(key)
        _trim(self._codes)
        return count + 1

    def clear(self) -> None:
        self._passwords.clear()
        self._codes.clear()


class Spent:
    """Things that are good once: until they would have ended anyway."""

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._until: OrderedDict[str, float] = OrderedDict()

    def spend(self, name: str, until: float) -> bool:
        """Whether this is its first use."""
        now = self._now()
        while self._until and next(iter(self._until.values())) < now:
            self._until.popitem(last=False)
        if name in self._until:
            return False
        self._until[name] = until
        _trim(self._until)
        return True


def _limit() -> ControlError:
    return ControlError("LimitExceededException", "Attempt limit exceeded, please try after some time.")


def _trim(memory: OrderedDict[Any, Any]) -> None:
    while len(memory) > _MOST:
        memory.popitem(last=False)
