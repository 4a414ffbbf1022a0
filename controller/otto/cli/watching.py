"""`otto status --watch`: drift and healing as they happen, told by what changes in the store."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from otto.cli import statuspage
from otto.cli.follower import Follower
from otto.cli.glance import Glance
from otto.cli.presence import around
from otto.cli.presenting import Presenter
from otto.desk import seen as seeing
from otto.desk.question import Desk
from otto.desk.runs import SeeRuns
from otto.desk.seen import Around, Seen
from otto.desk.sites import SeeStatus
from otto.desk.sources import StatusSource
from otto.model.run import Run
from otto.ports import Clock
from otto.reconcile.events import Event, StatusChanged, event_document, site_of

# SQLite's file says by itself whether anything changed; another database has to be read each time.
_GLANCE = 0.25
_READ = 1.0
# Whether a controller answers is asked less often: that takes a moment of its time.
_ASK = 2.0
_RUNS = 50


class Eye(Protocol):
    """Looks at how things are, over and over."""

    @property
    def pause(self) -> float:
        """Seconds between two looks."""

    async def look(self) -> tuple[Seen, tuple[Run, ...]]:
        """What is seen, and the newest runs, read after it.

        Raises:
            UsageError: there is no such site.
        """


class StoreEye:
    """Looks into a store beside it.

    Args:
        store: where from.
        site: the only site that counts, None for all.
        home: where a controller would answer.
        clock: time.
    """

    def __init__(self, store: StatusSource, site: str | None, home: Path, clock: Clock) -> None:
        self._store = store
        self._site = site
        self._home = home
        self._clock = clock
        self._around: Around | None = None
        self._asked_at = 0.0

    @property
    def pause(self) -> float:
        """See `Eye`."""
        return _GLANCE if isinstance(self._store, Glance) else _READ

    async def look(self) -> tuple[Seen, tuple[Run, ...]]:
        """See `Eye`."""
        seen = await seeing.look(self._store, self._site, await self._at_work(), self._clock.now())
        return seen, await self._store.runs(limit=_RUNS)

    async def _at_work(self) -> Around:
        now = self._clock.monotonic()
        if self._around is None or now - self._asked_at >= _ASK:
            self._around, self._asked_at = await asyncio.to_thread(around, self._home), now
        return self._around


class DeskEye:
    """Looks by asking.

    Args:
        desk: whom.
        site: the only site that counts, None for all.
    """

    pause = _READ

    def __init__(self, desk: Desk, site: str | None) -> None:
        self._desk = desk
        self._site = site

    async def look(self) -> tuple[Seen, tuple[Run, ...]]:
        """See `Eye`."""
        seen = await self._desk.ask(SeeStatus(self._site))
        return seen, await self._desk.ask(SeeRuns(self._site, _RUNS))


class Watch:
    """Follows what is seen, and hands what changes to a presenter.

    Args:
        eye: looks.
        site: the only site that counts, None for all.
        shown: shows what happens.
        clock: time.
    """

    def __init__(self, eye: Eye, site: str | None, shown: Presenter, clock: Clock) -> None:
        self._eye = eye
        self._site = site
        self._shown = shown
        self._clock = clock
        self._told: dict[str, dict[str, object]] = {}
        self._troubles: tuple[str, ...] = ()
        self._around: Around | None = None
        self._follower = Follower()
        self._follower.listeners.append(self._hear)

    async def run(self, after: Callable[[Seen, tuple[Run, ...]], None] | None = None) -> None:
        """Go on until cancelled; `after` is called after every look."""
        with self._shown:
            while True:
                seen, runs = await self.look()
                if after is not None:
                    after(seen, runs)
                await self._clock.sleep(self._eye.pause)

    async def look(self) -> tuple[Seen, tuple[Run, ...]]:
        """Look once, and tell what changed since the last time; the first time, how things are.

        Raises:
            UsageError: there is no such site.
        """
        seen, runs = await self._eye.look()
        first = self._around is None
        self._tell_around(seen.around)
        for status in seen.statuses if first else ():
            self._hear(StatusChanged(status))
        self._follower.take(seen.statuses, runs)
        self._tell_troubles(seen)
        return seen, runs

    def _hear(self, event: Event) -> None:
        """Pass on what concerns the site; a status only when something of it moved that can be seen."""
        site = site_of(event)
        if self._site not in (None, site):
            return
        if isinstance(event, StatusChanged):
            visible = event_document(event)
            if self._told.get(site) == visible:
                return
            self._told[site] = visible
        self._shown.event(event)

    def _tell_troubles(self, seen: Seen) -> None:
        """Say what is the matter beside the sites, when it comes and when it goes."""
        troubles = tuple(text for text, _ in statuspage.troubles(seen))
        for text in troubles:
            if text not in self._troubles:
                self._shown.note(text)
        for text in self._troubles:
            if text not in troubles:
                self._shown.note(f"no longer so: {text}")
        self._troubles = troubles

    def _tell_around(self, here: Around) -> None:
        before, self._around = self._around, here
        if here.anybody is not (before.anybody if before else True):
            self._shown.note("a controller is running" if here.anybody else "no controller is running")
