"""Watch the repository: by its hook, and by polling in case a hook was missed or there is none."""

import asyncio
import json
from collections.abc import Callable
from dataclasses import dataclass

import structlog

from otto.decide.catalogue import untold
from otto.decide.schedule import backoff, jittered
from otto.model.canonical import to_data
from otto.model.catalogue import Catalogue
from otto.model.errors import OttoError
from otto.model.pipeline import Event, Trigger
from otto.model.signature import Admission
from otto.reconcile.door import Door
from otto.reconcile.fleet import Fleet, Refreshed
from otto.reconcile.kit import Kit
from otto.reconcile.pipelines import Pipelines
from otto.reconcile.turnedaway import TurnedAway

log = structlog.get_logger("otto.watch")

SOURCE = "source"
PROBLEMS = "problems"
_MOST_PROBLEMS = 100
# Seconds a look has before the watch counts as stuck: a fetch, a cold read of ten thousand specs, the store.
_LOOK = 600.0


@dataclass(frozen=True, slots=True)
class SourceState:
    """What is known of the repository: kept in the store for the command line.

    `commit` is its newest commit, `unsigned` why something newer than what is in force is not deployed.
    """

    commit: str = ""
    fetched_at: str = ""
    error: str = ""
    failures: int = 0
    unsigned: str = ""


class Watcher:
    """Brings the fleet to the newest commit and makes the sites it touches due.

    Attributes:
        state: what is known of the repository.
        turned_away: keeps account of what is not signed.
        listeners: called when the fleet has moved to another commit.
    """

    def __init__(self, kit: Kit, fleet: Fleet, door: Door, pipelines: Pipelines, *, interval: float) -> None:
        self.turned_away = TurnedAway(kit, fleet, pipelines)
        self._kit = kit
        self._pipelines = pipelines
        self._fleet = fleet
        self._door = door
        self._interval = interval
        self._one_at_a_time = asyncio.Lock()
        self.state = SourceState()
        self.listeners: list[Callable[[], None]] = []

    async def run(self) -> None:
        """Poll until cancelled."""
        while True:
            pause = self._pause()
            self._kit.metrics.health.beat("the watch over the repository", pause + _LOOK)
            await self._kit.clock.sleep(pause)
            await self.look()

    async def look(self, *, by: str = "", deliveries: int = 1) -> Refreshed | None:
        """Fetch, and refresh when there is a new commit. Failures keep the last good revision.

        Args:
            by: who told us of a push, where the commit's author is not known.
            deliveries: how many times it was told.
        """
        async with self._one_at_a_time:
            try:
                return await self._look(by, deliveries)
            except OttoError as error:
                await self._note(error=str(error), failures=self.state.failures + 1)
                log.warning("source.failed", error=str(error), failures=self.state.failures)
                return None
            except Exception as error:
                # Unknown, so taken for passing: the last good revision stays in force.
                log.exception("source.failed", kind=type(error).__name__)
                words = f"{type(error).__name__}: {error}"
                await self._note(error=words, failures=self.state.failures + 1)
                return None

    async def _look(self, by: str, deliveries: int) -> Refreshed | None:
        started = self._kit.clock.monotonic()
        for site in sorted(await self._fleet.thawed()):
            self._kit.queue.add(site, "thawed")
        head = await self._kit.source.fetch()
        admitted = await self._door.admit(head) if head else Admission("", "")
        commit, refusal = admitted.commit, admitted.refusal
        refreshed = None
        if commit and commit != self._fleet.catalogue.commit:
            refreshed = await self._fleet.refresh(commit, self._kit.clock.now())
            due = self._due(refreshed)
            took = self._kit.clock.monotonic() - started
            self._kit.metrics.decided(took)
            log.info(
                "source.decided", commit=commit, due=sorted(due)[:20], count=len(due), seconds=round(took, 4)
            )
            for site in sorted(due):
                self._kit.queue.add(site, "push")
            self._open(refreshed, due, by, deliveries)
            for listener in self.listeners:
                listener()
            await self._tell(refreshed.after)
        if refusal is not None:
            await self.turned_away.refused(head or "", refusal)
        empty = "" if head else "the repository has no commit yet"
        await self._note(commit=head or "", error=empty, unsigned=str(refusal or ""))
        return refreshed

    def _open(self, refreshed: Refreshed, due: frozenset[str], by: str, deliveries: int) -> None:
        """Pipelines of a push; at the start all is looked at, and each site and zone tells by itself."""
        before, after = refreshed.before, refreshed.after
        if not before.commit:
            return
        at, commit = self._kit.clock.now(), after.commit
        author = self._kit.source.author(commit) or by
        event = Event(Trigger.PUSH, at, author, commit=commit, deliveries=deliveries)
        problems = {
            name: [str(item) for item in after.problems[name]] for name in due & after.problems.keys()
        }
        self._pipelines.open(event, due, problems=problems)

    async def _tell(self, catalogue: Catalogue) -> None:
        """Keep what no site's status can tell, for the command line."""
        problems = to_data(untold(catalogue)[:_MOST_PROBLEMS])
        try:
            await self._kit.store.set_value(PROBLEMS, json.dumps(problems))
        except Exception as problem:
            # No push is lost over it: the sites it changes are due all the same.
            log.exception("source.unrecorded", kind=type(problem).__name__)

    def _due(self, refreshed: Refreshed) -> frozenset[str]:
        before, after = refreshed.before, refreshed.after
        gone = (before.sites.keys() - after.sites.keys()) | (before.domains.keys() - after.domains.keys())
        names = before.problems.keys() | after.problems.keys()
        moved = {name for name in names if before.problems.get(name) != after.problems.get(name)}
        return refreshed.touched | gone | moved

    async def _note(
        self, *, commit: str | None = None, error: str = "", failures: int = 0, unsigned: str | None = None
    ) -> None:
        kept = self.state.commit if commit is None else commit
        refused = self.state.unsigned if unsigned is None else unsigned
        at = self.state.fetched_at if failures else self._kit.clock.now().isoformat()
        self.state = SourceState(kept, at, error, failures, refused)
        self._kit.metrics.source(up=not failures, at=self._kit.clock.now().timestamp())
        try:
            await self._kit.store.set_value(SOURCE, json.dumps(to_data(self.state)))
        except Exception as problem:
            # What is known stays in memory; the watch goes on whatever the store is at.
            log.exception("source.unrecorded", kind=type(problem).__name__)

    def _pause(self) -> float:
        if self.state.failures:
            return backoff(self.state.failures, self._kit.rng, base=self._interval / 4)
        return jittered(self._interval, self._kit.rng)
