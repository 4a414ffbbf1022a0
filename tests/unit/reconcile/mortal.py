"""Ports whose calls take time, end nothing else's life, and have no effect once their controller is killed.

A test cannot kill -9 its own event loop. Instead every call of a port is a point at which the controller
may die: from then on its calls hang, so that nothing it still does reaches the world, until its tasks are
buried. What it has started lives on as it would outside: Terraform to its end, a play not at all.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar, cast

from otto.model.configuration import ConfigurationRequest, ConfigurationResult, HostResult
from otto.model.history import Account
from otto.model.host import Host, HostEvent, HostFacts, LiveHost
from otto.model.infrastructure import Adoptable, InfrastructureInputs, InfrastructurePlan, ResourceChange
from otto.model.observed import InfrastructureState, Seen, Unseen
from otto.model.progress import Report
from otto.model.run import Run
from otto.model.spec import Provider
from otto.ports import Configuration, Infrastructure, Ledger, Store
from otto.reconcile.kit import Kit
from otto.testing import World

T = TypeVar("T")

# Seconds that calls take.
PLANNING, APPLYING, PLAYING, ASKING, DRAINING = 0.6, 2.0, 1.5, 0.3, 1.0


class Life:
    """The life of one controller process.

    Attributes:
        dead: set when it was killed.
        fuse: so many more points until it is; None for a life that nobody ends.
        runs: site -> the run that this process has begun and not ended.
    """

    def __init__(self) -> None:
        self.dead = asyncio.Event()
        self.fuse: int | None = None
        self.runs: dict[str, str] = {}
        self._buried = False

    async def point(self) -> None:
        """A point at which the controller may die; a dead one does not come past it."""
        if self.fuse is not None and not self.dead.is_set():
            self.fuse -= 1
            if self.fuse < 0:
                self.dead.set()
        if self._buried:
            raise asyncio.CancelledError
        if self.dead.is_set():
            await asyncio.get_running_loop().create_future()

    async def bury(self, task: "asyncio.Task[None]") -> None:
        """Take the dead controller's tasks away; nothing they do on the way out has an effect."""
        self.dead.set()
        self._buried = True
        task.cancel()
        await asyncio.wait({task})


@dataclass
class Laws:
    """What must never happen, whoever is killed when; and what happened all the same.

    Attributes:
        at_work: site -> what works on it now, children of dead controllers included.
        children: site -> the Terraform that runs for it, whoever started it.
        broken: what went against the laws, in words.
    """

    at_work: dict[str, str] = field(default_factory=dict)
    children: dict[str, "asyncio.Task[Any]"] = field(default_factory=dict)
    broken: list[str] = field(default_factory=list)

    def begin(self, site: str, what: str) -> None:
        """Something begins to work on a site."""
        if site in self.at_work:
            self.broken.append(f"{what} began on {site} while {self.at_work[site]} was at it")
        self.at_work[site] = what

    def end(self, site: str) -> None:
        """It has ended."""
        self.at_work.pop(site, None)


class MortalInfrastructure:
    """Port `Infrastructure`: Terraform is a child that outlives its controller, and is waited for."""

    def __init__(self, world: World, life: Life, laws: Laws) -> None:
        self._world = world
        self._inner = world.infrastructure
        self._life = life
        self._laws = laws

    def module(self, provider: Provider) -> str:
        return self._inner.module(provider)

    async def state(self, site: str) -> InfrastructureState | None:
        await self._life.point()
        return await self._inner.state(site)

    async def inventory(self, site: str | None = None) -> tuple[LiveHost, ...]:
        await self._life.point()
        return await self._inner.inventory(site)

    def events(self) -> AsyncIterator[HostEvent]:
        return self._inner.events()

    async def plan(self, inputs: InfrastructureInputs, report: Report) -> InfrastructurePlan:
        return await self._child(inputs.site, "plan", PLANNING, lambda: self._inner.plan(inputs, report))

    async def refresh(self, inputs: InfrastructureInputs, report: Report) -> tuple[ResourceChange, ...]:
        return await self._child(
            inputs.site, "refresh", PLANNING, lambda: self._inner.refresh(inputs, report)
        )

    async def adoptable(self, inputs: InfrastructureInputs) -> tuple[Adoptable, ...]:
        return await self._inner.adoptable(inputs)

    async def remove(self, host: LiveHost) -> None:
        await self._inner.remove(host)

    async def apply(self, plan: InfrastructurePlan, report: Report) -> InfrastructureState:
        return await self._child(plan.site, "apply", APPLYING, lambda: self._inner.apply(plan, report))

    async def destroy(self, site: str, provider: Provider, report: Report) -> None:
        await self._child(site, "destroy", APPLYING, lambda: self._inner.destroy(site, provider, report))

    async def account(self, provider: Provider) -> Account | None:
        await self._life.point()
        return await self._inner.account(provider)

    async def settle(self, site: str, report: Report) -> None:
        await self._life.point()
        if child := self._laws.children.get(site):
            await asyncio.wait({child})
        await self._inner.settle(site, report)

    async def _child(
        self, site: str, what: str, seconds: float, work: Callable[[], Coroutine[Any, Any, T]]
    ) -> T:
        await self._life.point()
        child = asyncio.create_task(self._run(site, what, seconds, work), name=f"{what}-{site}")
        self._laws.children[site] = child
        child.add_done_callback(lambda done: self._reap(site, done))
        try:
            result = await asyncio.shield(child)
        except asyncio.CancelledError:
            if not self._life.dead.is_set():
                await asyncio.wait({child})
            raise
        await self._life.point()
        return result

    async def _run(
        self, site: str, what: str, seconds: float, work: Callable[[], Coroutine[Any, Any, T]]
    ) -> T:
        self._laws.begin(site, what)
        try:
            await self._world.clock.sleep(seconds)
            return await work()
        finally:
            self._laws.end(site)

    def _reap(self, site: str, child: "asyncio.Task[Any]") -> None:
        if self._laws.children.get(site) is child:
            del self._laws.children[site]
        if not child.cancelled():
            child.exception()  # whoever asked may be dead


class MortalConfiguration:
    """Port `Configuration`: a play goes from host to host, and dies with its controller between two."""

    def __init__(self, world: World, life: Life, laws: Laws) -> None:
        self._world = world
        self._inner = world.configuration
        self._life = life
        self._laws = laws

    def roles(self) -> Any:
        return self._inner.roles()

    def foreseen(self, site: str) -> Any:
        return self._inner.foreseen(site)

    async def configure(self, request: ConfigurationRequest, report: Report) -> ConfigurationResult:
        await self._life.point()
        self._laws.begin(request.site, request.kind.value)
        try:
            results: list[HostResult] = []
            for host in request.hosts:
                await self._world.clock.sleep(PLAYING / len(request.hosts))
                await self._life.point()
                results += (await self._inner.configure(replace(request, hosts=(host,)), report)).hosts
            await self._life.point()
            return ConfigurationResult(tuple(results))
        finally:
            self._laws.end(request.site)

    async def drain(self, balancers: Sequence[Host], timeout: float, report: Report) -> None:  # noqa: ASYNC109
        await self._life.point()
        sites = {sim.site for sim in self._world.hosts if sim.id in {host.id for host in balancers}}
        for site in sites:
            self._laws.begin(site, "drain")
        try:
            for host in balancers:
                await self._world.clock.sleep(DRAINING / len(balancers))
                await self._life.point()
                await self._inner.drain((host,), timeout, report)
            await self._life.point()
        finally:
            for site in sites:
                self._laws.end(site)

    async def set_aside(
        self,
        balancers: Sequence[Host],
        servers: Sequence[str],
        timeout: float,  # noqa: ASYNC109
        report: Report,
    ) -> Mapping[str, int]:
        await self._life.point()
        await self._world.clock.sleep(ASKING)
        left = await self._inner.set_aside(balancers, servers, timeout, report)
        await self._life.point()
        return left

    async def bring_back(
        self,
        balancers: Sequence[Host],
        servers: Sequence[str],
        timeout: float,  # noqa: ASYNC109
        report: Report,
    ) -> None:
        await self._life.point()
        await self._world.clock.sleep(ASKING)
        await self._inner.bring_back(balancers, servers, timeout, report)
        await self._life.point()

    async def culprits(
        self, hosts: Sequence[Host], paths: Mapping[str, Sequence[str]]
    ) -> Mapping[str, tuple[str, ...]]:
        await self._world.clock.sleep(ASKING)
        await self._life.point()
        return await self._inner.culprits(hosts, paths)

    async def facts(self, hosts: Sequence[Host]) -> AsyncIterator[tuple[str, Seen[HostFacts] | Unseen]]:
        await self._world.clock.sleep(ASKING)
        async for name, seen in self._inner.facts(hosts):
            await self._life.point()
            yield name, seen


class Mortal:
    """A port of which each call is two points: one before it has its effect, and one after.

    A port inside it is as mortal.
    """

    def __init__(self, inner: object, life: Life) -> None:
        self._inner = inner
        self._life = life

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._inner, name)
        if not callable(method):
            return Mortal(method, self._life)

        async def call(*arguments: Any, **named: Any) -> Any:
            await self._life.point()
            result = await method(*arguments, **named)
            await self._life.point()
            return result

        return call


class MortalStore(Mortal):
    """Port `Store`: a dead controller writes nothing, and a living one has one run at a time per site."""

    def __init__(self, world: World, life: Life, laws: Laws) -> None:
        super().__init__(world.store, life)
        self._store = world.store
        self._laws = laws

    async def save_run(self, run: Run) -> None:
        await self._life.point()
        self._life.runs[run.site] = run.id
        if run.ended_at is not None:
            del self._life.runs[run.site]
        await self._store.save_run(run)
        running = [other.id for other in await self._store.open_runs() if other.site == run.site]
        if len(running) > 1 and run.ended_at is None:
            self._laws.broken.append(f"{len(running)} runs at once over {run.site}")
        await self._life.point()


class MortalLedger(Mortal):
    """Port `Ledger`: a dead controller writes nothing."""


def mortal(kit: Kit, world: World, life: Life, laws: Laws) -> Kit:
    """The kit of a controller that can be killed."""
    return replace(
        kit,
        infrastructure=cast("Infrastructure", MortalInfrastructure(world, life, laws)),
        configuration=cast("Configuration", MortalConfiguration(world, life, laws)),
        store=cast("Store", MortalStore(world, life, laws)),
        ledger=cast("Ledger", MortalLedger(world.ledger, life)),
    )
