"""The way into the controller's event loop, which may stand still, be busy, or be gone."""

import asyncio
import threading
from collections.abc import Iterator

import pytest

from otto.api.bridge import Bridge
from otto.api.problems import Kind, ProblemError
from otto.model.errors import TransientError


@pytest.fixture
def elsewhere() -> Iterator[asyncio.AbstractEventLoop]:
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    yield loop
    if not loop.is_closed():
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


async def where() -> asyncio.AbstractEventLoop:
    return asyncio.get_running_loop()


async def test_work_is_done_there(elsewhere: asyncio.AbstractEventLoop) -> None:
    assert await Bridge(elsewhere).run(where()) is elsewhere
    assert await Bridge().run(where()) is asyncio.get_running_loop()


async def test_errors_come_back(elsewhere: asyncio.AbstractEventLoop) -> None:
    async def fail() -> None:
        raise TransientError("away")

    with pytest.raises(TransientError, match="away"):
        await Bridge(elsewhere).run(fail())


async def test_a_loop_that_stands_still_is_not_waited_for(elsewhere: asyncio.AbstractEventLoop) -> None:
    free = threading.Event()
    elsewhere.call_soon_threadsafe(free.wait)
    try:
        with pytest.raises(ProblemError) as refused:
            await Bridge(elsewhere).run(where(), 0.05)
        assert refused.value.kind is Kind.UNAVAILABLE
        assert refused.value.headers["retry-after"]
    finally:
        free.set()


async def test_work_that_takes_too_long_is_cancelled_there(elsewhere: asyncio.AbstractEventLoop) -> None:
    ended = threading.Event()

    async def long() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    with pytest.raises(ProblemError):
        await Bridge(elsewhere).run(long(), 0.05)
    assert await asyncio.to_thread(ended.wait, 10)


async def test_a_loop_that_is_gone_says_so() -> None:
    gone = asyncio.new_event_loop()
    gone.close()
    with pytest.raises(ProblemError) as refused:
        await Bridge(gone).run(where())
    assert refused.value.kind is Kind.UNAVAILABLE
