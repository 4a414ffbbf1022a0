"""People are told, and nobody waits for it: every way has a line of its own, and works it off by itself."""

import asyncio
import random
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import structlog

from otto.adapters.notify.message import Message, message
from otto.adapters.notify.sending import send
from otto.adapters.notify.ways import Way
from otto.model.errors import UsageError
from otto.model.notice import Notice, NoticeKind
from otto.ports import Clock

log = structlog.get_logger("otto.notify")

_AGAIN_SECONDS = 3600.0
_REMEMBERED = 1000


@dataclass(frozen=True, slots=True)
class Options:
    """How people are told.

    Attributes:
        kinds: notices that are sent; the others are nobody's business.
        timeout: seconds one try on one way may take.
        retries: tries after a failed one.
        backoff: seconds before the first of them; doubled each time, up to `backoff_cap`.
        backoff_cap: most seconds between two tries.
        waiting: notices that may wait for one way; with more, the oldest is dropped.
        closing: seconds that what waits has to be sent when OttO ends.
    """

    kinds: frozenset[NoticeKind] = frozenset(NoticeKind)
    timeout: float = 15.0
    retries: int = 3
    backoff: float = 2.0
    backoff_cap: float = 60.0
    waiting: int = 100
    closing: float = 10.0


@dataclass(frozen=True, slots=True)
class Outcome:
    """How one way did: `trouble` is "" when the message was taken."""

    way: str
    trouble: str


class Notifications:
    """Port `Notifier`: sends each notice on every way, each way on its own.

    The same notice (kind, site, title, body) is sent once an hour at most.

    Args:
        ways: the ways; with none, nobody is told.
        clock: the time.
        options: how.
        count: is told `sent`, `failed` or `dropped` for every notice on every way.
        rng: chance, for the time between two tries.
    """

    def __init__(
        self,
        ways: Sequence[Way],
        clock: Clock,
        options: Options | None = None,
        count: Callable[[str], None] = lambda _: None,
        rng: random.Random | None = None,
    ) -> None:
        self._options = options or Options()
        self._clock = clock
        rng = rng or random.SystemRandom()
        self._lines = tuple(_Line(way, clock, self._options, count, rng) for way in ways)
        self._told: dict[tuple[str, ...], float] = {}

    async def notify(self, notice: Notice) -> None:
        """Have a notice sent; returns at once."""
        if notice.kind not in self._options.kinds or not self._lines or self._again(notice):
            return
        words = message(notice)
        for line in self._lines:
            line.add(words)

    async def try_out(self, notice: Notice) -> tuple[Outcome, ...]:
        """Send a notice on every way once, now; how each did."""
        words, seconds = message(notice), self._options.timeout
        found = await asyncio.gather(*(send(line.way, words, seconds) for line in self._lines))
        return tuple(Outcome(line.way.name, why) for line, why in zip(self._lines, found, strict=True))

    async def close(self) -> None:
        """Send what waits, within `Options.closing`; what is left after that is dropped."""
        await asyncio.gather(*(line.close() for line in self._lines))

    def _again(self, notice: Notice) -> bool:
        """Whether the same was told within the hour; if not, it is now."""
        now, key = self._clock.monotonic(), (notice.kind.value, notice.site, notice.title, notice.body)
        while self._told and (len(self._told) > _REMEMBERED or now - _first(self._told) >= _AGAIN_SECONDS):
            del self._told[next(iter(self._told))]
        if key in self._told:
            return True
        self._told[key] = now
        return False


def _first(told: Mapping[tuple[str, ...], float]) -> float:
    """When the oldest was told: they stand in the order of their times."""
    return next(iter(told.values()))


class _Line:
    """The notices that wait for one way, and the task that sends them while there are any."""

    def __init__(
        self, way: Way, clock: Clock, options: Options, count: Callable[[str], None], rng: random.Random
    ) -> None:
        self.way = way
        self._clock = clock
        self._options = options
        self._count = count
        self._rng = rng
        self._waiting: deque[Message] = deque()
        self._under_way: Message | None = None
        self._task: asyncio.Task[None] | None = None

    def add(self, told: Message) -> None:
        """Put a message at the end of the line."""
        if len(self._waiting) >= max(1, self._options.waiting):
            self._drop(self._waiting.popleft())
        self._waiting.append(told)
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._work(), name=f"notify {self.way.name}")

    async def close(self) -> None:
        """Wait for the line to become empty, for a while, and drop what is left."""
        if self._task is None:
            return
        await asyncio.wait((self._task,), timeout=self._options.closing)
        self._task.cancel()
        await asyncio.wait((self._task,))
        for told in (self._under_way, *self._waiting):
            if told is not None:
                self._drop(told)
        self._waiting.clear()

    async def _work(self) -> None:
        while self._waiting:
            self._under_way = self._waiting.popleft()
            self._conclude(self._under_way, await self._deliver(self._under_way))
            self._under_way = None

    async def _deliver(self, told: Message) -> str:
        """Try until it is taken, or often enough; the last trouble, "" for none."""
        trouble = ""
        for number in range(self._options.retries + 1):
            if number:
                await self._clock.sleep(self._pause(number))
            try:
                trouble = await send(self.way, told, self._options.timeout)
            except Exception as error:  # noqa: BLE001  (one way's mistake must not stop the line)
                trouble = type(error).__name__
            if not trouble:
                break
        return trouble

    def _pause(self, number: int) -> float:
        longest: float = min(self._options.backoff_cap, self._options.backoff * 2 ** (number - 1))
        return longest * self._rng.uniform(0.5, 1.0)

    def _conclude(self, told: Message, trouble: str) -> None:
        self._count("failed" if trouble else "sent")
        way, kind, site, title = self.way.name, told.kind, told.site, told.title
        if trouble:
            log.warning("notice.failed", way=way, kind=kind, site=site, title=title, reason=trouble)
        else:
            log.info("notice.sent", way=way, kind=kind, site=site, title=title)

    def _drop(self, told: Message) -> None:
        self._count("dropped")
        log.warning("notice.dropped", way=self.way.name, kind=told.kind, site=told.site, title=told.title)


def kinds_of(events: str) -> frozenset[NoticeKind]:
    """The kinds that a setting names, separated by commas; all when it names none.

    Raises:
        UsageError: there is no such kind.
    """
    words = events.replace(",", " ").lower().split()
    known = {kind.value for kind in NoticeKind}
    for word in words:
        if word not in known:
            mend = f"there are {', '.join(sorted(known))}"
            raise UsageError(f"notify.events: no notice is called {word[:40]!r}", mend=mend)
    return frozenset(map(NoticeKind, words)) or frozenset(NoticeKind)
