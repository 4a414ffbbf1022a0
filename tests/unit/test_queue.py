"""The queue tells the story of controller-runtime's: once in it, never worked on twice at a time."""

import asyncio
from dataclasses import dataclass, field

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from otto.adapters.clock import SystemClock
from otto.adapters.queue import QueueClosedError, WorkQueue
from otto.ports import Clock, Queue
from otto.testing import FakeClock, settle


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def queue(clock: FakeClock) -> WorkQueue:
    return WorkQueue(clock)


async def taken(queue: WorkQueue, count: int) -> list[tuple[str, str]]:
    return [await queue.get() for _ in range(count)]


def test_it_is_the_port() -> None:
    port: Queue = WorkQueue(SystemClock())
    clock: Clock = SystemClock()
    assert port
    assert clock.now().tzinfo


async def test_keys_come_first_in_first_out(queue: WorkQueue) -> None:
    for key in "abc":
        queue.add(key, "push")
    assert await taken(queue, 3) == [("a", "push"), ("b", "push"), ("c", "push")]


async def test_a_key_is_in_it_once_and_keeps_all_its_causes(queue: WorkQueue) -> None:
    for cause in ("look", "push", "look"):
        queue.add("a", cause)
    assert queue.depth() == 1
    assert await queue.get() == ("a", "look+push")
    assert queue.next_due() is None


async def test_a_key_added_while_worked_on_comes_again_after_done(queue: WorkQueue) -> None:
    queue.add("a", "push")
    queue.add("b", "push")
    await queue.get()
    queue.add("a", "asked")
    assert queue.depth() == 2
    assert await queue.get() == ("b", "push")
    getter = asyncio.create_task(queue.get())
    await settle()
    assert not getter.done()
    queue.done("a")
    assert await getter == ("a", "asked")


async def test_a_key_whose_time_has_come_counts_as_due_without_being_touched(
    queue: WorkQueue, clock: FakeClock
) -> None:
    queue.add_after("a", "look", 5)
    queue.add_after("b", "look", 50)
    getter = asyncio.create_task(queue.get())
    await settle()
    clock.move(6)
    # As a scrape asks, from a thread of its own: that must not wake whoever waits in the event loop.
    found = await asyncio.to_thread(lambda: (queue.depth(), queue.delayed()))
    assert found == (1, 1)
    assert not getter.done()
    await clock.advance(0)
    assert await getter == ("a", "look")


async def test_a_delayed_key_comes_when_its_time_has_come(queue: WorkQueue, clock: FakeClock) -> None:
    queue.add_after("a", "look", 10)
    getter = asyncio.create_task(queue.get())
    await clock.advance(9.9)
    assert not getter.done()
    assert queue.next_due() == pytest.approx(0.1)
    await clock.advance(0.1)
    assert await getter == ("a", "look")


@pytest.mark.parametrize("delays", [(10, 5), (5, 10)])
async def test_the_earliest_time_wins_with_its_cause(
    queue: WorkQueue, clock: FakeClock, delays: tuple[int, int]
) -> None:
    for delay in delays:
        queue.add_after("a", f"after {delay}", delay)
    await clock.advance(5)
    assert await queue.get() == ("a", "after 5")
    await clock.advance(20)
    assert queue.depth() == 0


async def test_an_earlier_key_wakes_a_getter_that_waits_for_a_later_one(
    queue: WorkQueue, clock: FakeClock
) -> None:
    queue.add_after("late", "look", 100)
    getter = asyncio.create_task(queue.get())
    await settle()
    queue.add_after("soon", "look", 1)
    await clock.advance(1)
    assert await getter == ("soon", "look")


async def test_adding_now_drops_the_later_time(queue: WorkQueue, clock: FakeClock) -> None:
    queue.add_after("a", "look", 10)
    queue.add("a", "push")
    assert await queue.get() == ("a", "push")
    queue.done("a")
    await clock.advance(60)
    assert queue.next_due() is None


async def test_a_key_that_is_due_ignores_a_later_time(queue: WorkQueue, clock: FakeClock) -> None:
    queue.add("a", "push")
    queue.add_after("a", "look", 10)
    await queue.get()
    queue.add("a", "asked")
    queue.add_after("a", "look", 10)
    queue.done("a")
    assert await queue.get() == ("a", "asked")
    queue.done("a")
    await clock.advance(60)
    assert queue.next_due() is None


async def test_a_delay_that_ends_during_the_work_waits_for_done(queue: WorkQueue, clock: FakeClock) -> None:
    queue.add("a", "push")
    await queue.get()
    queue.add_after("a", "look", 5)
    getter = asyncio.create_task(queue.get())
    await clock.advance(5)
    assert not getter.done()
    queue.done("a")
    assert await getter == ("a", "look")


async def test_no_delay_is_now(queue: WorkQueue) -> None:
    queue.add_after("a", "retry", 0)
    assert await queue.get() == ("a", "retry")


async def test_forget_drops_what_waits_and_nothing_else(queue: WorkQueue, clock: FakeClock) -> None:
    queue.add("worked", "push")
    await queue.get()
    queue.add("worked", "again")
    queue.add("ready", "push")
    queue.add_after("delayed", "look", 1)
    for key in ("worked", "ready", "delayed", "unknown"):
        queue.forget(key)
    queue.done("worked")
    await clock.advance(5)
    assert (queue.depth(), queue.delayed(), queue.working(), queue.next_due()) == (0, 0, 0, None)


async def test_every_waiting_getter_gets_its_key(queue: WorkQueue, clock: FakeClock) -> None:
    getters = [asyncio.create_task(queue.get()) for _ in range(3)]
    await settle()
    queue.add("a", "push")
    queue.add_after("b", "look", 1)
    queue.add_after("c", "look", 1)
    await clock.advance(1)
    assert sorted([(await getter)[0] for getter in getters]) == ["a", "b", "c"]


async def test_a_cancelled_getter_hands_its_wake_up_on(queue: WorkQueue) -> None:
    first, second = asyncio.create_task(queue.get()), asyncio.create_task(queue.get())
    await settle()
    queue.add("a", "push")
    first.cancel()
    assert await second == ("a", "push")
    with pytest.raises(asyncio.CancelledError):
        await first


async def test_the_last_getter_to_go_takes_the_alarm_with_it(queue: WorkQueue, clock: FakeClock) -> None:
    queue.add_after("a", "look", 10)
    getter = asyncio.create_task(queue.get())
    await settle()
    assert clock.sleepers == 1
    getter.cancel()
    await settle()
    assert clock.sleepers == 0
    assert len(asyncio.all_tasks()) == 1


async def test_closing_wakes_everyone_and_drops_the_rest(queue: WorkQueue, clock: FakeClock) -> None:
    getters = [asyncio.create_task(queue.get()) for _ in range(2)]
    await settle()
    queue.add_after("a", "look", 1)
    queue.close()
    for getter in getters:
        with pytest.raises(QueueClosedError):
            await getter
    queue.add("a", "push")
    queue.add_after("a", "push", 1)
    queue.close()
    with pytest.raises(QueueClosedError):
        await queue.get()
    await settle()
    assert (clock.sleepers, queue.depth(), queue.delayed()) == (0, 0, 0)


async def test_work_that_ends_after_closing_adds_nothing(queue: WorkQueue) -> None:
    queue.add("a", "push")
    await queue.get()
    queue.add("a", "push")
    queue.close()
    queue.done("a")
    assert queue.depth() == 0


async def test_rescheduling_for_ever_takes_no_more_room(queue: WorkQueue, clock: FakeClock) -> None:
    for n in range(10_000):
        queue.add_after("a", "look", 10_000 - n)
    assert queue.delayed() == 1
    assert len(queue._heap) < 100
    await clock.advance(1)
    assert await queue.get() == ("a", "look")


async def test_the_system_clock_drives_it() -> None:
    queue = WorkQueue(SystemClock())
    queue.add_after("a", "look", 0.01)
    assert await asyncio.wait_for(queue.get(), 5) == ("a", "look")


KEYS = st.sampled_from(["a", "b", "c"])


@dataclass
class Model:
    """The queue as its documentation tells it, one flat list and no cleverness."""

    now: float = 0.0
    ready: list[str] = field(default_factory=list)
    delayed: dict[str, float] = field(default_factory=dict)
    working: set[str] = field(default_factory=set)
    dirty: list[str] = field(default_factory=list)

    def due(self, key: str) -> None:
        place = self.dirty if key in self.working else self.ready
        if key not in place:
            place.append(key)

    def add(self, key: str) -> None:
        self.delayed.pop(key, None)
        self.due(key)

    def add_after(self, key: str, seconds: float) -> None:
        if key not in self.ready and key not in self.dirty:
            self.delayed[key] = min(self.delayed.get(key, self.now + seconds), self.now + seconds)

    def pass_time(self, seconds: float) -> None:
        self.now += seconds
        for key, due in sorted(self.delayed.items(), key=lambda item: item[1]):
            if due <= self.now:
                del self.delayed[key]
                self.due(key)

    def get(self) -> str:
        key = self.ready.pop(0)
        self.working.add(key)
        return key

    def done(self, key: str) -> None:
        self.working.discard(key)
        if key in self.dirty:
            self.dirty.remove(key)
            self.due(key)

    def forget(self, key: str) -> None:
        self.delayed.pop(key, None)
        for place in (self.ready, self.dirty):
            if key in place:
                place.remove(key)


class QueueMachine(RuleBasedStateMachine):
    """Whatever is done to it, queue and model agree."""

    def __init__(self) -> None:
        super().__init__()
        self.clock = FakeClock()
        self.queue = WorkQueue(self.clock)
        self.model = Model()

    @rule(key=KEYS)
    def add(self, key: str) -> None:
        self.queue.add(key, "push")
        self.model.add(key)

    # Whole, ever different seconds: keys that fall due at one moment have no order to agree on.
    @rule(key=KEYS, seconds=st.integers(1, 20), spread=st.integers(1, 999))
    def add_after(self, key: str, seconds: int, spread: int) -> None:
        delay = seconds + {"a": 0, "b": 1024, "c": 2048}[key] / 4096 + spread / 4096_000
        self.queue.add_after(key, "look", delay)
        self.model.add_after(key, delay)

    @rule(seconds=st.integers(1, 15))
    def pass_time(self, seconds: int) -> None:
        self.clock.move(seconds)
        self.model.pass_time(seconds)

    @precondition(lambda self: self.model.ready)
    @rule()
    def get(self) -> None:
        key, _ = asyncio.run(self.queue.get())
        assert key == self.model.get()

    @rule(key=KEYS)
    def done(self, key: str) -> None:
        self.queue.done(key)
        self.model.done(key)

    @rule(key=KEYS)
    def forget(self, key: str) -> None:
        self.queue.forget(key)
        self.model.forget(key)

    @invariant()
    def they_agree(self) -> None:
        assert self.queue.depth() == len(self.model.ready) + len(self.model.dirty)
        assert self.queue.delayed() == len(self.model.delayed)
        assert self.queue.working() == len(self.model.working)
        times = [0.0] if self.model.ready else [due - self.model.now for due in self.model.delayed.values()]
        assert self.queue.next_due() == (pytest.approx(min(times), abs=1e-6) if times else None)


QueueMachine.TestCase.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
TestQueueMachine = QueueMachine.TestCase
