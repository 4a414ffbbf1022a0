"""What a forge is told over each site, and the saying of it: what changed is said, once."""

from dataclasses import replace
from functools import partial

from otto.decide import reports
from otto.model.forge import CommitState, CommitStatus, Mark, Told
from otto.ports import Forge
from otto.reconcile.kit import Kit
from otto.reconcile.reporting.crowd import Crowd
from otto.reconcile.reporting.letter import Letter, as_deployment
from otto.reconcile.reporting.memory import CONTENT, SPEC, Memory, mark_of
from otto.reconcile.reporting.outbox import Outbox


class Telling:
    """Says what changed.

    Args:
        kit: the ports.
        forge: who is told.
        crowd: speaks for commits as a whole.
        outbox: what waits to be told.
    """

    def __init__(self, kit: Kit, forge: Forge, crowd: Crowd, outbox: Outbox) -> None:
        self._kit = kit
        self._forge = forge
        self._crowd = crowd
        self._outbox = outbox
        self._context = kit.forging.context
        self._told: dict[str, Told] = {}
        self._memory = Memory(kit.store)
        self._offered: dict[tuple[str, str], Mark] = {}

    async def known(self, site: str) -> Told:
        """What is told over a site now, by earlier starts too."""
        if site not in self._told:
            self._told[site] = await self._memory.load(site)
            spec = self._told[site].spec
            if spec is not None:
                self._crowd.note(site, spec)
        return self._told[site]

    def aside(self, site: str, mark: Mark) -> None:
        """Say a word on a commit of the specs that is not the one in force; all else that is told stays."""
        self._crowd.note(site, mark)
        self._crowd.tell(mark.commit)
        if not self._crowd.crowded(mark.commit):
            self._outbox.put(self._about(site, mark), Letter(self._forge, self.word(site, mark)))

    def now(self, site: str) -> Told:
        """What is told over a site, as far as it was loaded."""
        return self._told.get(site, Told())

    async def say(self, site: str, told: Told, url: str = "", *, deployed: bool = True) -> None:
        """Have whatever changed told; what comes to no server is no deployment."""
        before = self._told.get(site, Told())
        self._told[site] = told
        for track in (SPEC, CONTENT):
            old, new = mark_of(before, track), mark_of(told, track)
            last = reports.superseded(old, new)
            if last is not None and not self._crowd.crowded(last.commit):
                self._outbox.put(self._about(site, last), Letter(self._forge, self.word(site, last)))
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
        letter = Letter(self._forge, self.word(site, mark, url), deployment, known, done)
        self._outbox.put(self._about(site, mark), letter)

    async def ended(self, site: str) -> None:
        """A site is gone: so are its deployments, and what was kept of it."""
        told, sent = await self.known(site), await self._memory.load(site)
        if told.spec is not None and told.spec.state is CommitState.PENDING:
            last = replace(told.spec, state=CommitState.SUCCESS, words=reports.TAKEN_DOWN)
            self._crowd.note(site, last)
            if not self._crowd.crowded(last.commit):
                self._outbox.put(self._about(site, last), Letter(self._forge, self.word(site, last)))
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

    def word(self, site: str, mark: Mark, url: str = "") -> CommitStatus:
        """The word on a commit, as a forge takes it."""
        context = f"{self._context}/{site}"
        return CommitStatus(mark.repository, mark.commit, context, mark.state, mark.words, url, mark.ref)

    def _about(self, site: str, mark: Mark) -> str:
        return f"{mark.repository} {mark.commit} {self._context}/{site}"
