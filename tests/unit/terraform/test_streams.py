"""Several streams made one."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing

import pytest

from otto.adapters.terraform.streams import merged
from otto.model.errors import TransientError
from otto.testing import settle


class Source:
    """A stream that tells what it is told to, and remembers whether it was closed."""

    def __init__(self) -> None:
        self.told: asyncio.Queue[str | Exception | None] = asyncio.Queue()
        self.closed = False

    async def stream(self) -> AsyncGenerator[str, None]:
        try:
            while (item := await self.told.get()) is not None:
                if isinstance(item, Exception):
                    raise item
                yield item
        finally:
            self.closed = True


@pytest.fixture
def sources() -> list[Source]:
    return [Source(), Source()]


async def test_everything_comes_as_it_is_told(sources: list[Source]) -> None:
    async with aclosing(merged([source.stream() for source in sources])) as stream:
        for source, item in ((sources[1], "a"), (sources[0], "b"), (sources[0], "c")):
            source.told.put_nowait(item)
            assert await anext(stream) == item


async def test_one_that_ends_leaves_the_others_going(sources: list[Source]) -> None:
    first, second = sources
    stream = merged([first.stream(), second.stream()])
    first.told.put_nowait(None)
    second.told.put_nowait("a")
    assert await anext(stream) == "a"
    second.told.put_nowait(None)
    with pytest.raises(StopAsyncIteration):
        await anext(stream)


async def test_none_at_all_ends_at_once() -> None:
    nobody: list[AsyncGenerator[str, None]] = []
    assert [item async for item in merged(nobody)] == []


async def test_one_that_fails_fails_all_and_the_others_are_closed(sources: list[Source]) -> None:
    stream = merged([source.stream() for source in sources])
    sources[0].told.put_nowait(TransientError("gone"))
    with pytest.raises(TransientError, match="gone"):
        await anext(stream)
    assert [source.closed for source in sources] == [True, True]


async def test_cancelling_whoever_waits_closes_them(sources: list[Source]) -> None:
    stream = merged([source.stream() for source in sources])
    waiting = asyncio.ensure_future(anext(stream))
    await settle()
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert [source.closed for source in sources] == [True, True]


async def test_closing_it_while_much_was_told_closes_them(sources: list[Source]) -> None:
    stream = merged([source.stream() for source in sources])
    for number in range(5000):
        sources[0].told.put_nowait(str(number))
    assert await anext(stream) == "0"
    await settle()
    assert sources[0].told.qsize() > 3000, "nobody is read further ahead than memory allows"
    await stream.aclose()
    assert [source.closed for source in sources] == [True, True]
