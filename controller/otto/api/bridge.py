"""The way from the API's thread into the controller's event loop.

The API has an event loop of its own. What of the house is bound to the controller's loop (queue, fleet,
pipelines, git, Terraform, everything that writes) is reached by

    await inside.bridge.run(work(...), seconds)

Reads and writes of the store go straight to it, from any loop: it works in threads of its own.
"""

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

from otto.api.problems import Kind, ProblemError

T = TypeVar("T")

PATIENCE = 10.0
"""Seconds that work in the controller's loop may take, unless a route says otherwise."""


class Bridge:
    """Runs coroutines in the controller's loop.

    Args:
        loop: the controller's; the running one when none is given.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop | None = None) -> None:
        self._loop = loop or asyncio.get_running_loop()

    async def run(self, work: Coroutine[Any, Any, T], seconds: float = PATIENCE) -> T:
        """What a coroutine returns, run in the controller's loop.

        Should the caller go away, or the time be over, the work is cancelled there.

        Args:
            work: the coroutine; awaited or closed in any case.
            seconds: that it may take.

        Raises:
            ProblemError: UNAVAILABLE: the loop stands still, has ended, or the work takes too long.
            Exception: what the work raises.
        """
        try:
            async with asyncio.timeout(seconds):
                return await self._there(work)
        except TimeoutError as error:
            detail = f"the controller did not answer within {seconds:g} s"
            raise ProblemError(Kind.UNAVAILABLE, detail, headers={"retry-after": "5"}) from error

    async def _there(self, work: Coroutine[Any, Any, T]) -> T:
        if asyncio.get_running_loop() is self._loop:
            return await work
        try:
            asked = asyncio.run_coroutine_threadsafe(work, self._loop)
        except RuntimeError as error:  # the loop is closed
            work.close()
            detail = "the controller is stopping"
            raise ProblemError(Kind.UNAVAILABLE, detail, headers={"retry-after": "5"}) from error
        return await asyncio.wrap_future(asked)
