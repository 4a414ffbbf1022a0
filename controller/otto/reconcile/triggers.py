"""What starts pipelines besides a push to the spec repository."""

from collections.abc import Callable, Iterable, Mapping, Sequence

import structlog

from otto.decide import pipelines as decide
from otto.model.errors import UsageError
from otto.model.image import ImageName
from otto.model.pipeline import Event, Pipeline, Trigger
from otto.model.plan import StepKind
from otto.reconcile.fleet import Fleet
from otto.reconcile.kit import Kit
from otto.reconcile.pipelines import Pipelines
from otto.reconcile.watch import Watcher

log = structlog.get_logger("otto.pipeline")

_VERIFY = frozenset({StepKind.VERIFY})
_WORDS = 100
_NAMED = 3


class Triggers:
    """Turns events into pipelines and due sites.

    Args:
        kit: the ports.
        fleet: which sites there are.
        watcher: looks at the spec repository.
        pipelines: where pipelines are opened.
        wish: has a site's next look carry out steps in any case.
    """

    def __init__(
        self,
        kit: Kit,
        fleet: Fleet,
        watcher: Watcher,
        *,
        pipelines: Pipelines,
        wish: Callable[[str, frozenset[StepKind]], None],
    ) -> None:
        self._kit = kit
        self._fleet = fleet
        self._watcher = watcher
        self._pipelines = pipelines
        self._wish = wish
        kit.source.on_moved(self.moved)

    def moved(self, git: str, ref: str, commit: str) -> None:
        """A fetch found a content repository at another commit: whoever uses it is looked at."""
        sites = decide.users(self._fleet.specs_in_force(), [git], ref)
        event = Event(Trigger.CONTENT, self._kit.clock.now(), "", git, ref, commit)
        self._start(event, sites, moved=True)

    def content(self, event: Event, addresses: Iterable[str]) -> frozenset[str]:
        """Somebody says that a content repository moved: it is fetched, once, by whoever uses that ref.

        Args:
            event: what is said.
            addresses: the repository, as specs name it.

        Returns:
            The sites that are looked at.
        """
        known = frozenset(addresses)
        sites = decide.users(self._fleet.specs_in_force(), known, event.ref)
        for address in known if sites else ():
            self._kit.source.expire(address)
        self._start(event, sites)
        return sites

    async def specs(self, by: str, deliveries: int) -> None:
        """Somebody says that the spec repository moved: it is fetched, and pushes are told apart by that."""
        await self._watcher.look(by=by, deliveries=deliveries)

    def images(self, changed: Mapping[ImageName, str], by: str, sites: Sequence[str]) -> None:
        """Names stand for other images; whoever watches the index makes the sites due.

        Args:
            changed: name -> digest of the image it stands for now.
            by: who moved a channel last.
            sites: those that follow one of the names.
        """
        names = sorted(map(str, changed))
        ref = ", ".join(names[:_NAMED]) + (", …" if len(names) > _NAMED else "")
        digest = next(iter(changed.values())) if len(changed) == 1 else ""
        event = Event(Trigger.IMAGE, self._kit.clock.now(), by[:_WORDS], "", ref, digest)
        self._pipelines.open(event, sites)

    async def asked(self, site: str, by: str) -> Pipeline:
        """A person wants a site or zone fetched, looked at and verified now.

        Raises:
            UsageError: there is none of that name.
        """
        await self._watcher.look()
        if self._fleet.in_force(site) is None and self._fleet.domain(site) is None:
            raise UsageError(f"there is no site {site[:60]!r}", mend="otto status lists them")
        event = Event(Trigger.API, self._kit.clock.now(), by[:_WORDS])
        return self._anew(event, [site])[0]

    async def scheduled(self) -> None:
        """It is time to have every site fetched, looked at and verified; those at something already go on."""
        await self._watcher.look()
        sites = self._fleet.specs_in_force().keys() - self._pipelines.unfinished()
        log.info("pipeline.scheduled", count=len(sites))
        self._anew(Event(Trigger.SCHEDULE, self._kit.clock.now()), sites)

    def _anew(self, event: Event, sites: Iterable[str]) -> tuple[Pipeline, ...]:
        specs, wanted = self._fleet.specs_in_force(), frozenset(sites)
        for git in {spec.content.git for name, spec in specs.items() if name in wanted} - {""}:
            self._kit.source.expire(git)
        for site in wanted:
            self._wish(site, _VERIFY)
        return self._start(event, wanted)

    def _start(self, event: Event, sites: Iterable[str], *, moved: bool = False) -> tuple[Pipeline, ...]:
        """Opened before they are due, in one go: no turn comes between."""
        wanted = sorted(set(sites))
        opened = self._pipelines.open(event, wanted, moved=moved)
        for site in wanted:
            self._kit.queue.add(site, event.trigger.value)
        return opened
