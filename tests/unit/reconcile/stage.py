"""A world in memory with a running controller in it."""

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager, nullcontext
from pathlib import Path

from otto.config import LoopSettings, SourceSettings
from otto.model.history import Grant, GrantKind
from otto.model.policy import Limits, Window, Windows
from otto.model.run import Run, StepRecord
from otto.model.spec import HostGroup, SiteSpec
from otto.model.status import Phase, SiteStatus
from otto.model.verdict import Reason
from otto.reconcile.control import ask
from otto.reconcile.controller import Controller
from otto.reconcile.events import Event
from otto.testing import World, settle, site_spec

# A web server of the site "one".
WEB = "one-web-1"
NIGHT = Windows((Window(allow=True, cron="0 22 * * *", lasts=3600.0),))
WIDE = Limits(count=99, share=1.0, window_count=99, reason="a test")


class Stage:
    """A world with a running controller in it."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.world = World()
        self.events: list[Event] = []
        self.loop = LoopSettings(workers=2, verifyDeadline=1.0)

    def controller(self, source: SourceSettings | None = None, schedule: str = "") -> Controller:
        kit = self.world.kit(self.loop)
        kit.bus.subscribe(self.events.append)
        settings = source or SourceSettings()
        return Controller(kit, self.home, settings, lambda _: nullcontext(self.world.source), schedule)

    async def status(self, site: str) -> SiteStatus:
        status = await self.world.store.status(site)
        assert status is not None
        return status

    async def last_run(self, site: str) -> Run:
        return (await self.world.store.runs(site))[0]

    async def step(self, site: str, kind: str) -> StepRecord:
        return next(step for step in (await self.last_run(site)).steps if step.kind == kind)

    async def approve(self, site: str, plan: str, by: str = "ada") -> None:
        """Somebody approves a plan; nobody tells the controller."""
        await self.world.ledger.grant(Grant(GrantKind.APPROVE, site, by, self.world.clock.now(), plan=plan))

    async def calm(self, seconds: float = 0.0) -> None:
        """Let everything that is due happen."""
        for _ in range(20):
            await settle()
        if seconds:
            await self.world.clock.advance(seconds)
            await self.calm()


@asynccontextmanager
async def ready(stage: Stage) -> AsyncIterator[Controller]:
    """A controller over one site that is Ready."""
    stage.world.push(site_spec("one"))
    async with stage.controller().running() as controller:
        await stage.calm(5)
        assert (await stage.status("one")).phase is Phase.READY
        yield controller


def web(count: int, *, size: str = "small", image: str = "base") -> HostGroup:
    """A group of web servers."""
    return HostGroup(count, size, image)


async def push(stage: Stage, *specs: SiteSpec) -> None:
    stage.world.push(*specs)
    await told(stage)


async def told(stage: Stage) -> None:
    await ask(stage.home / "control.sock", {"op": "push", "refs": []})
    await stage.calm(5)


async def due(stage: Stage, site: str) -> None:
    await ask(stage.home / "control.sock", {"op": "due", "site": site})
    await stage.calm(5)


async def say(stage: Stage, kind: GrantKind, site: str = "one", **more: object) -> Grant:
    grant = Grant(kind, site, "ada", stage.world.clock.now(), **more)  # type: ignore[arg-type]
    await stage.world.ledger.grant(grant)
    return grant


async def names(stage: Stage, site: str = "one") -> set[str]:
    return {host.name for host in await stage.world.infrastructure.inventory(site)}


async def ids(stage: Stage, site: str = "one") -> dict[str, str]:
    return {host.name: host.id for host in await stage.world.infrastructure.inventory(site)}


def rules(reasons: Iterable[Reason]) -> set[str]:
    return {reason.rule for reason in reasons}


async def held(stage: Stage, site: str = "one") -> set[str]:
    return rules((await stage.status(site)).held)
