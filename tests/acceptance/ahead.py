"""A controller of this very process over the real tools, whose clock a story puts on."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import datetime, timedelta

from otto.adapters.clock import SystemClock
from otto.cli.compose import make_controller, open_kit
from otto.config import load
from otto.reconcile.lock import home_lock

from .harness import Home


class Ahead(SystemClock):
    """The machine's clock, and how far the story is ahead of it."""

    ahead = timedelta()

    def now(self) -> datetime:
        """See `Clock`."""
        return super().now() + self.ahead


@asynccontextmanager
async def at_work(home: Home, clock: Ahead) -> AsyncIterator[None]:
    """The controller of a home, for as long as the block lasts; the home's own has to be stopped."""
    settings = load(home.environment())
    with home_lock(settings.home):
        async with open_kit(settings) as kit:
            controller = make_controller(replace(kit, clock=clock), settings)
            async with controller.running():
                yield
