"""A controller on another machine, asked and followed over its API."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from otto.adapters.clock import SystemClock
from otto.cli.follower import Follower
from otto.desk.greeting import Greet
from otto.desk.heard import Heard
from otto.desk.intents import Destroy
from otto.desk.looking import LookAt
from otto.desk.question import Desk
from otto.desk.sites import Progress, SeeNames, SeeProgress
from otto.model.errors import TransientError
from otto.model.plan import StepKind
from otto.model.run import Run
from otto.model.status import SiteStatus
from otto.ports import Clock
from otto.reconcile.events import Listener

if TYPE_CHECKING:
    from otto.cli.invocation import Invocation

_POLL = 0.5


class FarClock:
    """The time elsewhere; it passes as it does here.

    Args:
        clock: the time here.
        there: what it was elsewhere, a moment ago.
    """

    def __init__(self, clock: Clock, there: datetime) -> None:
        self._clock = clock
        # Late by the way it took here: never ahead of what the controller writes down.
        self._ahead: timedelta = there - clock.now()

    def now(self) -> datetime:
        """The time of day there, in UTC."""
        return self._clock.now() + self._ahead

    def monotonic(self) -> float:
        """Seconds that never go back."""
        return self._clock.monotonic()

    async def sleep(self, seconds: float) -> None:
        """Wait."""
        await self._clock.sleep(seconds)


class FarRecords:
    """What is known there of the sites that matter, as of the last look.

    Args:
        desk: who is asked.
    """

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._sites: tuple[str, ...] = ()
        self.known = Progress((), (), {})

    async def attend(self, sites: Sequence[str]) -> None:
        """Say which sites matter."""
        self._sites = tuple(sites)
        await self.look()

    async def look(self) -> None:
        """Ask anew."""
        self.known = await self._desk.ask(SeeProgress(self._sites))

    async def status(self, site: str) -> SiteStatus | None:
        """A site's status."""
        return next((status for status in self.known.statuses if status.site == site), None)

    async def runs(self, site: str | None = None, limit: int = 20) -> tuple[Run, ...]:
        """Runs, newest first."""
        return tuple(run for run in self.known.runs if site in (None, run.site))[:limit]

    async def intents(self, site: str) -> frozenset[str]:
        """What people asked for besides the spec, as of now."""
        return (await self._desk.ask(SeeProgress((site,)))).intents.get(site, frozenset())


class FarWork:
    """See `otto.cli.work.Work`.

    Args:
        desk: who is asked.
        clock: the time there.
    """

    def __init__(self, desk: Desk, clock: Clock) -> None:
        self._desk = desk
        self.clock = clock
        self.store = FarRecords(desk)
        self._follower = Follower()

    async def names(self) -> frozenset[str]:
        """See `Work`."""
        return frozenset(await self._desk.ask(SeeNames()))

    async def source_error(self) -> str:
        """See `Work`: the running controller keeps its last good revision, and says so in its status."""
        return ""

    async def attend(self, sites: Sequence[str]) -> None:
        """See `Work`."""
        await self.store.attend(sites)
        self._follower.take(self.store.known.statuses, self.store.known.runs)

    async def due(self, site: str, steps: frozenset[StepKind]) -> None:
        """See `Work`.

        Raises:
            TransientError: no controller is at work there.
        """
        if await self._desk.ask(LookAt((site,), steps)) is not Heard.YES:
            raise TransientError("the controller stopped just now", mend="try again")

    async def wish_gone(self, wish: Destroy) -> None:
        """See `Work`."""
        await self._desk.ask(wish)

    async def changed(self) -> None:
        """See `Work`."""
        await self.clock.sleep(_POLL)
        await self.store.look()
        self._follower.take(self.store.known.statuses, self.store.known.runs)

    def subscribe(self, listener: Listener) -> None:
        """See `Work`."""
        self._follower.listeners.append(listener)


@asynccontextmanager
async def elsewhere(invocation: "Invocation") -> AsyncIterator[FarWork]:
    """The controller that the call names, for as long as the block lasts.

    Raises:
        OttoError: it does not answer, or refuses.
    """
    async with invocation.desk as desk:
        greeting = await desk.ask(Greet())
        yield FarWork(desk, FarClock(SystemClock(), greeting.now))
