"""Tells a forge how commits fare: one status for each site they touch, one for all, and deployments.

Nothing here holds the loop up: it hears what happens, notes it, and tells it later. What was told is kept in
the store, so that a controller that starts anew tells nothing twice and forgets nothing.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import TypeVar

import structlog

from otto.decide import reports
from otto.decide.catalogue import touched, untold
from otto.model.catalogue import Catalogue
from otto.model.forge import CommitState, CommitStatus, Mark
from otto.model.pipeline import Pipeline, Trigger
from otto.model.run import Outcome
from otto.model.status import SiteStatus
from otto.ports import Forge
from otto.reconcile.events import Event, SiteGone, StatusChanged
from otto.reconcile.fleet import Fleet
from otto.reconcile.kit import Kit
from otto.reconcile.reporting.crowd import Crowd
from otto.reconcile.reporting.outbox import Outbox
from otto.reconcile.reporting.piped import Piped
from otto.reconcile.reporting.telling import Telling

log = structlog.get_logger("otto.forge")

_GLANCE = 1.0
_SEEN = "forge.seen"
# A promoted image has a digest in place of a commit.
_OF_COMMITS = frozenset(Trigger) - {Trigger.IMAGE}
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Place:
    """Where the specs are.

    Attributes:
        repository: the spec repository's name at the forge, "" when it lives elsewhere.
        ref: the branch that is followed.
    """

    repository: str
    ref: str


class Reporter:
    """Hears how sites fare and tells the forge.

    Args:
        kit: the ports.
        fleet: the specs in force.
        forge: who is told.
        place: where the specs are.
        outbox: what waits to be told.
    """

    def __init__(self, kit: Kit, fleet: Fleet, forge: Forge, place: Place, outbox: Outbox) -> None:
        self._kit = kit
        self._fleet = fleet
        self._forge = forge
        self._place = place
        self._heard: dict[str, SiteStatus] = {}
        self._gone: dict[str, None] = {}
        self._pipelines: dict[str, Pipeline] = {}
        self._before: Catalogue | None = None
        self._crowd = Crowd(kit, forge, place.repository, outbox)
        self._telling = Telling(kit, forge, self._crowd, outbox)
        self._piped = Piped()
        kit.bus.subscribe(self._hear)

    def _hear(self, event: Event) -> None:
        if isinstance(event, StatusChanged):
            # Of each wish the last status, in order: one that fails at once would else never be heard of.
            key = f"{event.status.site} {event.status.digest}"
            self._heard.pop(key, None)
            self._heard[key] = event.status
            self._gone.pop(event.status.site, None)
        elif isinstance(event, SiteGone):
            for key in [key for key, status in self._heard.items() if status.site == event.site]:
                del self._heard[key]
            self._gone[event.site] = None

    async def run(self) -> None:
        """Look at what was heard, again and again, until cancelled."""
        await self._guarded("load", self._load)
        while True:
            await self._kit.clock.sleep(_GLANCE)
            await self._guarded("look", self.look)

    async def _guarded(self, what: str, work: Callable[[], Awaitable[None]]) -> None:
        """A mistake or a broken store here must not end the controller's work."""
        try:
            await work()
        except Exception as error:
            log.exception("forge.failed", about=what, kind=type(error).__name__)

    async def _load(self) -> None:
        """What was told by earlier starts, so that the word on a whole commit counts all of its sites."""
        await self._crowd.load()
        seen = await self._kit.store.value(_SEEN)
        if seen and seen != self._fleet.catalogue.commit:
            # Pushed while nobody was there to hear of it.
            self._before = self._fleet.preview(seen)
        for site in sorted(self._fleet.names()):
            await self._telling.known(site)

    async def look(self) -> None:
        """Take in what was heard since the last look, and have it told."""
        await self._follow()
        await _worked_off(self._pipelines, self._came_further)
        await _worked_off(self._heard, self._looked)
        await _worked_off(self._gone, self._left)
        self._crowd.tell(self._fleet.catalogue.commit)

    async def _follow(self) -> None:
        """A new commit: every site that it touches is told of at once."""
        before, after = self._before, self._fleet.catalogue
        if before is not None and before.commit == after.commit:
            return
        if before is not None and before.commit:
            await self._touched(before, after)
        self._before = after
        await self._kit.store.set_value(_SEEN, after.commit)

    async def _touched(self, before: Catalogue, after: Catalogue) -> None:
        changed = self._kit.source.changed(before.commit, after.commit)
        newest = self._newest((before.commit,))
        if newest is None:
            return
        names = touched(before, after, changed)
        await self._crowd.expect(after.commit, frozenset(names), len(untold(after)))
        for site in sorted(names):
            problems = after.problems.get(site, ())
            told = await self._telling.known(site)
            now = reports.pushed(told, newest, str(problems[0]) if problems else "")
            await self._telling.say(site, now, deployed=False)

    async def _looked(self, _: str, status: SiteStatus) -> None:
        site = status.site
        told = await self._telling.known(site)
        failed = (await self._kit.store.rollout(site)).quarantined
        newest, content = self._newest(), self._content(site)
        now = reports.looked(told, status, newest, content, failed)
        urls = [endpoint.url for endpoint in status.endpoints]
        taken_back = frozenset(failed) & {told.digest, status.digest}
        await self._telling.say(
            site, self._piped.settled(site, told, now, taken_back), urls[0] if urls else ""
        )

    def pipeline(self, pipeline: Pipeline) -> None:
        """Hear of a pipeline: it tells how far its commit is, until the site can tell how that fares."""
        if pipeline.event.trigger in _OF_COMMITS and pipeline.event.commit:
            self._pipelines[pipeline.id] = pipeline

    async def _came_further(self, _: str, pipeline: Pipeline) -> None:
        event, site = pipeline.event, pipeline.site
        url = event.repository
        repository = self._forge.repository(url) if url else self._place.repository
        if not repository:
            return
        told = await self._telling.known(site)
        status = await self._heir(pipeline)
        if status is not None:
            self._piped.leave(site, event.commit)
            await self._looked("", status)
            return
        if not reports.speaks(pipeline):
            return
        known = told.content if url else told.spec
        if not url and event.commit != self._fleet.catalogue.commit:
            self._beside(site, pipeline)
            return
        self._piped.take(site, event.commit, told.digest)
        state, words = reports.of_pipeline(pipeline)
        ref = event.ref or ("" if url else self._place.ref)
        behind = known.behind if known and known.commit == event.commit else ()
        mark = Mark(repository, event.commit, ref, state, words, behind)
        now = replace(told, content=mark) if url else replace(told, spec=mark)
        await self._telling.say(site, now, deployed=bool(pipeline.digest))

    def _beside(self, site: str, pipeline: Pipeline) -> None:
        """A word on a commit that is not the one in force: it is refused, or was the newest just now."""
        if pipeline.outcome is not Outcome.FAILED:
            return
        state, words = reports.of_pipeline(pipeline)
        place = self._place
        self._telling.aside(site, Mark(place.repository, pipeline.event.commit, place.ref, state, words))

    async def _heir(self, pipeline: Pipeline) -> SiteStatus | None:
        """The site's status, where that tells of the pipeline's commit what the pipeline can tell no more."""
        if not reports.hands_over(pipeline):
            return None
        status = await self._kit.store.status(pipeline.site)
        if status is None or status.digest == pipeline.digest:
            return status
        failed = (await self._kit.store.rollout(pipeline.site)).quarantined
        return status if pipeline.digest in failed and pipeline.run else None

    def word(self, pipeline: Pipeline) -> CommitStatus | None:
        """What is told now of a pipeline's commit; None when nobody is told of it."""
        event, site = pipeline.event, pipeline.site
        if event.trigger not in _OF_COMMITS:
            return None
        told = self._telling.now(site)
        newest = told.content if event.repository else told.spec
        mark = newest
        if not event.repository:
            if self._crowd.crowded(event.commit):
                return self._crowd.word(event.commit)
            mark = self._crowd.mark(site, event.commit) or newest
        if mark is None or mark.commit != event.commit:
            return None
        if mark is not newest and pipeline.outcome is Outcome.SUPERSEDED:
            mark = reports.superseded(mark, newest) or mark
        if pipeline.id in self._pipelines:  # not taken in yet
            mark = replace(mark, state=CommitState.PENDING)
        return self._telling.word(site, mark)

    async def _left(self, site: str, _: None) -> None:
        await self._telling.ended(site)

    def _newest(self, behind: tuple[str, ...] = ()) -> Mark | None:
        commit = self._fleet.catalogue.commit
        if not self._place.repository or not commit:
            return None
        return Mark(self._place.repository, commit, self._place.ref, behind=behind)

    def _content(self, site: str) -> Mark | None:
        known = self._fleet.in_force(site)
        if known is None or not known.spec.content.git:
            return None
        content = known.spec.content
        repository, commit = self._forge.repository(content.git), self._kit.source.revision(content)
        return Mark(repository, commit, content.ref) if repository and commit else None


async def _worked_off(waiting: dict[str, _T], work: Callable[[str, _T], Awaitable[None]]) -> None:
    """Work off what waits; what fails stays, unless something newer came."""
    while waiting:
        key = next(iter(waiting))
        item = waiting.pop(key)
        try:
            await work(key, item)
        except Exception:
            waiting.setdefault(key, item)
            raise
