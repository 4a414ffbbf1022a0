"""What waits to be said to a forge: bounded, the newest word only, paced, tried again when the forge says."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from random import SystemRandom

from otto.model.errors import TerminalError, TransientError
from otto.reconcile.reporting.outbox import Limits, Outbox, Send
from otto.testing import FakeClock


class Forge:
    """Keeps what was said, and raises what a test orders."""

    def __init__(self) -> None:
        self.said: list[str] = []
        self.errors: list[Exception] = []

    def word(self, text: str) -> Send:
        async def send() -> None:
            if self.errors:
                raise self.errors.pop(0)
            self.said.append(text)

        return send


@asynccontextmanager
async def at_work(clock: FakeClock, limits: Limits | None = None) -> AsyncIterator[tuple[Outbox, list[str]]]:
    dropped: list[str] = []
    outbox = Outbox(clock, SystemRandom(), limits, dropped.append)
    task = asyncio.create_task(outbox.run())
    try:
        yield outbox, dropped
    finally:
        task.cancel()
        await asyncio.wait({task})
        assert task.cancelled()


async def test_of_what_waits_about_the_same_only_the_newest_is_said() -> None:
    clock, forge = FakeClock(), Forge()
    async with at_work(clock) as (outbox, _):
        for number in range(50):
            outbox.put("one", forge.word(f"one {number}"))
        outbox.put("two", forge.word("two"))
        await clock.advance(1)
    assert forge.said == ["one 49", "two"]


async def test_after_a_burst_one_word_a_second_is_said() -> None:
    clock, forge = FakeClock(), Forge()
    async with at_work(clock, Limits(burst=5, rate=1.0)) as (outbox, _):
        for number in range(20):
            outbox.put(str(number), forge.word(str(number)))
        await clock.advance(0)
        assert len(forge.said) == 5
        await clock.advance(10)
        assert len(forge.said) == 15


async def test_too_much_drops_the_oldest_and_counts_it() -> None:
    clock, forge = FakeClock(), Forge()
    dropped: list[str] = []
    outbox = Outbox(clock, SystemRandom(), Limits(waiting=3), dropped.append)
    for number in range(5):
        outbox.put(str(number), forge.word(str(number)))
    assert (len(outbox), dropped) == (3, ["0", "1"])


async def test_a_forge_that_says_when_is_not_asked_before() -> None:
    clock, forge = FakeClock(), Forge()
    forge.errors = [TransientError("limited", retry_after=500)]
    async with at_work(clock) as (outbox, dropped):
        outbox.put("one", forge.word("one"))
        outbox.put("two", forge.word("two"))
        await clock.advance(499)
        assert forge.said == []
        await clock.advance(2)
        assert sorted(forge.said) == ["one", "two"]
        assert not dropped


async def test_a_newer_word_takes_the_place_of_one_that_failed() -> None:
    clock, forge = FakeClock(), Forge()
    forge.errors = [TransientError("away")]
    async with at_work(clock) as (outbox, _):
        outbox.put("one", forge.word("old"))
        await clock.advance(0)
        outbox.put("one", forge.word("new"))
        await clock.advance(10)
    assert forge.said == ["new"]


async def test_what_will_not_be_taken_is_dropped_and_silences_nothing_else() -> None:
    clock, forge = FakeClock(), Forge()
    forge.errors = [TerminalError("no such commit"), ValueError("a mistake of ours")]
    async with at_work(clock) as (outbox, dropped):
        for name in ("one", "two", "three"):
            outbox.put(name, forge.word(name))
        await clock.advance(1)
    assert (forge.said, dropped) == (["three"], ["one", "two"])


async def test_a_word_that_never_gets_through_is_given_up_in_the_end() -> None:
    clock, forge = FakeClock(), Forge()
    forge.errors = [TransientError("away")] * 4
    async with at_work(clock, Limits(tries=4)) as (outbox, dropped):
        outbox.put("one", forge.word("one"))
        await clock.advance(3600)
        outbox.put("two", forge.word("two"))
        await clock.advance(3600)
    assert (forge.said, dropped) == (["two"], ["one"])
