"""Whether the controller is alive: nothing that hangs goes unnoticed for ever."""

import asyncio

import pytest

from otto.telemetry.health import INTERVAL, STALLED, Health
from otto.testing import FakeClock, settle


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def health(clock: FakeClock) -> Health:
    return Health(longest_work=600, now=clock.monotonic)


def test_what_was_told_nothing_is_alive(health: Health, clock: FakeClock) -> None:
    clock.move(1e6)
    assert health.reasons() == []
    assert (health.lag, health.longest) == (0, 0)


async def test_an_event_loop_that_turns_is_alive_however_long(health: Health, clock: FakeClock) -> None:
    pulse = asyncio.create_task(health.pulse(clock.sleep))
    await clock.advance(1000)
    assert health.reasons() == []
    assert health.lag == 0
    pulse.cancel()


async def test_an_event_loop_that_stands_still_is_dead_after_seconds(
    health: Health, clock: FakeClock
) -> None:
    pulse = asyncio.create_task(health.pulse(clock.sleep))
    await settle()
    clock.move(STALLED)
    assert health.reasons() == []
    clock.move(2)
    assert health.reasons() == ["the event loop has not turned for 12 s"]
    assert health.lag == STALLED + 2 - INTERVAL
    await clock.advance(0)
    assert health.reasons() == []
    pulse.cancel()


async def test_a_lag_is_remembered_for_a_minute(health: Health, clock: FakeClock) -> None:
    pulse = asyncio.create_task(health.pulse(clock.sleep))
    await settle()
    clock.move(INTERVAL + 4)
    await clock.advance(50)
    assert health.lag == pytest.approx(4)
    await clock.advance(20)
    assert health.lag == 0
    pulse.cancel()


async def test_an_event_loop_that_ended_is_no_longer_waited_for(health: Health, clock: FakeClock) -> None:
    pulse = asyncio.create_task(health.pulse(clock.sleep))
    await settle()
    pulse.cancel()
    await asyncio.gather(pulse, return_exceptions=True)
    clock.move(100)
    assert health.reasons() == []


def test_a_part_that_falls_silent_is_named(health: Health, clock: FakeClock) -> None:
    health.beat("the watch", 30)
    health.beat("probes", 300)
    clock.move(30)
    assert health.reasons() == []
    clock.move(1)
    assert health.reasons() == ["the watch was not heard of for 31 s, 30 s at most were due"]
    health.beat("the watch", 30)
    assert health.reasons() == []
    health.ended("the watch")
    health.ended("never there")
    clock.move(200)
    assert health.reasons() == []


def test_a_worker_that_stays_too_long_is_named_with_its_site(health: Health, clock: FakeClock) -> None:
    with health.working("acme"):
        clock.move(300)
        with health.working("shop\n"):
            clock.move(301)
            assert health.reasons() == [
                "a worker has been at site 'acme' for 601 s, longer than all steps together may take (600 s)"
            ]
            assert health.longest == 601
        assert health.longest == 601
    assert health.reasons() == []


def test_work_that_fails_is_over(health: Health, clock: FakeClock) -> None:
    with pytest.raises(RuntimeError), health.working("acme"):
        raise RuntimeError
    clock.move(1000)
    assert health.reasons() == []
