"""The in-process queue: port `Queue` with the semantics of controller-runtime's work queue.

A key is in one of four places, and while it is worked on in two at most:

    delayed   due later, the earliest time asked for wins
    ready     due now, handed out first in, first out
    working   handed out, not `done` yet
    dirty     made due while working; ready again after `done`

Everything runs in one event loop; adding, taking and finishing cost O(log n). Like the original's,
what is left in the queue when it closes is dropped: the loop is level-triggered and finds it again.
"""

import asyncio
import heapq
from collections import OrderedDict, deque
from dataclasses import dataclass

from otto.model.errors import TerminalError
from otto.ports import Clock

# Entries of the heap that no longer count are swept out once they outnumber the others by this many.
_SLACK = 64


class QueueClosedError(TerminalError):
    """The queue was closed: no more work comes from it."""


@dataclass(frozen=True, slots=True)
class _Delayed:
    due: float
    order: int
    cause: str


class WorkQueue:
    """Keys that are due, each with why.

    Causes of one key are kept together while it waits: a key that a look made due and then a push is
    handed out with the cause `look+push`. A delayed key has the cause of its earliest time.

    Args:
        clock: tells and waits for the time.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._ready: OrderedDict[str, str] = OrderedDict()
        self._delayed: dict[str, _Delayed] = {}
        self._heap: list[tuple[float, int, str]] = []
        self._working: set[str] = set()
        self._dirty: dict[str, str] = {}
        self._getters: deque[asyncio.Future[None]] = deque()
        self._alarm: asyncio.Task[None] | None = None
        self._alarm_at = 0.0
        self._order = 0
        self._closed = False

    def add(self, key: str, cause: str) -> None:
        """Make a key due now; a pending later time for it is dropped."""
        if self._closed:
            return
        self._delayed.pop(key, None)
        self._make_due(key, cause)

    def add_after(self, key: str, cause: str, seconds: float) -> None:
        """Make a key due in so many seconds, unless it is due sooner already."""
        if seconds <= 0:
            self.add(key, cause)
            return
        due = self._clock.monotonic() + seconds
        before = self._delayed.get(key)
        sooner = key in self._ready or key in self._dirty or (before is not None and before.due <= due)
        if self._closed or sooner:
            return
        self._order += 1
        self._delayed[key] = _Delayed(due, self._order, cause)
        heapq.heappush(self._heap, (due, self._order, key))
        self._sweep()
        self._set_alarm()

    async def get(self) -> tuple[str, str]:
        """Wait for a key that is due; the key and why. `done` has to follow.

        Raises:
            QueueClosedError: the queue was closed, before or while waiting.
        """
        while True:
            self._promote()
            if self._closed:
                raise QueueClosedError("the work queue is closed")
            if self._ready:
                key, cause = self._ready.popitem(last=False)
                self._working.add(key)
                return key, cause
            await self._wait()

    def done(self, key: str) -> None:
        """Say that the work on a key has ended; it is due again if it was added meanwhile."""
        self._working.discard(key)
        cause = self._dirty.pop(key, None)
        if cause is not None and not self._closed:
            self._make_due(key, cause)

    def forget(self, key: str) -> None:
        """Drop a key that is waiting, now or for later. Work under way on it goes on."""
        self._ready.pop(key, None)
        self._delayed.pop(key, None)
        self._dirty.pop(key, None)

    def close(self) -> None:
        """Drop all keys and wake everyone who waits, with `QueueClosedError`. May be called twice."""
        self._closed = True
        self._ready.clear()
        self._dirty.clear()
        self._delayed.clear()
        self._heap.clear()
        self._cancel_alarm()
        while self._getters:
            self._wake_one()

    def depth(self) -> int:
        """How many keys are due and not handed out. Changes nothing: any thread may ask."""
        return len(self._ready.keys() | self._dirty.keys() | self._come_due())

    def delayed(self) -> int:
        """How many keys are due later. Changes nothing: any thread may ask."""
        return len(self._delayed) - len(self._come_due())

    def working(self) -> int:
        """How many keys are being worked on."""
        return len(self._working)

    def next_due(self) -> float | None:
        """Seconds until a key is due, 0 when one is, None when none is waiting."""
        self._promote()
        if self._ready:
            return 0.0
        self._drop_stale()
        return max(0.0, self._heap[0][0] - self._clock.monotonic()) if self._heap else None

    def _make_due(self, key: str, cause: str) -> None:
        place = self._dirty if key in self._working else self._ready
        before = place.get(key)
        place[key] = cause if before is None else _together(before, cause)
        if place is self._ready and before is None:
            self._wake_one()

    def _promote(self) -> None:
        """Make due what was delayed and whose time has come."""
        now = self._clock.monotonic()
        self._drop_stale()
        while self._heap and self._heap[0][0] <= now:
            key = heapq.heappop(self._heap)[2]
            self._make_due(key, self._delayed.pop(key).cause)
            self._drop_stale()

    def _come_due(self) -> set[str]:
        """Delayed keys whose time has come, which nobody has asked for yet."""
        now = self._clock.monotonic()
        return {key for key, delayed in self._delayed.copy().items() if delayed.due <= now}

    def _drop_stale(self) -> None:
        while self._heap and not self._counts(self._heap[0]):
            heapq.heappop(self._heap)

    def _counts(self, entry: tuple[float, int, str]) -> bool:
        delayed = self._delayed.get(entry[2])
        return delayed is not None and delayed.order == entry[1]

    def _sweep(self) -> None:
        if len(self._heap) > 2 * len(self._delayed) + _SLACK:
            self._heap = [entry for entry in self._heap if self._counts(entry)]
            heapq.heapify(self._heap)

    async def _wait(self) -> None:
        """Wait until there may be a key."""
        getter = asyncio.get_running_loop().create_future()
        self._getters.append(getter)
        self._set_alarm()
        try:
            await getter
        except asyncio.CancelledError:
            self._leave(getter)
            raise

    def _leave(self, getter: asyncio.Future[None]) -> None:
        """Take back a getter that was cancelled, handing on a wake-up it can no longer use."""
        if getter in self._getters:
            self._getters.remove(getter)
        elif self._ready:
            self._wake_one()
        if not self._getters:
            self._cancel_alarm()

    def _wake_one(self) -> None:
        while self._getters:
            getter = self._getters.popleft()
            if not getter.done():
                getter.set_result(None)
                return

    def _set_alarm(self) -> None:
        """Have the getters woken when the next key is due; nobody waiting needs no alarm."""
        self._drop_stale()
        if not self._getters or not self._heap:
            return
        due = self._heap[0][0]
        if self._alarm is None or due < self._alarm_at:
            self._cancel_alarm()
            self._alarm_at = due
            self._alarm = asyncio.get_running_loop().create_task(self._ring(due), name="queue-alarm")

    async def _ring(self, due: float) -> None:
        await self._clock.sleep(due - self._clock.monotonic())
        self._alarm = None
        self._promote()
        self._set_alarm()

    def _cancel_alarm(self) -> None:
        if self._alarm is not None:
            self._alarm.cancel()
            self._alarm = None


def _together(before: str, cause: str) -> str:
    """Both causes, each once, in the order in which they came."""
    return before if cause in before.split("+") else f"{before}+{cause}"
