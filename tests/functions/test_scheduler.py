"""The scheduler against random histories: no waiter lost, one invocation per worker, limits held, order kept."""

from __future__ import annotations

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from tidegate.functions.scheduler import Scheduler
from tidegate.functions.slots import Group, Limits, Phase, QueueFull, Slot

LIMITS = Limits(per_group=3, total=5, starting=2, queue=6, patience=10.0, eager=2)


class Ticket:
    def __init__(self, number: int) -> None:
        self.number = number


class Machine(RuleBasedStateMachine):
    """Groups come and go, workers do what workers do, time passes."""

    def __init__(self) -> None:
        super().__init__()
        self.scheduler: Scheduler[Ticket] = Scheduler(LIMITS)
        self.groups: list[Group[Ticket]] = [Group() for _ in range(3)]
        self.slots: list[Slot[Ticket]] = []
        self.running: dict[Slot[Ticket], Ticket] = {}
        self.waiting: list[list[Ticket]] = [[] for _ in self.groups]
        self.now = 0.0
        self.count = 0

    def pump(self, *, saturated: bool = False) -> None:
        orders = self.scheduler.starts(self.now, saturated=saturated)
        for slot in orders.stop:
            assert slot.gone
            assert slot not in self.running
        self.slots += orders.start
        self.slots = [slot for slot in self.slots if not slot.gone]

    def in_phase(self, *phases: Phase) -> list[Slot[Ticket]]:
        return [slot for slot in self.slots if slot.phase in phases]

    def index(self, slot: Slot[Ticket]) -> int:
        return next((i for i, group in enumerate(self.groups) if group is slot.group), -1)

    def runs(self, slot: Slot[Ticket], ticket: Ticket) -> None:
        assert slot not in self.running
        assert ticket not in self.running.values()
        assert slot.phase is Phase.BUSY
        self.running[slot] = ticket

    def is_oldest(self, slot: Slot[Ticket], ticket: Ticket) -> None:
        assert self.waiting[self.index(slot)].pop(0) is ticket

    @rule(index=st.integers(0, 2))
    def submit(self, index: int) -> None:
        self.count += 1
        ticket = Ticket(self.count)
        group = self.groups[index]
        try:
            slot = self.scheduler.acquire(group, ticket, self.now)
        except QueueFull:
            assert len(self.waiting[index]) == LIMITS.queue
            return
        if slot is None:
            self.waiting[index].append(ticket)
        else:
            assert not self.waiting[index], "nobody overtakes"
            self.runs(slot, ticket)
        self.pump()

    @rule(seconds=st.sampled_from([0.0, 5.0, 11.0]), saturated=st.booleans())
    def wait(self, seconds: float, saturated: bool) -> None:
        self.now += seconds
        self.pump(saturated=saturated)

    @precondition(lambda self: self.in_phase(Phase.STARTING, Phase.SETTLING))
    @rule(data=st.data())
    def ready(self, data: st.DataObject) -> None:
        slot = data.draw(st.sampled_from(self.in_phase(Phase.STARTING, Phase.SETTLING)))
        ticket = self.scheduler.ready(slot, self.now)
        if ticket is not None:
            self.is_oldest(slot, ticket)
            self.runs(slot, ticket)
        elif not slot.gone:
            assert not self.waiting[self.index(slot)]
        self.pump()

    @precondition(lambda self: self.running)
    @rule(data=st.data())
    def answer(self, data: st.DataObject) -> None:
        slot = data.draw(st.sampled_from(list(self.running)))
        assert self.scheduler.answered(slot) is self.running.pop(slot)

    @precondition(lambda self: self.slots)
    @rule(data=st.data())
    def die(self, data: st.DataObject) -> None:
        slot = data.draw(st.sampled_from(self.slots))
        if slot.phase is Phase.STARTING:
            ticket = self.scheduler.start_failed(slot)
            if ticket is not None:
                self.is_oldest(slot, ticket)
        else:
            assert self.scheduler.gone(slot) is self.running.pop(slot, None)
        assert self.scheduler.gone(slot) is None
        self.pump()

    @precondition(lambda self: self.in_phase(Phase.STARTING))
    @rule(data=st.data())
    def start_again(self, data: st.DataObject) -> None:
        slot = data.draw(st.sampled_from(self.in_phase(Phase.STARTING)))
        self.slots.append(self.scheduler.start_again(slot))
        self.pump()

    @precondition(lambda self: self.in_phase(Phase.IDLE))
    @rule(data=st.data())
    def lose_poll(self, data: st.DataObject) -> None:
        slot = data.draw(st.sampled_from(self.in_phase(Phase.IDLE)))
        self.scheduler.unready(slot)
        assert slot not in slot.group.idle

    @precondition(lambda self: any(self.waiting))
    @rule(data=st.data())
    def cancel(self, data: st.DataObject) -> None:
        index = data.draw(st.sampled_from([i for i, queue in enumerate(self.waiting) if queue]))
        ticket = data.draw(st.sampled_from(self.waiting[index]))
        assert self.scheduler.cancel(self.groups[index], ticket)
        assert not self.scheduler.cancel(self.groups[index], ticket)
        self.waiting[index].remove(ticket)

    @rule(index=st.integers(0, 2), replaced=st.booleans())
    def retire(self, index: int, replaced: bool) -> None:
        old, new = self.groups[index], Group[Ticket]()
        stop, orphans = self.scheduler.retire(old, new if replaced else None, self.now)
        assert all(slot.gone for slot in stop)
        assert orphans == ([] if replaced else self.waiting[index])
        if not replaced:
            self.waiting[index] = []
        self.groups[index] = new
        self.pump()

    @rule(index=st.integers(0, 2), keep=st.integers(0, 4))
    def provision(self, index: int, keep: int) -> None:
        group = self.groups[index]
        for slot in self.scheduler.provision(group, keep):
            assert slot.gone
            assert slot not in self.running
        self.pump()

    @invariant()
    def what_is_kept_is_counted(self) -> None:
        kept = [slot for slot in self.slots if slot.kept and not slot.gone]
        assert self.scheduler.kept == len(kept) < LIMITS.total
        for group in self.groups:
            assert group.kept == sum(slot.group is group for slot in kept) <= max(group.keep, 0)
            assert [slot.kept for slot in group.idle] == sorted(slot.kept for slot in group.idle), "the kept ones first"

    @invariant()
    def nobody_is_lost(self) -> None:
        for group, queue in zip(self.groups, self.waiting, strict=True):
            assert list(group.waiting) == queue
        assert self.scheduler.hungry == any(self.waiting)

    @invariant()
    def limits_hold(self) -> None:
        live = [slot for slot in self.slots if not slot.gone]
        assert len(live) == self.scheduler.total <= LIMITS.total
        assert len(self.in_phase(Phase.STARTING)) == self.scheduler.starting <= LIMITS.starting
        for group in self.groups:
            assert {slot for slot in live if slot.group is group} == group.slots.keys()
            assert len(group.slots) <= LIMITS.per_group
            assert group.idle == [] or not group.waiting

    @invariant()
    def each_runs_one(self) -> None:
        assert {slot: slot.ticket for slot in self.in_phase(Phase.BUSY)} == self.running

    @invariant()
    def hope_remains(self) -> None:
        """Whoever waits has a worker of its group to hope for, or all that may be started is in use."""
        for group in self.groups:
            if group.waiting and not group.slots:
                idle = [slot for slot in self.in_phase(Phase.IDLE) if not slot.kept]
                full = self.scheduler.total >= LIMITS.total and not idle
                assert full or self.scheduler.starting >= LIMITS.starting

    def teardown(self) -> None:
        """If workers only do their work, everything that waits is served."""
        for _ in range(200):
            self.now += 11.0
            self.pump()
            for slot in list(self.running):
                self.answer_now(slot)
            for slot in self.in_phase(Phase.STARTING, Phase.SETTLING):
                ticket = self.scheduler.ready(slot, self.now)
                if ticket is not None:
                    self.is_oldest(slot, ticket)
                    self.runs(slot, ticket)
        assert not any(self.waiting)
        assert not self.scheduler.hungry
        for group in self.groups:
            spent = self.scheduler.kept == LIMITS.total - 1 or len(group.slots) == LIMITS.per_group
            assert group.kept == group.keep or spent

    def answer_now(self, slot: Slot[Ticket]) -> None:
        self.scheduler.answered(slot)
        del self.running[slot]


Machine.TestCase.settings = settings(max_examples=60, stateful_step_count=60, deadline=None)
TestScheduler = Machine.TestCase


def with_one_idle() -> tuple[Scheduler[Ticket], Group[Ticket], Slot[Ticket]]:
    scheduler: Scheduler[Ticket] = Scheduler(LIMITS)
    group: Group[Ticket] = Group()
    assert scheduler.acquire(group, Ticket(0), 0.0) is None
    (slot,) = scheduler.starts(0.0).start
    assert scheduler.ready(slot, 0.0) is not None
    scheduler.answered(slot)
    assert scheduler.ready(slot, 0.0) is None
    return scheduler, group, slot


def test_a_fast_function_stays_on_one_worker() -> None:
    scheduler, group, slot = with_one_idle()
    for turn in range(20):
        now = float(turn)
        assert scheduler.acquire(group, Ticket(1), now) is slot
        assert scheduler.acquire(group, Ticket(2), now) is None
        assert scheduler.starts(now + 1).start == []
        for _ in range(2):
            scheduler.answered(slot)
            scheduler.ready(slot, now)


def test_a_waiter_that_has_waited_long_gets_a_worker_and_each_start_is_for_one() -> None:
    scheduler, group, _ = with_one_idle()
    for number in range(3):
        scheduler.acquire(group, Ticket(number), float(number))
    assert scheduler.starts(9.0).start == []
    assert len(scheduler.starts(11.0).start) == 1
    assert scheduler.starts(11.0).start == []
    assert len(scheduler.starts(12.5).start) == 1


def test_constant_pressure_adds_workers_one_by_one_up_to_the_eager_limit() -> None:
    scheduler, group, slot = with_one_idle()
    for number in range(6):
        scheduler.acquire(group, Ticket(number), float(number))
    for turn in range(30):  # the queue is never empty, but nobody waits for long
        now = 6.0 + turn
        for busy in [s for s in group.slots if s.phase is Phase.BUSY]:
            scheduler.answered(busy)
            scheduler.ready(busy, now)
            scheduler.acquire(group, Ticket(100 + turn), now)
        for started in scheduler.starts(now).start:
            scheduler.ready(started, now)
    assert len(group.slots) == LIMITS.eager
    assert slot in group.slots


def test_a_saturated_machine_gets_no_more_than_the_eager_ones_unless_the_wait_is_very_long() -> None:
    scheduler, group, _ = with_one_idle()
    for number in range(5):
        scheduler.acquire(group, Ticket(number), 0.0)
    (second,) = scheduler.starts(11.0, saturated=True).start
    scheduler.ready(second, 11.0)
    assert len(group.slots) == LIMITS.eager
    assert scheduler.starts(99.0, saturated=True).start == []
    assert len(scheduler.starts(100.0, saturated=True).start) == 1


def test_no_more_workers_than_the_group_may_have() -> None:
    scheduler: Scheduler[Ticket] = Scheduler(LIMITS)
    group: Group[Ticket] = Group()
    for number in range(6):
        scheduler.acquire(group, Ticket(number), 0.0)
    for _ in range(6):
        for slot in scheduler.starts(1000.0).start:
            scheduler.ready(slot, 1000.0)
    assert len(group.slots) == LIMITS.per_group


def test_the_last_used_worker_is_used_again() -> None:
    scheduler, group, first = with_one_idle()
    scheduler.acquire(group, Ticket(1), 0.0)
    scheduler.acquire(group, Ticket(2), 0.0)
    (second,) = scheduler.starts(11.0).start
    scheduler.ready(second, 11.0)
    for slot in (first, second):
        scheduler.answered(slot)
        scheduler.ready(slot, 12.0)
    assert scheduler.acquire(group, Ticket(3), 13.0) is second


def test_the_longest_idle_makes_room_for_another_group() -> None:
    limits = Limits(per_group=5, total=1, starting=2, queue=5, patience=1.0)
    scheduler: Scheduler[Ticket] = Scheduler(limits)
    one, two = Group[Ticket](), Group[Ticket]()
    scheduler.acquire(one, Ticket(1), 0.0)
    (slot,) = scheduler.starts(0.0).start
    scheduler.ready(slot, 0.0)
    scheduler.acquire(two, Ticket(2), 0.0)
    assert scheduler.starts(5.0).start == []
    scheduler.answered(slot)
    scheduler.ready(slot, 5.0)
    orders = scheduler.starts(5.0)
    assert (orders.stop, [s.group for s in orders.start]) == ([], [two]) or orders.stop == [slot]


def test_a_busy_group_gives_way_to_one_that_has_nothing() -> None:
    limits = Limits(per_group=5, total=1, starting=2, queue=5, patience=1.0)
    scheduler: Scheduler[Ticket] = Scheduler(limits)
    one, two = Group[Ticket](), Group[Ticket]()
    scheduler.acquire(one, Ticket(1), 0.0)
    scheduler.acquire(one, Ticket(2), 0.0)
    (slot,) = scheduler.starts(0.0).start
    scheduler.ready(slot, 0.0)
    scheduler.acquire(two, Ticket(3), 0.0)
    scheduler.answered(slot)
    assert scheduler.ready(slot, 5.0) is None
    assert slot.gone


@pytest.mark.parametrize("replaced", [True, False])
def test_retiring_keeps_the_order_of_those_who_wait(replaced: bool) -> None:
    scheduler: Scheduler[Ticket] = Scheduler(LIMITS)
    old, new = Group[Ticket](), Group[Ticket]()
    tickets = [Ticket(i) for i in range(3)]
    for ticket in tickets:
        scheduler.acquire(old, ticket, 0.0)
    _, orphans = scheduler.retire(old, new if replaced else None, 0.0)
    assert orphans == ([] if replaced else tickets)
    assert list(new.waiting) == (tickets if replaced else [])
