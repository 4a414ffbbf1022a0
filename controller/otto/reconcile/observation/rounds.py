"""Sites that are due again and again, each by itself at a jittered interval."""

import asyncio
import heapq
import random

from otto.decide.schedule import jittered
from otto.ports import Clock


class Rounds:
    """Hands out sites that are due, a batch at a time; a site comes back an interval after it was done.

    So one that takes long is looked at less often, and holds nobody up. One task takes batches.

    Args:
        clock: time.
        rng: moves intervals.
        interval: seconds from the end of a site's turn to its next; none are handed out when it is 0.
        jitter: share of the interval by which it is moved.
        batch: most sites handed out together.
    """

    def __init__(
        self, clock: Clock, rng: random.Random, *, interval: float, jitter: float, batch: int
    ) -> None:
        self._clock = clock
        self._rng = rng
        self._interval = interval
        self._jitter = jitter
        self._batch = max(1, batch)
        self._due: dict[str, float] = {}
        self._out: set[str] = set()
        self._heap: list[tuple[float, str]] = []
        self._stirred = asyncio.Event()
        self.behind = 0.0

    def join(self, site: str, *, earliest: float = 0.0) -> None:
        """Have a site handed out from now on, first at a random time within its interval.

        Args:
            site: which; one that has joined already keeps its time.
            earliest: share of the interval that passes first at least.
        """
        if self._interval > 0 and site not in self._due:
            share = earliest + (1 - earliest) * self._rng.random()
            self._set(site, self._clock.monotonic() + share * self._interval)

    def leave(self, site: str) -> None:
        """Have a site handed out no longer."""
        self._due.pop(site, None)

    def soon(self, site: str) -> None:
        """Have a site handed out at once, if it has joined and is not out already."""
        if site in self._due and site not in self._out:
            self._set(site, self._clock.monotonic())

    def done(self, site: str) -> None:
        """A site's turn has ended."""
        self._out.discard(site)
        if site in self._due:
            pause = jittered(self._interval, self._rng, self._jitter)
            self._set(site, self._clock.monotonic() + pause)

    async def batch(self) -> tuple[str, ...]:
        """Wait until sites are due; some of them, the longest overdue first."""
        while True:
            if taken := self._take():
                return taken
            self._stirred.clear()
            await self._wait(self._heap[0][0] - self._clock.monotonic() if self._heap else None)

    def _set(self, site: str, due: float) -> None:
        self._due[site] = due
        heapq.heappush(self._heap, (due, site))
        self._stirred.set()

    def _take(self) -> tuple[str, ...]:
        now = self._clock.monotonic()
        taken: list[str] = []
        while self._heap and self._heap[0][0] <= now and len(taken) < self._batch:
            due, site = heapq.heappop(self._heap)
            if self._due.get(site) == due and site not in self._out:
                taken.append(site)
                self._out.add(site)
                self.behind = max(0.0, now - due)
        return tuple(taken)

    async def _wait(self, seconds: float | None) -> None:
        """Until the time has passed or a site's time has changed."""
        waiting: list[asyncio.Future[object]] = [asyncio.ensure_future(self._stirred.wait())]
        if seconds is not None:
            waiting.append(asyncio.ensure_future(self._clock.sleep(seconds)))
        try:
            await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in waiting:
                task.cancel()
            # Not suppressed: who cancels us just now would never be heard.
            await asyncio.gather(*waiting, return_exceptions=True)
