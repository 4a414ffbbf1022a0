"""Time that moves only when a test says so."""

import asyncio
import heapq
from datetime import UTC, datetime, timedelta

START = datetime(2026, 1, 1, tzinfo=UTC)

# Everything in memory comes to rest within a few turns of the event loop; real input and output does not.
_TURNS = 50


async def settle(turns: int = _TURNS) -> None:
    """Let every task of the event loop go on until it waits for something."""
    for _ in range(turns):
        await asyncio.sleep(0)


class FakeClock:
    """Port `Clock` for tests: `advance` moves it and wakes sleepers in the order of their times.

    Args:
        start: the time of day it begins with.
        auto: let every `sleep` pass at once by moving the clock, for code under test that runs alone.
    """

    def __init__(self, start: datetime = START, *, auto: bool = False) -> None:
        self._start = start
        self._passed = 0.0
        self._auto = auto
        self._order = 0
        self._sleepers: list[tuple[float, int, asyncio.Future[None]]] = []
        self.slept: list[float] = []

    def now(self) -> datetime:
        """The time of day, in UTC."""
        return self._start + timedelta(seconds=self._passed)

    def monotonic(self) -> float:
        """Seconds since the clock was made."""
        return self._passed

    async def sleep(self, seconds: float) -> None:
        """Wait until the clock was moved that far; every length asked for is noted in `slept`."""
        self.slept.append(seconds)
        if seconds <= 0:
            await asyncio.sleep(0)
        elif self._auto:
            self._passed += seconds
            await asyncio.sleep(0)
        else:
            await self._until(self._passed + seconds)

    async def advance(self, seconds: float) -> None:
        """Move the clock, stopping at every sleeper's time so that what it does happens at that time."""
        await settle()
        end = self._passed + seconds
        while (due := self._next()) is not None and due <= end:
            self._passed = max(self._passed, due)
            self._wake()
            await settle()
        self._passed = end
        await settle()

    def move(self, seconds: float) -> None:
        """Move the clock without waking anyone until the next `advance`, for code that never sleeps."""
        self._passed += seconds

    @property
    def sleepers(self) -> int:
        """How many are asleep now."""
        return sum(1 for _, _, sleeper in self._sleepers if not sleeper.done())

    async def _until(self, due: float) -> None:
        sleeper = asyncio.get_running_loop().create_future()
        self._order += 1
        heapq.heappush(self._sleepers, (due, self._order, sleeper))
        await sleeper

    def _next(self) -> float | None:
        while self._sleepers and self._sleepers[0][2].done():
            heapq.heappop(self._sleepers)
        return self._sleepers[0][0] if self._sleepers else None

    def _wake(self) -> None:
        while (due := self._next()) is not None and due <= self._passed:
            heapq.heappop(self._sleepers)[2].set_result(None)
