"""The command line over the world in memory."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, nullcontext
from datetime import datetime
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from otto.cli.main import build_app
from otto.config import Settings
from otto.model.run import Run
from otto.ports import Store
from otto.reconcile.controller import Controller
from otto.reconcile.foundry import Foundry
from otto.reconcile.kit import Kit
from otto.testing import World


class MemoryComposition:
    """Ports in memory, as `otto.cli.composition.Composition` gives them."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.opened: list[str] = []

    @asynccontextmanager
    async def open_store_only(self, settings: Settings) -> AsyncIterator[Store]:
        self.opened.append("store")
        yield self.world.store

    @asynccontextmanager
    async def open_kit(self, settings: Settings) -> AsyncIterator[Kit]:
        self.opened.append("kit")
        self.world.restart()
        (settings.home / "otto.db").touch()
        yield self.world.kit(settings.loop)

    @asynccontextmanager
    async def open_foundry(self, settings: Settings) -> AsyncIterator[Foundry]:
        self.opened.append("foundry")
        async with self.world.foundry() as foundry:
            yield foundry

    def make_controller(self, kit: Kit, settings: Settings) -> Controller:
        return Controller(kit, settings.home, settings.source, lambda _: nullcontext(self.world.source))

    def seed_if_empty(self, settings: Settings) -> bool:
        self.opened.append("seed")
        return False

    def now(self) -> datetime:
        return self.world.clock.now()


class Stage:
    """A home, a world, and `otto` called over them."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.world = World()
        self.composition = MemoryComposition(self.world)
        self.environ = {"COLUMNS": "80", "OTTO_API_PORT": "0", "OTTO_DEBUG": ""}

    def otto(self, *words: str, typed: str | None = None, environ: dict[str, str] | None = None) -> Result:
        # Runs of one second are in no order.
        self.world.clock.move(60)
        app = build_app(self.composition)
        environ = self.environ | (environ or {})
        return CliRunner().invoke(app, ["--home", str(self.home), *words], input=typed, env=environ)

    def runs(self, site: str) -> tuple[Run, ...]:
        return asyncio.run(self.world.store.runs(site))


@pytest.fixture
def stage(tmp_path: Path) -> Stage:
    home = tmp_path / "home"
    home.mkdir()
    return Stage(home)
