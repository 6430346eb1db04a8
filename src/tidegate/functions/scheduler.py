"""Which worker runs which invocation, and when a further worker is started: decisions only, no processes, no clock.

Not here: starting, killing, deadlines (pool); the words *group*, *slot* and *ticket* (slots).

    acquire ─▶ an idle slot (the last used first, so that the others get old and are reaped), or the group's queue (FIFO)
    ready   ─▶ the oldest waiter, or idle
    starts  ─▶ a further slot for a group that has none, or whose oldest waiter has waited longer than `patience`:
               a fast function stays on few processes. All of it within `limits`; where the total is spent, the longest
               idle slot of another group makes room, and a busy group gives way to one that has nothing at all.
    provision ─▶ slots that a group keeps however little it has to do: started ahead of any ticket, never stopped to make
               room, used before the group's others. One slot of all may not be kept, so that nobody waits for ever.
"""

from __future__ import annotations

from collections import OrderedDict
from itertools import islice
from typing import Generic, TypeVar

from tidegate.functions.slots import Group, Limits, Orders, Phase, QueueFull, Slot

T = TypeVar("T")

_SATURATED_PATIENCE = 10


class Scheduler(Generic[T]):
    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._hungry: OrderedDict[Group[T], None] = OrderedDict()
        """Groups with waiters; the one at the front gets the next start."""
        self._groups: set[Group[T]] = set()
        """Groups with slots."""
        self._short: dict[Group[T], None] = {}
        """Groups that keep fewer slots than they are to."""
        self.total = 0
        self.starting = 0
        self.kept = 0
        self.provisioning = True
        """False: no slot is started ahead of a ticket yet."""

    @property
    def hungry(self) -> bool:
        return bool(self._hungry)

    @property
    def short(self) -> bool:
        """Whether slots are to be started ahead of tickets."""
        return self.provisioning and bool(self._short)

    def acquire(self, group: Group[T], ticket: T, now: float) -> Slot[T] | None:
        """A slot that runs the ticket at once, or None: it waits. Raises QueueFull."""
        if group.idle:
            slot = group.idle.pop()
            slot.phase = Phase.BUSY
            slot.ticket = ticket
            return slot
        if len(group.waiting) >= self._limits.queue:
            raise QueueFull
        if not group.waiting:
            group.hungry_since = now
            self._hungry[group] = None
        group.waiting[ticket] = now
        return None

    def provision(self, group: Group[T], keep: int) -> list[Slot[T]]:
        """Have the group keep so many slots from now on. Gives back those to stop; busy ones go on like any other."""
        group.keep = keep
        group.resume_at = 0.0
        self._remember_short(group)
        surplus = sorted((slot for slot in group.slots if slot.kept), key=lambda slot: slot.phase is Phase.BUSY)
        stop = []
        for slot in surplus[: max(0, group.kept - keep)]:
            if slot.phase is Phase.BUSY:
                self._let_go(slot)
            else:
                self.gone(slot)
                stop.append(slot)
        return stop

    def cancel(self, group: Group[T], ticket: T) -> bool:
        """Take a ticket out of the queue; False when it does not wait (any more)."""
        if group.waiting.pop(ticket, None) is None:
            return False
        self._fed(group)
        return True

    def cancel_all(self) -> list[T]:
        """Nothing waits any more; gives back what did."""
        waiters = [ticket for group in self._hungry for ticket in group.waiting]
        for group in self._hungry:
            group.waiting.clear()
        self._hungry.clear()
        return waiters

    def answered(self, slot: Slot[T]) -> T | None:
        """Its invocation has ended; gives back the ticket."""
        ticket, slot.ticket = slot.ticket, None
        if slot.phase is Phase.BUSY:
            slot.phase = Phase.SETTLING
        return ticket

    def ready(self, slot: Slot[T], now: float) -> T | None:
        """The worker asks for work. A ticket to run now; or None, and then `slot.phase` says IDLE, or GONE: stop it."""
        group = slot.group
        if slot.phase is Phase.STARTING:
            self._started(slot)
            slot.phase = Phase.SETTLING
        if group.retired or (not slot.kept and self.total >= self._limits.total and self._must_yield(group, now)):
            self.gone(slot)
            return None
        if group.waiting:
            slot.phase = Phase.BUSY
            slot.ticket = self._take(group)
            return slot.ticket
        slot.phase = Phase.IDLE
        slot.idle_since = now
        if slot.kept or not group.kept:
            group.idle.append(slot)
        else:
            group.idle.insert(sum(not other.kept for other in group.idle), slot)
        return None

    def unready(self, slot: Slot[T]) -> None:
        """An idle worker does not wait any more."""
        if slot.phase is Phase.IDLE:
            slot.group.idle.remove(slot)
            slot.phase = Phase.SETTLING

    def gone(self, slot: Slot[T]) -> T | None:
        """The worker has ended or is being ended. Gives back what it ran. May be told twice."""
        if slot.phase is Phase.GONE:
            return None
        self.unready(slot)
        if slot.phase is Phase.STARTING:
            self._started(slot)
        slot.phase = Phase.GONE
        del slot.group.slots[slot]
        self.total -= 1
        if slot.kept:
            self._let_go(slot)
        if not slot.group.slots:
            self._groups.discard(slot.group)
        ticket, slot.ticket = slot.ticket, None
        return ticket

    def start_failed(self, slot: Slot[T]) -> T | None:
        """A starting worker has ended. Gives back the oldest waiter, which gets to know why."""
        self.gone(slot)
        return self._take(slot.group) if slot.group.waiting else None

    def start_again(self, slot: Slot[T]) -> Slot[T]:
        """In place of a starting worker a new one starts, whatever the limits: the number stays."""
        group, kept = slot.group, slot.kept
        self.gone(slot)
        return self._new(group, kept=kept)

    def retire(self, group: Group[T], successor: Group[T] | None, now: float) -> tuple[list[Slot[T]], list[T]]:
        """The group ends. Slots to stop now, and waiters that no successor takes over.

        A successor is new and empty; whoever waits keeps the place in the queue.
        """
        group.retired = True
        self._short.pop(group, None)
        stop = [slot for slot in group.slots if slot.phase is not Phase.BUSY]
        for slot in stop:
            self.gone(slot)
        waiters = list(group.waiting)
        if successor is not None and waiters:
            successor.waiting.update(group.waiting)
            successor.hungry_since = group.hungry_since
            self._hungry[successor] = None
        group.waiting.clear()
        self._fed(group)
        return stop, [] if successor is not None else waiters

    def starts(self, now: float, *, saturated: bool = False) -> Orders[T]:
        """To be asked when a ticket was queued, when a slot is gone or idle, and every `patience` while there is hunger.

        `saturated`: the processors have nothing to spare. Then a group with `eager` slots has ten times the patience, since
        its invocations wait for processor time, and more slots would not give them any.
        """
        orders: Orders[T] = Orders([], [])
        for group in list(self._hungry):
            while self.starting < self._limits.starting and self._wants(group, now, saturated):
                if self.total >= self._limits.total:
                    victim = self._longest_idle(group)
                    if victim is None:
                        break
                    self.gone(victim)
                    orders.stop.append(victim)
                orders.start.append(self._new(group))
                self._hungry.move_to_end(group)
        if self.short:
            self._provide(orders, now)
        return orders

    def _provide(self, orders: Orders[T], now: float) -> None:
        """Start what groups are to keep and do not have."""
        for group in list(self._short):
            while self.starting < self._limits.starting and self._lacks(group, now):
                if self.total >= self._limits.total:
                    victim = self._longest_idle(None)
                    if victim is None:
                        return
                    self.gone(victim)
                    orders.stop.append(victim)
                orders.start.append(self._new(group, kept=True))
            self._remember_short(group)

    def _lacks(self, group: Group[T], now: float) -> bool:
        return (
            group.kept < group.keep
            and now >= group.resume_at
            and self.kept < self._limits.total - 1
            and len(group.slots) < self._most(group)
        )

    def _wants(self, group: Group[T], now: float, saturated: bool) -> bool:
        if len(group.slots) >= self._most(group):
            return False
        if not group.slots:
            return True
        if self._under_pressure(group, now):
            return True
        # Each start that is under way is for one overdue waiter: is there one more?
        since = next(islice(group.waiting.values(), group.starting, None), None)
        hopeless = saturated and len(group.slots) >= self._limits.eager
        patience = self._limits.patience * (_SATURATED_PATIENCE if hopeless else 1)
        return since is not None and now - since >= patience

    def _most(self, group: Group[T]) -> int:
        return self._limits.per_group if group.most is None else group.most

    def _under_pressure(self, group: Group[T], now: float) -> bool:
        size = len(group.slots)
        return (
            group.starting == 0
            and size < self._limits.eager
            and size < len(group.waiting)
            and now - group.hungry_since >= self._limits.patience
        )

    def _must_yield(self, group: Group[T], now: float) -> bool:
        """Another group has waited long enough and has no slot to hope for, and nothing idle could make room."""
        starving = any(
            other is not group and not other.slots and now - next(iter(other.waiting.values())) >= self._limits.patience
            for other in self._hungry
        )
        return starving and self._longest_idle(None) is None

    def _longest_idle(self, beneficiary: Group[T] | None) -> Slot[T] | None:
        """Idle lists are last in, first out: the first of each is its oldest."""
        oldest = [group.idle[0] for group in self._groups if group.idle and group is not beneficiary]
        return min((slot for slot in oldest if not slot.kept), key=lambda slot: slot.idle_since, default=None)

    def _new(self, group: Group[T], *, kept: bool = False) -> Slot[T]:
        slot = Slot(group, kept=kept)
        if kept:
            group.kept += 1
            self.kept += 1
        group.slots[slot] = None
        self._groups.add(group)
        group.starting += 1
        self.starting += 1
        self.total += 1
        return slot

    def _let_go(self, slot: Slot[T]) -> None:
        slot.kept = False
        slot.group.kept -= 1
        self.kept -= 1
        self._remember_short(slot.group)

    def _remember_short(self, group: Group[T]) -> None:
        if group.kept < group.keep and not group.retired:
            self._short[group] = None
        else:
            self._short.pop(group, None)

    def _started(self, slot: Slot[T]) -> None:
        slot.group.starting -= 1
        self.starting -= 1

    def _take(self, group: Group[T]) -> T:
        ticket, _ = group.waiting.popitem(last=False)
        self._fed(group)
        return ticket

    def _fed(self, group: Group[T]) -> None:
        if not group.waiting:
            self._hungry.pop(group, None)
