"""Stacks: templates that were deployed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tidegate.definition.records.base import Record


@dataclass(frozen=True, slots=True, kw_only=True)
class Stack(Record):
    """What `tidegate run` keeps of a template that it deployed; its shape is the deploy room's own."""

    KEY = ("name",)

    name: str
    state: dict[str, Any]
