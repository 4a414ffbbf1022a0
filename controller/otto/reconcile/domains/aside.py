"""Pure work on large zones, out of everybody's way."""

import asyncio
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")

_LARGE = 1_000
"""Record sets from which on work on them is worth a thread: that is tens of milliseconds."""


async def aside(size: int, work: Callable[[], T]) -> T:
    """What pure work comes to; while it goes on for a large zone, others have their turns.

    Args:
        size: how many record sets it is about.
        work: a function that reads and changes nothing but what it is given.
    """
    return await asyncio.to_thread(work) if size >= _LARGE else work()
