"""What the command line is composed with: the real adapters, or those of a test."""

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from otto.config import Settings
    from otto.ports import Store
    from otto.reconcile.controller import Controller
    from otto.reconcile.foundry import Foundry
    from otto.reconcile.kit import Kit


class Composition(Protocol):
    """Puts ports together."""

    def open_store_only(self, settings: "Settings") -> "AbstractAsyncContextManager[Store]":
        """The store alone: cheap, touches nothing else."""

    def open_kit(self, settings: "Settings") -> "AbstractAsyncContextManager[Kit]":
        """All ports."""

    def open_foundry(self, settings: "Settings") -> "AbstractAsyncContextManager[Foundry]":
        """What makes images, with their builder and their index."""

    def make_controller(self, kit: "Kit", settings: "Settings") -> "Controller":
        """A controller over these ports."""

    def seed_if_empty(self, settings: "Settings") -> bool:
        """Give the embedded repository its first commit; whether it was empty."""

    def now(self) -> datetime:
        """The time of day, in UTC."""


class Real:
    """The real adapters. Each method imports what it needs: all of them together take a second."""

    @asynccontextmanager
    async def open_store_only(self, settings: "Settings") -> "AsyncIterator[Store]":
        """See `Composition`. `otto status` is called often: it must not pay for Terraform and Ansible."""
        from otto.adapters.clock import SystemClock  # noqa: PLC0415
        from otto.adapters.store import open_store  # noqa: PLC0415

        where = settings.databaseUrl or settings.home / "otto.db"
        async with open_store(where, SystemClock(), keep_runs=settings.loop.history) as store:
            yield store

    def open_kit(self, settings: "Settings") -> "AbstractAsyncContextManager[Kit]":
        """See `Composition`."""
        from otto.cli import compose  # noqa: PLC0415

        return compose.open_kit(settings)

    def open_foundry(self, settings: "Settings") -> "AbstractAsyncContextManager[Foundry]":
        """See `Composition`."""
        from otto.cli import compose  # noqa: PLC0415

        return compose.open_foundry(settings)

    def make_controller(self, kit: "Kit", settings: "Settings") -> "Controller":
        """See `Composition`."""
        from otto.cli import compose  # noqa: PLC0415

        return compose.make_controller(kit, settings)

    def seed_if_empty(self, settings: "Settings") -> bool:
        """See `Composition`."""
        from otto.cli import compose  # noqa: PLC0415

        return compose.seed_if_empty(settings)

    def now(self) -> datetime:
        """See `Composition`."""
        return datetime.now(UTC)
