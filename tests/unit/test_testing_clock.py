"""Time that moves when told to, and failures that come when ordered."""

import asyncio
from datetime import timedelta

import pytest

from otto.model.errors import TransientError
from otto.testing import START, Failures, FakeClock, settle


async def test_sleepers_wake_in_the_order_of_their_times_at_their_times() -> None:
    clock = FakeClock()
    woken: list[tuple[str, float]] = []

    async def sleeper(name: str, *naps: float) -> None:
        for nap in naps:
            await clock.sleep(nap)
            woken.append((name, clock.monotonic()))

    tasks = [asyncio.create_task(sleeper("a", 3, 3)), asyncio.create_task(sleeper("b", 1, 1, 1))]
    await clock.advance(3)
    assert woken == [("b", 1), ("b", 2), ("a", 3), ("b", 3)]
    assert clock.sleepers == 1
    await clock.advance(10)
    assert woken[4:] == [("a", 6)]
    assert clock.now() == START + timedelta(seconds=13)
    assert clock.slept == [3, 1, 1, 1, 3]
    await asyncio.gather(*tasks)


async def test_a_sleep_of_no_time_only_lets_others_go_first() -> None:
    clock = FakeClock()
    await clock.sleep(0)
    await clock.sleep(-1)
    assert clock.monotonic() == 0


async def test_a_cancelled_sleeper_is_forgotten() -> None:
    clock = FakeClock()
    task = asyncio.create_task(clock.sleep(5))
    await settle()
    task.cancel()
    await settle()
    assert clock.sleepers == 0
    await clock.advance(10)
    assert clock.monotonic() == 10


async def test_a_clock_by_itself_makes_sleeping_take_no_time() -> None:
    clock = FakeClock(auto=True)
    await clock.sleep(3600)
    assert clock.monotonic() == 3600


async def test_failures_come_in_the_order_they_were_given() -> None:
    failures = Failures()
    failures.next("apply", TransientError("first"))
    failures.next("apply", TransientError("second"))
    failures.always("apply", TransientError("ever"))
    for words in ("first", "second", "ever", "ever"):
        with pytest.raises(TransientError, match=words):
            await failures.meet("apply")
    failures.stop("apply")
    await failures.meet("apply")
    assert failures.count("apply") == 5


async def test_a_gate_holds_work_until_it_is_opened() -> None:
    failures = Failures()
    gate = failures.hold("apply")
    work = asyncio.create_task(failures.meet("apply"))
    await gate.reached()
    await settle()
    assert not work.done()
    assert failures.count("apply") == 0
    gate.open()
    await work
    await failures.meet("apply")
    assert failures.count("apply") == 2
