"""Log groups as declared. Those that functions make by writing have no record until somebody sets something on them."""

from __future__ import annotations

from dataclasses import dataclass

from tidegate.definition.records.base import Record


@dataclass(frozen=True, slots=True, kw_only=True)
class LogGroup(Record):
    KEY = ("name",)

    name: str
    creation_time: int
    """Milliseconds since the epoch."""
    retention_in_days: int | None = None
    tags: dict[str, str] | None = None
    log_group_class: str = "STANDARD"
