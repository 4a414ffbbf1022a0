"""Tells a forge how commits fare: one status for each site they touch, one for all, and deployments.

Nothing here holds the loop up: it hears what happens, notes it, and tells it later. What was told is kept in
the store, so that a controller that starts anew tells nothing twice and forgets nothing.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import TypeVar

import structlog

from otto.decide import reports
from otto.decide.catalogue import touched, untold
from otto.model.catalogue import Catalogue
from otto.model.forge import CommitState, CommitStatus, Mark, Told
from otto.model.pipeline import Pipeline, Trigger
from otto.model.status import SiteStatus
from otto.ports import Forge
from otto.reconcile.events import Event, SiteGone, StatusChanged
from otto.reconcile.fleet import Fleet
from otto.reconcile.kit import Kit
from otto.reconcile.reporting.crowd import Crowd
from otto.reconcile.reporting.letter import Letter, as_deployment
from otto.reconcile.reporting.memory import CONTENT, SPEC, Memory, mark_of
from otto.reconcile.reporting.outbox import Outbox
from otto.reconcile.reporting.piped import Piped

log = structlog.get_logger("otto.forge")

_GLANCE = 1.0
_SEEN = "forge.seen"
_OF_COMMITS = frozenset({Trigger.PUSH, Trigger.CONTENT})
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
        self._outbox = outbox
        self._context = kit.forging.context
        self._heard: dict[str, SiteStatus] = {}
        self._gone: dict[str, None] = {}
        self._pipelines: dict[str, Pipeline] = {}
        self._before: Catalogue | None = None
        self._told: dict[str, Told] = {}
        self._memory = Memory(kit.store)
        self._offered: dict[tuple[str, str], Mark] = {}
        self._crowd = Crowd(kit, forge, place.repository, outbox)
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
            await self._known(site)

    async def look(self) -> None:
        """Take in what was heard since the last look, and have it told."""
        await self._follow()
        await _worked_off(self._pipelines, self._came_further)
        await _worked_off(self._heard, self._looked)
        await _worked_off(self._gone, self._ended)
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
            told = await self._known(site)
            now = reports.pushed(told, newest, str(problems[0]) if problems else "")
            await self._say(site, now, deployed=False)

    async def _looked(self, _: str, status: SiteStatus) -> None:
        site = status.site
        told = await self._known(site)
        failed = (await self._kit.store.rollout(site)).quarantined
        newest, content = self._newest(), self._content(site)
        now = reports.looked(told, status, newest, content, failed)
        urls = [endpoint.url for endpoint in status.endpoints]
        taken_back = frozenset(failed) & {told.digest, status.digest}
        await self._say(site, self._piped.settled(site, told, now, taken_back), urls[0] if urls else "")

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
        told = await self._known(site)
        status = await self._heir(pipeline)
        if status is not None:
            self._piped.leave(site, event.commit)
            await self._looked("", status)
            return
        if not reports.speaks(pipeline):
            return
        known = told.content if url else told.spec
        if known is not None and event.commit in known.behind:
            return  # a newer commit was told of already
        self._piped.take(site, event.commit, told.digest)
        state, words = reports.of_pipeline(pipeline)
        ref = event.ref or ("" if url else self._place.ref)
        behind = known.behind if known and known.commit == event.commit else ()
        mark = Mark(repository, event.commit, ref, state, words, behind)
        now = replace(told, content=mark) if url else replace(told, spec=mark)
        await self._say(site, now, deployed=bool(pipeline.digest))

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
        told = self._told.get(site)
        if event.trigger not in _OF_COMMITS or told is None:
            return None
        mark = told.content if event.repository else told.spec
        if mark is None or mark.commit != event.commit:
            return None
        if self._crowd.crowded(mark.commit) and not event.repository:
            return self._crowd.word(mark.commit)
        if pipeline.id in self._pipelines:  # not taken in yet
            mark = replace(mark, state=CommitState.PENDING)
        return self._word(site, mark)

    def about(self, word: CommitStatus) -> str:
        """What a word is about, as the outbox knows it."""
        return f"{word.repository} {word.commit} {word.context}"

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

    async def _known(self, site: str) -> Told:
        if site not in self._told:
            self._told[site] = await self._memory.load(site)
            spec = self._told[site].spec
            if spec is not None:
                self._crowd.note(site, spec)
        return self._told[site]

    async def _say(self, site: str, told: Told, url: str = "", *, deployed: bool = True) -> None:
        """Have whatever changed told; what comes to no server is no deployment."""
        before = self._told.get(site, Told())
        self._told[site] = told
        for track in (SPEC, CONTENT):
            old, new = mark_of(before, track), mark_of(told, track)
            last = reports.superseded(old, new)
            if last is not None and not self._crowd.crowded(last.commit):
                self._outbox.put(self._about(site, last), Letter(self._forge, self._word(site, last)))
            if new is None:
                continue
            if track == SPEC:
                self._crowd.note(site, new)
            if new != self._offered.get((site, track), self._memory.mark(site, track)):
                self._offered[site, track] = new
                await self._tell(site, track, new, url, deployed=deployed)

    async def _tell(self, site: str, track: str, mark: Mark, url: str, *, deployed: bool) -> None:
        async def done(found: str) -> None:
            digest = self._told.get(site, Told()).digest
            await self._memory.keep(site, digest, track, mark, found)

        if track == SPEC and self._crowd.crowded(mark.commit):
            # Told of together with the others; its end is kept, so that it is counted after a restart.
            if mark.state is not CommitState.PENDING:
                await done("")
            return
        known = partial(self._memory.deployment, site, track, mark.commit)
        wanted = self._kit.forging.deployments and deployed and mark.words != reports.QUEUED
        deployment = as_deployment(site, mark, url) if wanted else None
        letter = Letter(self._forge, self._word(site, mark, url), deployment, known, done)
        self._outbox.put(self._about(site, mark), letter)

    async def _ended(self, site: str, _: None) -> None:
        """A site is gone: so are its deployments, and what was kept of it."""
        told, sent = await self._known(site), await self._memory.load(site)
        if told.spec is not None and told.spec.state is CommitState.PENDING:
            last = replace(told.spec, state=CommitState.SUCCESS, words=reports.TAKEN_DOWN)
            self._crowd.note(site, last)
            if not self._crowd.crowded(last.commit):
                self._outbox.put(self._about(site, last), Letter(self._forge, self._word(site, last)))
        for track in (SPEC, CONTENT):
            mark = mark_of(sent, track)
            known = sent.deployments.get(track, "")
            if mark is not None and known:
                gone = as_deployment(site, mark, "", gone=True)
                letter = Letter(self._forge, None, gone, partial(str, known))
                self._outbox.put(f"{site} is gone, {track}", letter)
            self._offered.pop((site, track), None)
        self._told.pop(site, None)
        await self._memory.forget(site)

    def _word(self, site: str, mark: Mark, url: str = "") -> CommitStatus:
        context = f"{self._context}/{site}"
        return CommitStatus(mark.repository, mark.commit, context, mark.state, mark.words, url, mark.ref)

    def _about(self, site: str, mark: Mark) -> str:
        return f"{mark.repository} {mark.commit} {self._context}/{site}"


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
