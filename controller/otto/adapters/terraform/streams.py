"""Several streams made one."""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from typing import TypeVar

T = TypeVar("T")

_MOST = 1000


@dataclass(frozen=True, slots=True)
class _End:
    """A stream's end, and what went wrong if something did."""

    error: Exception | None = None


async def merged(streams: Sequence[AsyncGenerator[T, None]]) -> AsyncGenerator[T, None]:
    """What several streams tell, as it comes, until all of them have ended.

    They are closed when this one is. Nobody is read further ahead than memory allows.

    Raises:
        Exception: the first one that a stream raises.
    """
    told: asyncio.Queue[T | _End] = asyncio.Queue(_MOST)
    pumps = [asyncio.create_task(_pump(stream, told)) for stream in streams]
    try:
        left = len(pumps)
        while left:
            item = await told.get()
            if not isinstance(item, _End):
                yield item
            elif item.error:
                raise item.error
            else:
                left -= 1
    finally:
        for pump in pumps:
            pump.cancel()
        await asyncio.gather(*pumps, return_exceptions=True)


async def _pump(stream: AsyncGenerator[T, None], told: "asyncio.Queue[T | _End]") -> None:
    async with aclosing(stream):
        try:
            async for item in stream:
                await told.put(item)
        except Exception as error:  # noqa: BLE001  (raised again by whoever reads)
            await told.put(_End(error))
        else:
            await told.put(_End())
