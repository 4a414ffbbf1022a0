"""As much of the store as questions need that are asked over and over."""

from collections.abc import Mapping
from typing import Protocol

from otto.model.catalogue import RememberedDomain, RememberedSpec
from otto.model.history import Grant, GrantKind
from otto.model.run import Run
from otto.model.status import SiteStatus


class GrantSource(Protocol):
    """What these questions read of the guard's memory; a part of the port `Ledger`."""

    async def grants(self, *, site: str | None = None, kind: GrantKind | None = None) -> tuple[Grant, ...]:
        """What people said, oldest first; with `site`, what concerns it: its own and that of all sites."""


class StatusSource(Protocol):
    """What these questions read; a part of the port `Store`."""

    @property
    def ledger(self) -> GrantSource:
        """What the guard remembers."""

    async def status(self, site: str) -> SiteStatus | None:
        """A site's status."""

    async def statuses(self) -> tuple[SiteStatus, ...]:
        """All statuses, by name."""

    async def remembered(self) -> Mapping[str, RememberedSpec]:
        """Last good spec of every site."""

    async def spec(self, site: str) -> RememberedSpec | None:
        """Last good spec of a site."""

    async def remembered_domains(self) -> Mapping[str, RememberedDomain]:
        """Last good spec of every zone."""

    async def domain(self, zone: str) -> RememberedDomain | None:
        """Last good spec of a zone."""

    async def intents(self, site: str) -> frozenset[str]:
        """What people asked for besides the spec."""

    async def runs(self, site: str | None = None, limit: int = 20) -> tuple[Run, ...]:
        """Runs, newest first."""

    async def value(self, key: str) -> str | None:
        """A small value by key."""
