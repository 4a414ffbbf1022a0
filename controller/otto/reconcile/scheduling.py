"""Does something again and again, at the times of a cron expression."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime

import structlog

from otto.decide import cron
from otto.model.errors import UsageError
from otto.ports import Clock

log = structlog.get_logger("otto.schedule")

# The clock on the wall may be set: never slept past for longer than this many seconds.
_LONGEST = 600.0


class Schedule:
    """The times of a cron expression, in UTC.

    Args:
        text: the expression; "" for never.
        clock: time.

    Raises:
        UsageError: it is no cron expression.
    """

    def __init__(self, text: str, clock: Clock) -> None:
        self._clock = clock
        try:
            self._cron = cron.read(text) if text.strip() else None
        except UsageError as error:
            message = f"setting pipelines.schedule (OTTO_PIPELINES_SCHEDULE): {error.message}"
            raise UsageError(message, mend=error.mend) from error

    async def run(self, work: Callable[[], Awaitable[object]]) -> None:
        """Do the work whenever it is time, until cancelled. A time that passes meanwhile is left out."""
        if self._cron is None:
            await asyncio.Event().wait()
            return
        while True:
            await self._wait_until(cron.following(self._cron, self._clock.now()))
            try:
                await work()
            except Exception as error:
                log.exception("schedule.failed", kind=type(error).__name__)

    async def _wait_until(self, at: datetime) -> None:
        while (left := (at - self._clock.now()).total_seconds()) > 0:
            await self._clock.sleep(min(left, _LONGEST))
