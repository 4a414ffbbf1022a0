"""A world in memory with a running controller in it."""

from contextlib import nullcontext
from pathlib import Path

from otto.config import LoopSettings, SourceSettings
from otto.model.history import Grant, GrantKind
from otto.model.run import Run, StepRecord
from otto.model.status import SiteStatus
from otto.reconcile.controller import Controller
from otto.reconcile.events import Event
from otto.testing import World, settle


class Stage:
    """A world with a running controller in it."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.world = World()
        self.events: list[Event] = []
        self.loop = LoopSettings(workers=2, verifyDeadline=1.0)

    def controller(self, source: SourceSettings | None = None) -> Controller:
        kit = self.world.kit(self.loop)
        kit.bus.subscribe(self.events.append)
        settings = source or SourceSettings()
        return Controller(kit, self.home, settings, lambda _: nullcontext(self.world.source))

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
