"""What is to be said to a forge: one after the other, of each kind the newest, whatever the forge does."""

import asyncio
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import structlog

from otto.decide.schedule import backoff
from otto.model.errors import OttoError, TerminalError, TransientError
from otto.ports import Clock

log = structlog.get_logger("otto.forge")

Send = Callable[[], Awaitable[None]]
_BASE = 2.0
_CAP = 600.0
_MOST_LOST = 1000


@dataclass(frozen=True, slots=True)
class Limits:
    """How much is said.

    Attributes:
        waiting: letters that may wait; with more, the oldest is dropped.
        burst: letters that may go out at once after a quiet time.
        rate: letters a second after that; GitHub asks for no more than one.
        timeout: seconds one letter may take, all of its requests together.
        tries: times a letter is sent that fails for a reason that may pass.
    """

    waiting: int = 2000
    burst: float = 20.0
    rate: float = 1.0
    timeout: float = 90.0
    tries: int = 20


class Outbox:
    """Letters by what they are about: a newer one takes the place of an older one that still waits.

    Args:
        clock: the time.
        rng: chance, for the time between two tries.
        limits: how much.
        dropped: is told of each letter that is given up.
    """

    def __init__(
        self,
        clock: Clock,
        rng: random.Random,
        limits: Limits | None = None,
        dropped: Callable[[str], None] = lambda _: None,
    ) -> None:
        self._clock = clock
        self._rng = rng
        self._limits = limits or Limits()
        self._dropped = dropped
        self._waiting: dict[str, Send] = {}
        self._tries: dict[str, int] = {}
        self._lost: dict[str, str] = {}
        self._sending = ""
        self._stirred = asyncio.Event()
        self._moved = asyncio.Event()
        self._left = self._limits.burst
        self._at = clock.monotonic()
        self._failures = 0
        self._logged = ""

    def put(self, about: str, send: Send) -> None:
        """Have something said, in place of what still waits to be said about the same."""
        if about not in self._waiting and len(self._waiting) >= self._limits.waiting:
            self._give_up(next(iter(self._waiting)), "too much waits to be told")
        self._waiting[about] = send
        self._lost.pop(about, None)
        self._stirred.set()

    async def settled(self, about: str) -> None:
        """Return when nothing waits any more to be said about this.

        Raises:
            TerminalError: the last of it was given up.
        """
        while about in self._waiting or about == self._sending:
            self._moved.clear()
            await self._moved.wait()
        if about in self._lost:
            raise TerminalError(self._lost[about])

    def __len__(self) -> int:
        return len(self._waiting)

    async def run(self) -> None:
        """Say what there is to say, until cancelled."""
        while True:
            while not self._waiting:
                self._stirred.clear()
                await self._stirred.wait()
            await self._pace()
            if self._waiting:
                self._sending = next(iter(self._waiting))
                try:
                    await self._next()
                finally:
                    self._sending = ""
                    self._moved.set()

    async def _next(self) -> None:
        about = self._sending
        send = self._waiting.pop(about)
        try:
            async with asyncio.timeout(self._limits.timeout):
                await send()
        except TerminalError as error:
            self._failures = 0
            self._give_up(about, str(error))
        except (TransientError, TimeoutError) as error:
            await self._again(about, send, error)
        except OttoError as error:
            self._give_up(about, str(error))
        except Exception as error:
            # A mistake of ours over one letter must not silence all others.
            log.exception("forge.failed", about=about, kind=type(error).__name__)
            self._give_up(about, type(error).__name__)
        else:
            self._failures = 0
            self._logged = ""
            self._tries.pop(about, None)

    async def _again(self, about: str, send: Send, error: Exception) -> None:
        """Put a letter back unless a newer one came, and wait: whatever ails the forge ails all letters."""
        self._failures += 1
        tries = self._tries.get(about, 0) + 1
        self._tries[about] = tries
        words = str(error) or type(error).__name__
        if tries >= self._limits.tries:
            self._give_up(about, words)
        else:
            self._waiting.setdefault(about, send)
        asked = error.retry_after if isinstance(error, TransientError) else None
        pause = max(asked or 0.0, backoff(self._failures, self._rng, base=_BASE, cap=_CAP))
        if words != self._logged:
            log.warning("forge.waiting", about=about, reason=words, seconds=round(pause, 1))
            self._logged = words
        await self._clock.sleep(pause)

    def _give_up(self, about: str, reason: str) -> None:
        self._waiting.pop(about, None)
        self._tries.pop(about, None)
        self._lost[about] = reason
        while len(self._lost) > _MOST_LOST:
            del self._lost[next(iter(self._lost))]
        self._moved.set()
        self._dropped(about)
        log.warning("forge.untold", about=about, reason=reason)

    async def _pace(self) -> None:
        """Wait until there is room for one more letter."""
        now = self._clock.monotonic()
        self._left = min(self._limits.burst, self._left + (now - self._at) * self._limits.rate)
        self._at = now
        if self._left < 1.0:
            await self._clock.sleep((1.0 - self._left) / self._limits.rate)
            self._left, self._at = 1.0, self._clock.monotonic()
        self._left -= 1.0
