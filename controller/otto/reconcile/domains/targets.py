"""The addresses of sites that records follow, kept from what happens to them."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

import structlog

from otto.decide.dns.following import followed
from otto.model.canonical import instant, to_data
from otto.model.domain import is_zone
from otto.reconcile.events import Event, SiteGone, StatusChanged
from otto.reconcile.fleet import Fleet
from otto.reconcile.kit import Kit

log = structlog.get_logger("otto.domains")

_LEAVING = "dns.leaving"


@dataclass(frozen=True, slots=True)
class Leaving:
    """Addresses of a site that leave DNS before what is there is taken away.

    Attributes:
        addresses: which; None for all, when the whole site goes.
        since: since when they are to leave.
        ttl: seconds that what was answered before may be kept.
        gone_at: when they had left every zone, None before.
    """

    addresses: tuple[str, ...] | None
    since: datetime
    ttl: int = 0
    gone_at: datetime | None = None


class TargetBook:
    """Knows where sites are, and, once it follows them, has zones looked at whose sites moved.

    Args:
        kit: the ports.
        fleet: which zones follow which sites.
    """

    def __init__(self, kit: Kit, fleet: Fleet) -> None:
        self._kit = kit
        self._fleet = fleet
        self._known: dict[str, tuple[str, ...]] = {}
        self._leaving: dict[str, Leaving] = {}

    def follow(self) -> None:
        """Listen to what happens to sites from now on."""
        self._kit.bus.subscribe(self._hear)

    async def load(self) -> None:
        """Begin with what the store knows."""
        for status in await self._kit.store.statuses():
            if not is_zone(status.site):
                self._known.setdefault(status.site, followed((), status))
        kept = json.loads(await self._kit.store.value(_LEAVING) or "{}")
        self._leaving = {site: _read(item) for site, item in kept.items()}

    def of(self, site: str) -> tuple[str, ...]:
        """Addresses of a site, those that leave DNS among them; none when none is known."""
        return self._known.get(site, ())

    def targets(self, sites: Iterable[str]) -> dict[str, tuple[str, ...]]:
        """The addresses that records are to hold, by site; sites of which none is known are left out."""
        found: dict[str, tuple[str, ...]] = {}
        for site in sites:
            going, have = self._leaving.get(site), self.of(site)
            if going is not None and going.addresses is None:
                found[site] = ()
            elif have:
                left = tuple(item for item in have if going is None or item not in (going.addresses or ()))
                found[site] = left or have
        return found

    def leaving(self, site: str) -> Leaving | None:
        """What of a site leaves DNS, None when nothing does."""
        return self._leaving.get(site)

    async def leave(self, site: str, leaving: Leaving) -> None:
        """Have addresses of a site leave DNS, or note how far they have; on record before it is done."""
        await self._keep({**self._leaving, site: leaving})

    async def stay(self, site: str) -> None:
        """Have nothing of a site leave DNS."""
        if site in self._leaving:
            await self._keep({name: item for name, item in self._leaving.items() if name != site})
            self._stir(site)

    async def _keep(self, leaving: Mapping[str, Leaving]) -> None:
        await self._kit.store.set_value(_LEAVING, json.dumps(to_data(leaving)))
        self._leaving = dict(leaving)

    def _hear(self, event: Event) -> None:
        if isinstance(event, SiteGone):
            self._known.pop(event.site, None)
        elif isinstance(event, StatusChanged) and not is_zone(event.status.site):
            site, before = event.status.site, self.of(event.status.site)
            self._known[site] = followed(before, event.status)
            if self._known[site] != before:
                log.info("site.moved", site=site, before=list(before), after=list(self._known[site]))
                self._stir(site)

    def _stir(self, site: str) -> None:
        """Have every zone looked at whose records follow a site."""
        for zone, spec in self._fleet.domains_in_force().items():
            if site in spec.sites:
                self._kit.queue.add(zone, f"{site} moved")


def gone(leaving: Leaving, at: datetime) -> Leaving:
    """The same, once the addresses have left every zone."""
    return replace(leaving, gone_at=at)


def _read(item: Mapping[str, object]) -> Leaving:
    addresses, gone_at, ttl = item.get("addresses"), item.get("gone_at"), item.get("ttl")
    return Leaving(
        tuple(map(str, addresses)) if isinstance(addresses, list) else None,
        instant(str(item["since"])),
        ttl if isinstance(ttl, int) else 0,
        instant(str(gone_at)) if gone_at else None,
    )
