"""Work that blocks, seen to its end: whoever is cancelled waits until nothing of it runs any more."""

import asyncio
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractContextManager, asynccontextmanager
from typing import TypeVar

from otto.adapters.cancellation import unbroken

T = TypeVar("T")


async def blocking(work: Callable[[Callable[[], bool]], T]) -> T:
    """Do something in a thread; what it gives.

    Args:
        work: is told by the function it is given whether anybody still waits for it.
    """
    stop = threading.Event()
    task = asyncio.ensure_future(asyncio.to_thread(work, stop.is_set))
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        stop.set()
        await unbroken(_over(task))
        raise


@asynccontextmanager
async def entered(manager: AbstractContextManager[T]) -> AsyncIterator[T]:
    """Enter and leave what blocks in threads; what was entered is left, whatever comes."""
    entering = asyncio.ensure_future(asyncio.to_thread(manager.__enter__))
    try:
        value = await asyncio.shield(entering)
    except asyncio.CancelledError:
        await unbroken(_over(entering))
        if not entering.exception():
            await unbroken(_leave(manager))
        raise
    try:
        yield value
    finally:
        await unbroken(_leave(manager))


async def _leave(manager: AbstractContextManager[T]) -> None:
    await asyncio.to_thread(manager.__exit__, None, None, None)


async def _over(task: "asyncio.Future[T]") -> None:
    """Wait for its end; what it raises is nobody's any more."""
    await asyncio.gather(task, return_exceptions=True)
