"""API keys and the usage plans that let them in: who a key is, and whether it may call a stage.

Brought up to date entry by entry as definitions change, so that a key works as soon as it is made and nothing is ever scanned.
Values are known by their SHA-256 only. Source: *Usage plans and API keys for REST APIs*; shared facts, access §6.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha256


@dataclass(frozen=True, slots=True)
class Rate:
    rate: float
    """Requests a second."""
    burst: int


@dataclass(frozen=True, slots=True)
class KeyEntry:
    id: str
    digest: str
    """SHA-256 of its value, hexadecimal."""
    enabled: bool
    plans: tuple[str, ...]
    """The usage plans that it is a member of."""


@dataclass(frozen=True, slots=True)
class PlanEntry:
    id: str
    throttle: Rate | None
    stages: Mapping[tuple[str, str], Mapping[str, Rate]] = field(default_factory=dict)
    """Limits of single methods, by `/path/VERB`, for each API stage (API id, stage name) of the plan."""


@dataclass(frozen=True, slots=True)
class Client:
    """An API key that may call a stage, by one of its plans."""

    key_id: str
    plan: PlanEntry
    methods: Mapping[str, Rate]


class KeyRing:
    """All keys and plans of all accounts. One look-up by hash finds a key, however many there are."""

    def __init__(self) -> None:
        self._keys: dict[str, KeyEntry] = {}
        self._by_digest: dict[str, KeyEntry] = {}
        self._plans: dict[str, PlanEntry] = {}

    def put_key(self, key_id: str, entry: KeyEntry | None) -> None:
        """None: the key is gone."""
        old = self._keys.pop(key_id, None)
        if old is not None:
            self._by_digest.pop(old.digest, None)
        if entry is not None:
            self._keys[key_id] = self._by_digest[entry.digest] = entry

    def put_plan(self, plan_id: str, entry: PlanEntry | None) -> None:
        """None: the plan is gone."""
        if entry is None:
            self._plans.pop(plan_id, None)
        else:
            self._plans[plan_id] = entry

    def clear(self) -> None:
        for entries in (self._keys, self._by_digest, self._plans):
            entries.clear()

    def find(self, value: bytes, stage: tuple[str, str]) -> Client | None:
        """Whose key it is; None: nobody's, or one that is disabled, or in no plan of the stage. `stage`: API id and name.

        What is compared is a hash of the value, so that the time which it takes tells nothing of any key.
        """
        entry = self._by_digest.get(sha256(value).hexdigest())
        if entry is None or not entry.enabled:
            return None
        for plan_id in entry.plans:
            plan = self._plans.get(plan_id)
            if plan is not None and (methods := plan.stages.get(stage)) is not None:
                return Client(entry.id, plan, methods)
        return None
