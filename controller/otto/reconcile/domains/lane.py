"""Zones are worked on beside the workers: a nameserver that does not answer never holds up a site."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable

from otto.ports import Queue
from otto.reconcile.pace import Next

Reconcile = Callable[[str, str], Awaitable[Next]]


class Lane:
    """Takes zones over from the workers, some at once; the others wait for their turn.

    A zone stays taken, as the queue sees it, until it is done: it is never worked on twice at a time.

    Args:
        queue: where zones come from.
        reconcile: looks at one zone.
        most: zones that are worked on at once.
    """

    def __init__(self, queue: Queue, reconcile: Reconcile, most: int) -> None:
        self._queue = queue
        self._reconcile = reconcile
        self._turns = asyncio.Semaphore(max(1, most))
        self._tasks: set[asyncio.Task[None]] = set()

    def take(self, zone: str, cause: str) -> None:
        """Take a zone over from a worker that got it out of the queue."""
        task = asyncio.create_task(self._work(zone, cause), name=f"zone-{zone}")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def stop(self) -> None:
        """Cancel what is under way and wait for it to end."""
        tasks = tuple(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _work(self, zone: str, cause: str) -> None:
        with contextlib.ExitStack() as stack:
            stack.callback(self._queue.done, zone)
            async with self._turns:
                after = await self._reconcile(zone, cause)
        if after.seconds is not None:
            self._queue.add_after(zone, after.why, after.seconds)
