"""A controller that lives and dies over a world in memory, while things happen to the world."""

import asyncio
import tempfile
from collections.abc import Callable, Coroutine
from contextlib import nullcontext, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

import structlog

from otto.config import LoopSettings, SourceSettings
from otto.decide.expected import wanted
from otto.model.catalogue import RememberedSpec
from otto.model.desired import Desired
from otto.model.history import OTTO, GrantKind
from otto.model.run import Outcome
from otto.model.spec import Role, SiteSpec
from otto.model.status import Phase
from otto.reconcile.controller import Controller
from otto.reconcile.resolve import Resolver
from otto.testing import SimHost, World

from .mortal import Laws, Life, mortal

# Longest backoff, slowest tier and a run after each other; more means that it would never come.
PATIENCE = 600.0
LOOK = 5.0
# Web servers that a site has at most.
MOST = 3
STORE_CALLS = ("save_run", "save_status", "save_applied")


@dataclass(frozen=True)
class Wait:
    """Time passes."""

    seconds: float


@dataclass
class Process:
    """A controller's process."""

    life: Life
    task: "asyncio.Task[None]"
    controller: Controller


@dataclass
class Story:
    """One world, and one controller at a time over it.

    Attributes:
        home: where the controller's socket is.
        lost: ids of hosts of which something happened that allows a new one in their place.
        shrunk: names of hosts that some push did not want.
        poll: seconds between two looks at the repository.
    """

    home: Path
    world: World = field(default_factory=World)
    laws: Laws = field(default_factory=Laws)
    lost: set[str] = field(default_factory=set)
    shrunk: set[str] = field(default_factory=set)
    specs: dict[str, SiteSpec] = field(default_factory=dict)
    process: Process | None = None
    poll: float = 30.0

    @classmethod
    def quietly(cls, tell: Callable[[Self], Coroutine[Any, Any, None]]) -> None:
        """Tell a story over a world of its own, without its thousands of log lines."""
        structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(50))
        try:
            with tempfile.TemporaryDirectory() as home:
                asyncio.run(tell(cls(Path(home))))
        finally:
            structlog.reset_defaults()

    def push(self, *specs: SiteSpec, page: str = "") -> None:
        """Push specs and their sites' page; the hook tells a controller that runs."""
        pages = {f"{spec.content.path}/index.html": f"<h1>It works</h1>{page}" for spec in specs}
        self.world.push(*specs, files=pages if page else None)
        self.specs |= {spec.name: spec for spec in specs}
        for spec in specs:
            self.shrunk |= {f"{spec.name}-web-{number}" for number in range(spec.web.count + 1, MOST + 1)}

    def start(self) -> Process:
        """Start a controller. The store works by then, or `otto up` would end with its error."""
        assert self.process is None
        for call in STORE_CALLS:
            self.world.store.failures.stop(call)
        life = Life()
        kit = mortal(
            self.world.kit(LoopSettings(workers=2, verifyDeadline=2.0, backoffCap=30.0)),
            self.world,
            life,
            self.laws,
        )
        source = SourceSettings(interval=self.poll)
        controller = Controller(kit, self.home, source, lambda _: nullcontext(self.world.source))
        self.process = Process(life, asyncio.create_task(_live(controller), name="controller"), controller)
        return self.process

    async def kill(self) -> None:
        """What is left of a controller after kill -9: nothing but the world."""
        assert self.process is not None
        assert not self.process.task.done(), "the controller ended by itself"
        await self.process.life.bury(self.process.task)
        self.process = None
        self.world.restart()

    async def stop(self) -> None:
        """Stop the controller as a signal does; it waits for its children."""
        assert self.process is not None
        self.process.task.cancel()
        while not self.process.task.done():
            await self.pass_by(0.5)
        self.process = None
        self.world.restart()

    async def pass_by(self, seconds: float) -> None:
        """Let time pass; a controller that dies meanwhile stays dead."""
        await self.world.clock.advance(seconds)
        names = [host.name for host in self.world.hosts]
        doubles = {name for name in names if names.count(name) > 1}
        if doubles:
            self.laws.broken.append(f"twice: {sorted(doubles)}")

    async def until_dead(self, points: int, seconds: float) -> None:
        """Kill the controller at the so-manieth point from now, or after so many seconds."""
        assert self.process is not None
        life = self.process.life
        life.fuse = points
        while not life.dead.is_set() and seconds > 0:
            await self.pass_by(0.25)
            seconds -= 0.25
        await self.kill()

    async def calm(self) -> None:
        """Nothing happens any more: let a controller bring everything to rest."""
        for host in self.world.hosts:
            host.cut, host.answers = False, True
        self.world.infrastructure.failures.stop("state")
        if self.process is None:
            self.start()
        waited = 0.0
        while waited < PATIENCE:
            await self.pass_by(LOOK)
            await self._try_again()
            waited += LOOK
            if not await self.troubles():
                return
        raise AssertionError(f"not at rest after {PATIENCE:g} s: {await self.troubles()}")

    async def _try_again(self) -> None:
        """Trouble may have made a wish look bad: a person has it tried again, told by what it failed."""
        for grant in await self.world.ledger.grants(kind=GrantKind.QUARANTINE):
            known = (await self.world.store.rollout(grant.site)).quarantined.get(grant.plan)
            if grant.by == OTTO and (known is None or not known.failures or not grant.reason):
                self.laws.broken.append(f"{grant.site} is quarantined and names no check: {grant}")
            await self.world.ledger.revoke(grant)

    async def troubles(self) -> list[str]:
        """What is not as every spec wants it, by the world and by what is told of it."""
        found = [f"child of {site}" for site in self.laws.children]
        for name, spec in self.specs.items():
            status = await self.world.store.status(name)
            if status is None or status.phase is not Phase.READY or not status.ready:
                found.append(f"{name}: {status.phase if status else 'no status'}: {_message(status)}")
            found += await self._host_troubles(spec)
        found += [f"open: {run.id}" for run in await self.world.store.open_runs()]
        found += [f"open: {item.id} {item.message}" for item in await self.world.store.pipelines.open()]
        return found

    async def _host_troubles(self, spec: SiteSpec) -> list[str]:
        desired = await self._desired(spec)
        names = wanted(desired)
        hosts = [host for host in self.world.hosts if host.name in names]
        known = await self._known(spec.name)
        strays = {
            host.name for host in self.world.hosts if host.site == spec.name and host.id in known
        } - names.keys()
        if len(hosts) != len(names) or strays:
            return [f"{spec.name} has {[host.name for host in hosts]} and {sorted(strays)}"]
        webs = {host.name for host in hosts if host.role is Role.WEB}
        found = [f"{host.name}: {word}" for host in hosts for word in _wrong(host, desired.content)]
        for host in hosts:
            if host.role is Role.BALANCER and {backend.name for backend in host.backends} != webs:
                found.append(f"{host.name} sends to {host.backends}")
            # Of what a spec says, balancers are told the algorithm alone, and servers the domains.
            is_of = host.domains == spec.domains
            if host.role is Role.BALANCER:
                is_of = host.algorithm == spec.algorithm
            found += [] if is_of else [f"{host.name} is of another spec"]
        return found

    async def _known(self, site: str) -> set[str]:
        """Ids of the hosts in a site's state. A host of ours that is in none is left alone on purpose."""
        state = await self.world.infrastructure.state(site)
        return {host.id for host in state.hosts} if state else set()

    def is_worked_on(self, site: str) -> bool:
        """Whether a living controller's run is at it.

        What is edited between a play and the question what it has laid is taken for its work.
        """
        return self.process is not None and site in self.process.life.runs

    async def _desired(self, spec: SiteSpec) -> Desired:
        assert self.world.source.head is not None
        return await Resolver(self.world.kit()).resolve(RememberedSpec(spec, self.world.source.head))

    async def a_restart_does_nothing(self) -> None:
        """Over a fleet that is in order a new controller plans nothing, plays nothing and begins no run."""
        await self.pass_by(60)
        await self.kill()
        world = self.world
        before = await world.store.runs(limit=1000)
        plans, plays = world.infrastructure.failures.count("plan"), len(world.configuration.requests)
        self.start()
        await self.pass_by(60)
        assert await self.troubles() == []
        assert await world.store.runs(limit=1000) == before
        assert world.infrastructure.failures.count("plan") == plans
        assert len(world.configuration.requests) == plays

    async def closed_runs(self) -> None:
        """Every run has ended, with all its steps."""
        for run in await self.world.store.runs(limit=1000):
            assert run.ended_at is not None, run
            assert run.outcome is not Outcome.RUNNING, run
            assert all(step.ended_at is not None for step in run.steps), run


def edit(story: Story, host: SimHost) -> None:
    """Somebody edits a host's files by hand."""
    if not story.is_worked_on(host.site):
        host.files = dict.fromkeys(host.files, "edited")


def _message(status: object) -> str:
    return getattr(status, "message", "")


def _wrong(host: SimHost, revision: str) -> list[str]:
    told = {
        "does not serve": not host.serves,
        "is damaged": bool(host.damage),
        "has servers disabled": bool(host.disabled),
        "has a file edited": any(value in (None, "edited") for value in host.files.values()),
        "has an old revision": host.role is Role.WEB and host.revision != revision,
    }
    return [word for word, holds in told.items() if holds]


async def _live(controller: Controller) -> None:
    with suppress(asyncio.CancelledError):
        await controller.start()
        await controller.run()
