"""`otto status --watch`: drift and healing as they happen, told by what changes in the store."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

from otto.cli import seen as seeing
from otto.cli import statuspage
from otto.cli.follower import Follower
from otto.cli.glance import Glance, StatusSource
from otto.cli.presenting import Presenter
from otto.cli.seen import Around, Seen, around
from otto.model.run import Run
from otto.model.status import SiteStatus
from otto.ports import Clock
from otto.reconcile.events import Event, StatusChanged, event_document, site_of

# SQLite's file says by itself whether anything changed; another database has to be read each time.
_GLANCE = 0.25
_READ = 1.0
# Whether a controller answers is asked less often: that takes a moment of its time.
_ASK = 2.0


class Watch:
    """Follows the store, and hands what changes to a presenter.

    Args:
        store: where from.
        site: the only site that counts, None for all.
        home: where a controller would answer.
        shown: shows what happens.
        clock: time.
    """

    def __init__(
        self, store: StatusSource, site: str | None, home: Path, shown: Presenter, clock: Clock
    ) -> None:
        self._store = store
        self._site = site
        self._home = home
        self._shown = shown
        self._clock = clock
        self._told: dict[str, dict[str, object]] = {}
        self._troubles: tuple[str, ...] = ()
        self._around: Around | None = None
        self._asked_at = 0.0
        self._follower = Follower(_Known(store, clock))
        self._follower.listeners.append(self._hear)

    async def run(self, after: Callable[[Seen], Awaitable[None]] | None = None) -> None:
        """Go on until cancelled; `after` is called after every look."""
        with self._shown:
            while True:
                seen = await self.look()
                if after is not None:
                    await after(seen)
                await self._clock.sleep(_GLANCE if isinstance(self._store, Glance) else _READ)

    async def look(self) -> Seen:
        """Look once, and tell what changed since the last time; the first time, how things are.

        Raises:
            UsageError: there is no such site.
        """
        first = self._around is None
        here = await self._at_work()
        if first:  # before how things are is read, so that nothing can come between the two unnoticed
            await self._follower.look()
        seen = await seeing.look(self._store, self._site, here, self._clock.now())
        for status in seen.statuses if first else ():
            self._hear(StatusChanged(status))
        await self._follower.look()
        self._tell_troubles(seen)
        return seen

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

    async def _at_work(self) -> Around:
        now = self._clock.monotonic()
        before = self._around
        if before is None or now - self._asked_at >= _ASK:
            self._around, self._asked_at = await asyncio.to_thread(around, self._home), now
        here = self._around or Around()
        if here.anybody is not (before.anybody if before else True):
            self._shown.note("a controller is running" if here.anybody else "no controller is running")
        return here


class _Known:
    """A store whose statuses hold the sites that nobody looked at yet."""

    def __init__(self, store: StatusSource, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    async def statuses(self) -> tuple[SiteStatus, ...]:
        return await seeing.known_statuses(self._store, self._clock.now())

    async def runs(self, site: str | None = None, limit: int = 20) -> tuple[Run, ...]:
        return await self._store.runs(site, limit)
