"""Whether the controller is alive: its parts say that they are at work, and any thread may ask.

Three things are looked at, each with a limit, so that nothing that hangs goes unnoticed for ever: the event
loop turns, parts that come round again and again do so in time, and no worker stays with one site longer
than all its steps may take together.
"""

import asyncio
import threading
import time
from collections import deque
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

INTERVAL = 1.0
"""Seconds between two beats of the event loop."""

STALLED = 10.0
"""Seconds without a beat after which the event loop counts as stuck."""

LONGEST_WORK = 3600.0
"""Seconds a worker may be at one site, where nobody said how long its steps may take."""

_REMEMBERED = 60  # beats: the lag of the last minute


@dataclass(frozen=True, slots=True)
class _Beat:
    """When a part was heard of, and within how many seconds it said it would be again."""

    at: float
    within: float


class Health:
    """What is known of the controller's parts; may be told and asked from any thread.

    Args:
        longest_work: seconds after which a worker that is still at the same site counts as stuck.
        now: seconds that never go back.
    """

    def __init__(
        self, *, longest_work: float = LONGEST_WORK, now: Callable[[], float] = time.monotonic
    ) -> None:
        self._limit = longest_work
        self._now = now
        self._lock = threading.Lock()
        self._parts: dict[str, _Beat] = {}
        self._work: dict[object, tuple[str, float]] = {}
        self._pulse: float | None = None
        self._late: deque[float] = deque(maxlen=_REMEMBERED)

    async def pulse(self, sleep: Callable[[float], Awaitable[None]] = asyncio.sleep) -> None:
        """Beat for the event loop this runs in, until cancelled."""
        try:
            while True:
                with self._lock:
                    self._pulse = began = self._now()
                await sleep(INTERVAL)
                with self._lock:
                    self._late.append(max(0.0, self._now() - began - INTERVAL))
        finally:
            with self._lock:
                self._pulse = None

    def beat(self, part: str, within: float) -> None:
        """Say that a part is at work, and will say so again within so many seconds."""
        with self._lock:
            self._parts[part] = _Beat(self._now(), within)

    def ended(self, part: str) -> None:
        """Say that a part has come to its end, as it should."""
        with self._lock:
            self._parts.pop(part, None)

    @contextmanager
    def working(self, site: str) -> Iterator[None]:
        """Say that a worker is at a site inside."""
        token = object()
        with self._lock:
            self._work[token] = (site, self._now())
        try:
            yield
        finally:
            with self._lock:
                del self._work[token]

    @property
    def lag(self) -> float:
        """The most seconds by which the event loop was late in the last minute, or is now."""
        with self._lock:
            return max([self._overdue(), *self._late])

    @property
    def longest(self) -> float:
        """For how many seconds the worker that is longest at its site has been there; 0 when none is."""
        with self._lock:
            now = self._now()
            return max((now - since for _, since in self._work.values()), default=0.0)

    def reasons(self) -> list[str]:
        """Why the process should be started again; none while it is alive."""
        with self._lock:
            now = self._now()
            return [*self._loop(now), *self._silent(now), *self._stuck(now)]

    def _overdue(self) -> float:
        return 0.0 if self._pulse is None else max(0.0, self._now() - self._pulse - INTERVAL)

    def _loop(self, now: float) -> Iterator[str]:
        if self._pulse is not None and now - self._pulse > STALLED:
            yield f"the event loop has not turned for {now - self._pulse:.0f} s"

    def _silent(self, now: float) -> Iterator[str]:
        for part, beat in sorted(self._parts.items()):
            if now - beat.at > beat.within:
                silent = f"{now - beat.at:.0f} s, {beat.within:.0f} s at most were due"
                yield f"{part} was not heard of for {silent}"

    def _stuck(self, now: float) -> Iterator[str]:
        for site, since in sorted(self._work.values()):
            if now - since > self._limit:
                yield (
                    f"a worker has been at site {site!r} for {now - since:.0f} s, "
                    f"longer than all steps together may take ({self._limit:.0f} s)"
                )
