"""The controller: source, loop and local socket together, over ports that are handed in."""

import asyncio
import contextlib
import os
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from pathlib import Path

import structlog

from otto import __version__
from otto.config import SourceSettings
from otto.decide.pushed import Judgement, ascii_line, judge
from otto.model.delivery import Delivery, DeliveryKind
from otto.model.errors import UsageError
from otto.model.plan import StepKind
from otto.model.signature import Refusal, TagRef
from otto.ports import Source
from otto.reconcile.control import Answer, Control, Handler, Request
from otto.reconcile.door import Door, target
from otto.reconcile.fleet import Fleet
from otto.reconcile.foresight import Foresight
from otto.reconcile.freezing import Freezer
from otto.reconcile.imagewatch import ImageWatch
from otto.reconcile.intake import Intake
from otto.reconcile.kit import Kit
from otto.reconcile.loop import Loop
from otto.reconcile.observation.watchman import Watchman
from otto.reconcile.pipelines import Pipelines
from otto.reconcile.reconciler import Reconciler
from otto.reconcile.reporting.reporting import Reporting
from otto.reconcile.resolve import Resolver
from otto.reconcile.scheduling import Schedule
from otto.reconcile.stores.drafter import Drafter
from otto.reconcile.stores.stores import Stores
from otto.reconcile.stores.writer import Writer
from otto.reconcile.triggers import Triggers
from otto.reconcile.watch import Watcher

log = structlog.get_logger("otto.controller")

SOCKET = "control.sock"
_TRIPLE = 3
_TAGS = "refs/tags/"
# Opens the repository with the objects of a push that is not accepted yet.
Quarantined = Callable[[str | None], contextlib.AbstractContextManager[Source]]


class Controller:
    """Watches one repository and keeps its sites.

    Args:
        kit: the ports.
        home: OTTO_HOME.
        quarantined: opens the repository with a push that is not accepted yet.
        source: settings of the repository.
        schedule: when pipelines start by themselves, as a cron expression; "" for never.
    """

    def __init__(
        self,
        kit: Kit,
        home: Path,
        source: SourceSettings,
        quarantined: Quarantined,
        schedule: str = "",
    ) -> None:
        self.kit = kit
        self.fleet = Fleet(kit.source, kit.specs, kit.store, Freezer(kit))
        self.reconciler = Reconciler(kit, self.fleet)
        self.loop = Loop(kit, self.fleet, self.reconciler)
        self.images = ImageWatch(kit, self.fleet)
        self.pipelines = Pipelines(kit)
        self._door = Door(kit)
        self.watcher = Watcher(kit, self.fleet, self._door, self.pipelines, interval=source.interval)
        self.triggers = Triggers(
            kit, self.fleet, self.watcher, pipelines=self.pipelines, wish=self.reconciler.wish
        )
        self.intake = Intake(kit, self.fleet, source, self.triggers)
        self._schedule = Schedule(schedule, kit.clock)
        self.reporting = Reporting(kit, self.fleet, kit.forge, source) if kit.forge else None
        self.stores = self._stores(source)
        self.watchman = Watchman(kit, self.fleet, self.reconciler.sentinel.desk)
        self._join()
        self._source = source
        self._quarantined = quarantined
        self._control = Control(home / SOCKET, self._handlers())

    def _stores(self, source: SourceSettings) -> Stores | None:
        """What callers of the API read and write; None over a repository that cannot be written."""
        kit, fleet = self.kit, self.fleet
        if kit.specbook is None or kit.editor is None:
            return None
        drafter = Drafter(kit, fleet, self._door, source, book=kit.specbook, editor=kit.editor)
        writer = Writer(kit, drafter, kit.specbook)
        domains = self.reconciler.domains
        return Stores(
            kit,
            fleet,
            self.watcher,
            writer=writer,
            shelf=drafter.shelf,
            foresight=Foresight(kit, fleet, lambda: Resolver(kit), domains.foresee),
            zone_digest=domains.zones.latest,
        )

    def _join(self) -> None:
        """Have the parts hear of each other."""
        self.watcher.listeners.append(self.intake.learn)
        self.images.listeners.append(self.triggers.images)
        if self.reporting is not None:
            self.intake.listeners.append(self._delivered)
            self.pipelines.subscribe(self.reporting.pipeline)
            self.pipelines.reporters.append(self.reporting)

    def _delivered(self, delivery: Delivery) -> None:
        if self.reporting is not None and delivery.kind is DeliveryKind.PULL:
            self.reporting.pull_moved()

    async def start(self) -> None:
        """Recover, read the repository, and make every site due. After this the socket answers."""
        await self.loop.recover()
        await self.pipelines.recover()
        await self.fleet.load()
        await self.reconciler.headcount.load()
        await self.reconciler.domains.load()
        await self.watcher.look()
        if self.stores is not None:
            await self.stores.recover()
        await self.images.look()
        self.intake.learn()
        await self.loop.start_all()
        await self._control.start()
        log.info("controller.started", sites=len(self.fleet.names()), commit=self.fleet.catalogue.commit)

    async def run(self) -> None:
        """Work until cancelled; every child process has ended when this returns."""
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self.loop.run(), name="loop")
                group.create_task(self.reconciler.sentinel.run(), name="sentinel")
                group.create_task(self.watcher.run(), name="watch")
                group.create_task(self.watchman.run(), name="hosts")
                group.create_task(self.images.run(), name="images")
                group.create_task(self.pipelines.run(), name="pipelines")
                group.create_task(self.intake.run(), name="webhooks")
                group.create_task(self._schedule.run(self.triggers.scheduled), name="schedule")
                group.create_task(self.reconciler.steward.run(), name="steward")
                if self.reporting is not None:
                    group.create_task(self.reporting.run(), name="forge")
        finally:
            await self.stop()

    async def stop(self) -> None:
        """Close the socket; for a controller that was started and never ran."""
        await self._control.stop()
        log.info("controller.stopped")

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator["Controller"]:
        """The controller at work for as long as the block lasts."""
        await self.start()
        task = asyncio.create_task(self.run(), name="controller")
        try:
            yield self
        finally:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task

    def _handlers(self) -> Mapping[str, Handler]:
        return {
            "push": self._push,
            "judge": self._judged,
            "due": self._due,
            "images": self._images,
            "info": self._info,
            "pipeline": self._pipeline,
        }

    async def _push(self, request: Request) -> AsyncIterator[Answer]:
        """The post-receive hook: decide at once, and tell the pusher."""
        found = await self.watcher.look()
        nothing = (self._nothing_new(request),)
        lines = judge(found.before, found.after, found.changed).lines if found else nothing
        for line in lines:
            yield {"line": line}
        if self.watcher.state.unsigned:
            yield {"line": f"OttO does not deploy this: {ascii_line(self.watcher.state.unsigned, 600)}"}
        yield {"done": True, "exit": 0}

    def _nothing_new(self, request: Request) -> str:
        if self.watcher.state.error:
            return f"OttO could not read the push: {self.watcher.state.error}"
        if f"refs/heads/{self._source.branch}" in {name for _, _, name in _refs(request)}:
            return "OttO is at work on it already; watch it: otto status --watch"
        return "OttO follows another branch; nothing changes for any site"

    async def _judged(self, request: Request) -> AsyncIterator[Answer]:
        """The pre-receive hook: refuse what nobody known signed, and bad specs, if that is what was set."""
        branch = f"refs/heads/{self._source.branch}"
        refs = [(new, ref) for _, new, ref in _refs(request) if set(new) != {"0"}]
        pushed = [new for new, ref in refs if ref == branch]
        quarantine = str(request.get("quarantine") or "") or None
        refusals = await self._unsigned(pushed, refs, quarantine)
        if refusals:
            for line in _told(refusals):
                yield {"line": line}
            yield {"done": True, "exit": 1}
            return
        if not self._source.rejectInvalid or not pushed:
            yield {"done": True, "exit": 0}
            return
        judgement = self._preview(pushed[-1], quarantine)
        for line in judgement.lines if judgement.refusals else ():
            yield {"line": line}
        yield {"done": True, "exit": 1 if judgement.refusals else 0}

    async def _unsigned(
        self, commits: list[str], refs: list[tuple[str, str]], quarantine: str | None
    ) -> tuple[Refusal, ...]:
        """What of a push nobody known has signed."""
        if self.kit.policies.fleet().signatures is None:
            return ()
        found: list[Refusal] = []
        with self._quarantined(quarantine) as source:
            for commit in commits:
                refusal = await self._door.preview(commit, source)
                await self._turn_away(commit, refusal, source, found)
            for new, ref in refs:
                if ref.startswith(_TAGS):
                    tag = TagRef(ref.removeprefix(_TAGS), new)
                    refusal = await self._door.preview_tag(tag, source)
                    await self._turn_away(target(tag, source), refusal, source, found)
        return tuple(found)

    async def _turn_away(
        self, commit: str, refusal: Refusal | None, source: Source, found: list[Refusal]
    ) -> None:
        if refusal is None:
            return
        found.append(refusal)
        if commit:
            await self.watcher.turned_away.refused(commit, refusal, source)

    def _preview(self, commit: str, quarantine: str | None) -> Judgement:
        with self._quarantined(quarantine) as source:
            after, changed = self.fleet.compared(commit, source)
        return judge(self.fleet.catalogue, after, changed, refuse=True)

    async def due(self, site: str, steps: frozenset[StepKind] = frozenset()) -> None:
        """Have a site looked at now.

        Args:
            site: its name.
            steps: what is carried out whether or not anything differs.

        Raises:
            UsageError: there is no such site.
        """
        known = site in self.fleet.names() or await self.kit.store.status(site) is not None
        if not known:
            raise UsageError(f"there is no site {site[:60]!r}", mend="otto status lists them")
        self.reconciler.wish(site, steps)
        self.kit.queue.add(site, "asked")

    async def _due(self, request: Request) -> AsyncIterator[Answer]:
        """Look at a site now: `{"op": "due", "site": NAME, "steps": [STEP…]}`."""
        steps = frozenset(StepKind(step) for step in request.get("steps", ()))
        await self.due(str(request.get("site", "")), steps)
        yield {"done": True, "exit": 0}

    async def _images(self, _: Request) -> AsyncIterator[Answer]:
        """The index of images changed: have the sites looked at now that this concerns."""
        yield {"done": True, "exit": 0, "due": list(await self.images.look())}

    async def _pipeline(self, request: Request) -> AsyncIterator[Answer]:
        """Start a pipeline: `{"op": "pipeline", "site": NAME, "by": WHO}`; its id."""
        site, by = str(request.get("site", "")), str(request.get("by", ""))
        opened = await self.triggers.asked(site, by)
        yield {"done": True, "exit": 0, "pipeline": opened.id}

    async def _info(self, _: Request) -> AsyncIterator[Answer]:
        yield {"done": True, "exit": 0, "pid": os.getpid(), "version": __version__}


def _told(refusals: Sequence[Refusal]) -> Iterator[str]:
    """Refusals for the pusher's terminal."""
    for refusal in refusals:
        yield f"OttO: {ascii_line(refusal.reason, 600)}"
        if refusal.mend:
            yield f"  to go on: {ascii_line(refusal.mend)}"
    yield "The push is refused."


def _refs(request: Request) -> list[tuple[str, str, str]]:
    """The refs of a push, as the hook sends them.

    Raises:
        ValueError: they are not triples of text.
    """
    refs = request.get("refs")
    if not isinstance(refs, list) or not all(isinstance(r, list) and len(r) == _TRIPLE for r in refs):
        raise ValueError("refs are to be [old, new, name] each")
    return [(str(old), str(new), str(name)) for old, new, name in refs]
