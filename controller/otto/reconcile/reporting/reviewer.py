"""Keeps one comment on every open pull request of the spec repository: what merging it would do."""

import json
from dataclasses import dataclass, replace

import structlog

from otto.decide.preview import Preview, comment, marker, outdated, verdict_on
from otto.decide.schedule import backoff, jittered
from otto.model.canonical import digest, to_data
from otto.model.errors import OttoError, TerminalError, TransientError
from otto.model.forge import CommitStatus, Proposal, Pull
from otto.model.reading import read
from otto.ports import Forge
from otto.reconcile.fleet import Fleet
from otto.reconcile.kit import Kit
from otto.reconcile.reporting.outbox import Outbox
from otto.reconcile.reporting.previewer import Previewer
from otto.reconcile.reporting.reporter import Place

log = structlog.get_logger("otto.forge")

_KEY = "forge.pulls"
_GLANCE = 1.0


@dataclass(frozen=True, slots=True)
class Said:
    """What was said on a pull request.

    Attributes:
        basis: names all that the preview depends on.
        head: the commit that was previewed.
        comment: the forge's id of our comment.
    """

    basis: str = ""
    head: str = ""
    comment: str = ""


class Reviewer:
    """Looks at open pull requests now and then, and at once when the branch moves or somebody says so.

    Args:
        kit: the ports.
        fleet: the specs in force.
        forge: where the pull requests are.
        place: the spec repository there.
        outbox: what waits to be told.
        previewer: works the previews out.
    """

    def __init__(
        self,
        kit: Kit,
        fleet: Fleet,
        forge: Forge,
        *,
        place: Place,
        outbox: Outbox,
        previewer: Previewer,
    ) -> None:
        self._kit = kit
        self._fleet = fleet
        self._forge = forge
        self._place = place
        self._outbox = outbox
        self._previewer = previewer
        self._basis: dict[int, str] = {}
        self._said: dict[int, Said] = {}
        self._next = kit.clock.monotonic()
        self._base = ""
        self._failures = 0

    def poke(self) -> None:
        """A pull request was opened, moved or closed: look at once."""
        self._next = self._kit.clock.monotonic()

    async def run(self) -> None:
        """Look until cancelled."""
        await self._load()
        while True:
            await self._kit.clock.sleep(_GLANCE)
            moved = self._fleet.catalogue.commit != self._base and not self._failures
            if moved or self._kit.clock.monotonic() >= self._next:
                await self._look_and_survive()

    async def _load(self) -> None:
        try:
            text = await self._kit.store.value(_KEY)
            kept = read(dict[str, Said], json.loads(text)) if text else {}
            self._said = {int(number): said for number, said in kept.items()}
            self._basis = {number: said.basis for number, said in self._said.items()}
        except Exception as error:
            # At worst each comment is looked for once more.
            log.exception("forge.failed", about="pull requests", kind=type(error).__name__)

    async def _look_and_survive(self) -> None:
        """A forge, or a proposal, that breaks a look must not end the controller's work."""
        pause = jittered(self._kit.forging.interval, self._kit.rng)
        try:
            await self.look()
            self._failures = 0
        except OttoError as error:
            self._failures += 1
            asked = error.retry_after if isinstance(error, TransientError) else None
            pause = max(pause, asked or 0.0, backoff(self._failures, self._kit.rng))
            log.warning("forge.waiting", about="pull requests", reason=str(error), seconds=round(pause, 1))
        except Exception as error:
            self._failures += 1
            log.exception("forge.failed", about="pull requests", kind=type(error).__name__)
        self._next = self._kit.clock.monotonic() + pause

    async def look(self) -> None:
        """Look at all open pull requests; preview those that moved, or whose branch did.

        Raises:
            OttoError: the forge does not say which there are.
        """
        base, most = self._fleet.catalogue.commit, self._kit.forging.pulls
        if not base:
            return
        pulls = await self._forge.open_pulls(self._place.repository, self._place.ref, most)
        for pull in pulls:
            await self._one(pull, base)
        if len(pulls) < most:  # else there may be more than were listed
            for number in sorted(self._basis.keys() - {pull.number for pull in pulls}):
                self._closed(number)
        self._base = base

    async def _one(self, pull: Pull, base: str) -> None:
        basis = digest([pull.head, base, self._kit.policies.fleet()])
        if self._basis.get(pull.number) == basis:
            return
        try:
            preview = await self._previewer.preview(pull.ref, base)
        except TransientError as error:
            log.info("forge.unpreviewed", pull=pull.number, reason=str(error))
            return
        except TerminalError as error:
            preview = Preview(Proposal(pull.head, base, trouble=str(error)))
        self._basis[pull.number] = basis
        body = comment(self._kit.forging.context, preview)
        self._say(pull.number, body, Said(basis, pull.head))
        self._mark(preview, pull.head)

    def _say(self, number: int, body: str, new: Said) -> None:
        async def send() -> None:
            found = await self._comment(number, body)
            self._said[number] = replace(new, comment=found)
            await self._keep()

        self._outbox.put(self._about(number), send)

    async def _comment(self, number: int, body: str) -> str:
        known = self._said.get(number, Said()).comment
        mark = marker(self._kit.forging.context)
        return await self._forge.comment(self._place.repository, number, mark, body, known)

    def _mark(self, preview: Preview, head: str) -> None:
        """The preview's outcome as a status of the proposed commit, which the branch can be made to need."""
        state, words = verdict_on(preview)
        context = f"{self._kit.forging.context} preview"
        word = CommitStatus(self._place.repository, head, context, state, words)

        async def send() -> None:
            await self._forge.status(word)

        self._outbox.put(f"{self._place.repository} {head} {context}", send)

    def _closed(self, number: int) -> None:
        del self._basis[number]

        async def send() -> None:
            if number in self._said:
                await self._comment(number, outdated(self._kit.forging.context, self._said[number].head))
                del self._said[number]
                await self._keep()

        self._outbox.put(self._about(number), send)

    def _about(self, number: int) -> str:
        return f"{self._place.repository} pull request {number}"

    async def _keep(self) -> None:
        """What was said is kept; what was not is worked out and said again after a restart."""
        kept = {str(number): to_data(said) for number, said in self._said.items()}
        await self._kit.store.set_value(_KEY, json.dumps(kept))
