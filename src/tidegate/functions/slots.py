"""What the scheduler keeps account of: groups of slots, what each slot is at, and the limits of all.

A *group* is one function version, a *slot* one worker of it, a *ticket* one invocation; tickets are compared by identity and
never looked into. Not here: what is decided (scheduler).
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from enum import Enum, auto
from typing import Generic, TypeVar

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Limits:
    per_group: int
    total: int
    starting: int
    """How many may be starting at once, in all: the machine's cores."""
    queue: int
    """Waiting invocations of one group."""
    patience: float
    """Seconds that an invocation waits before it is worth a further worker."""
    eager: int = 1
    """Up to so many slots, a group whose queue has not been empty for `patience` grows too, one by one, while more wait than
    run: a fast function under constant load, whose invocations each wait only briefly. A few times the machine's cores."""


class Phase(Enum):
    STARTING = auto()
    IDLE = auto()
    BUSY = auto()
    SETTLING = auto()
    """Has answered, and has not yet asked for more."""
    GONE = auto()


class QueueFull(Exception):
    """The group's queue is at its limit."""


class Slot(Generic[T]):
    """One worker."""

    __slots__ = ("group", "idle_since", "kept", "phase", "ticket")

    def __init__(self, group: Group[T], *, kept: bool = False) -> None:
        self.group = group
        self.kept = kept
        """True: it stays, whether there is work or not."""
        self.phase = Phase.STARTING
        self.ticket: T | None = None
        """What it runs; None unless BUSY."""
        self.idle_since = 0.0

    @property
    def gone(self) -> bool:
        return self.phase is Phase.GONE


class Group(Generic[T]):
    """One function version."""

    __slots__ = ("hungry_since", "idle", "keep", "kept", "most", "resume_at", "retired", "slots", "starting", "waiting")

    def __init__(self) -> None:
        self.idle: list[Slot[T]] = []
        """The next to be used last; those that are not kept first, the longest idle at the very front."""
        self.slots: dict[Slot[T], None] = {}
        self.starting = 0
        self.waiting: OrderedDict[T, float] = OrderedDict()
        """Ticket → since when."""
        self.hungry_since = 0.0
        """When the queue was last empty."""
        self.keep = 0
        """How many slots it is to keep."""
        self.kept = 0
        """How many it keeps, those that are starting included."""
        self.resume_at = 0.0
        """No kept slot is started before: the last one has failed."""
        self.most: int | None = None
        """Slots at most, where that differs from what all groups may have."""
        self.retired = False
        """True: takes nothing new, and its slots go when they have answered."""


@dataclass(frozen=True, slots=True)
class Orders(Generic[T]):
    """What `starts` decided. Both kinds are already accounted for."""

    start: list[Slot[T]]
    stop: list[Slot[T]]
