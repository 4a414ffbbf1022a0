"""The provider's list of all our hosts, taken once an interval for every site together."""

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

import structlog

from otto.model.errors import OttoError
from otto.model.host import LiveHost
from otto.reconcile.kit import Kit

log = structlog.get_logger("otto.census")

# The list is one short request; a provider that takes longer is not asked in vain again and again.
_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class Census:
    """Hosts by site, as of one moment; `error` says why there is no newer list."""

    at: datetime | None = None
    hosts: Mapping[str, tuple[LiveHost, ...]] = field(default_factory=dict)
    error: str = ""

    def of(self, site: str) -> tuple[LiveHost, ...]:
        """A site's hosts."""
        return self.hosts.get(site, ())

    def all(self) -> Iterable[LiveHost]:
        """Every host."""
        return (host for hosts in self.hosts.values() for host in hosts)


class CensusTaker:
    """Takes the list, and tells which sites' part of it changed."""

    def __init__(self, kit: Kit) -> None:
        self._kit = kit
        self.latest = Census()
        self._told = ""

    async def take(self) -> frozenset[str]:
        """Take it now; names of the sites whose hosts are others than before, or in another state."""
        before = self.latest
        at = self._kit.clock.now()
        try:
            async with asyncio.timeout(_SECONDS):
                found = await self._kit.infrastructure.inventory(None)
        except (OttoError, TimeoutError) as error:
            words = str(error) or f"no list of hosts within {_SECONDS:g} s"
            if before.at is None and not before.error:
                # What has the hosts may not be started yet, and the first plan starts it.
                log.info("census.failed", error=words)
            elif words != self._told:
                log.warning("census.failed", error=words)
                self._told = words
            self.latest = Census(before.at, before.hosts, words)
            return frozenset()
        self.latest, self._told = Census(at, _by_site(found)), ""
        if before.at is None:
            return frozenset()
        sites = before.hosts.keys() | self.latest.hosts.keys()
        return frozenset(name for name in sites if _states(before, name) != _states(self.latest, name))


def _by_site(hosts: Iterable[LiveHost]) -> dict[str, tuple[LiveHost, ...]]:
    found: dict[str, list[LiveHost]] = {}
    for host in hosts:
        found.setdefault(host.site, []).append(host)
    return {site: tuple(group) for site, group in found.items()}


def _states(census: Census, site: str) -> frozenset[tuple[str, str, str]]:
    return frozenset((host.id, host.name, host.state.value) for host in census.of(site))
