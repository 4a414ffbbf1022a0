"""Pure work on zones: aside where it is much."""

import asyncio
import threading

import pytest

from otto.reconcile.domains.aside import aside


@pytest.mark.parametrize(("size", "away"), [(0, False), (999, False), (1_000, True), (10_000, True)])
async def test_only_work_on_large_zones_leaves_the_loop(size: int, away: bool) -> None:
    here = threading.get_ident()
    assert (await aside(size, threading.get_ident) != here) is away


async def test_others_have_their_turns_while_it_goes_on() -> None:
    begun, told = threading.Event(), threading.Event()

    def work() -> bool:
        begun.set()
        return told.wait(10)

    going = asyncio.ensure_future(aside(10_000, work))
    while not begun.is_set():
        await asyncio.sleep(0)
    assert not going.done()
    told.set()
    assert await going
