"""What leaves DNS before it is taken away: nobody is to be led to a balancer that is gone."""

from collections.abc import Sequence
from datetime import datetime, timedelta

import structlog

from otto.model.errors import WaitingError
from otto.model.status import Phase
from otto.reconcile.domains.memory import ZoneBook
from otto.reconcile.domains.targets import Leaving, TargetBook, gone
from otto.reconcile.fleet import Fleet
from otto.reconcile.kit import Kit

log = structlog.get_logger("otto.domains")


class Farewell:
    """Has a site, or some of its balancers, leave DNS, and waits for what resolvers still keep."""

    def __init__(self, kit: Kit, fleet: Fleet, targets: TargetBook, book: ZoneBook) -> None:
        self._kit = kit
        self._fleet = fleet
        self._targets = targets
        self._book = book

    async def site(self, site: str) -> None:
        """Return once no record of OttO's leads to a site, and nobody keeps one any more.

        Raises:
            WaitingError: they still do; says what for, and until when.
        """
        await self._leave(site, None)

    async def balancers(self, site: str, addresses: Sequence[str]) -> None:
        """The same for some of a site's balancers; nothing is waited for where no other would be left.

        Raises:
            WaitingError: as `site`.
        """
        staying = set(self._targets.of(site)) - set(addresses)
        if addresses and staying:
            await self._leave(site, tuple(sorted(addresses)))

    async def stay(self, site: str) -> None:
        """Nothing of a site is to go any more, or it is gone."""
        await self._targets.stay(site)

    async def _leave(self, site: str, addresses: tuple[str, ...] | None) -> None:
        known = self._targets.leaving(site)
        zones = await self._leading(site, addresses)
        if known is None or known.addresses != addresses:
            if not zones:
                return
            ttl = max(self._ttl(zone, site) for zone in zones)
            known = Leaving(addresses, self._now(), ttl)
            await self._targets.leave(site, known)
            log.info("site.leaves", site=site, zones=zones, addresses=list(addresses or ()))
        if zones and not await self._given_up(known, zones):
            for zone in zones:
                self._kit.queue.add(zone, f"{site} leaves")
            held = "; ".join([f"otto why {zone}" for zone in zones[:3]])
            raise WaitingError(f"leaves DNS first: {', '.join(zones[:3])}", mend=f"what holds it: {held}")
        if known.gone_at is None:
            known = gone(known, self._now())
            await self._targets.leave(site, known)
        await self._outlast(known)

    async def _outlast(self, known: Leaving) -> None:
        """Wait for as long as resolvers may keep what they were told before."""
        limit = self._kit.dns.drainLimit
        until = (known.gone_at or self._now()) + timedelta(seconds=min(known.ttl, limit))
        if self._now() < until:
            message = f"has left DNS; visitors may still come until {until:%H:%M:%S} UTC (its records' TTL)"
            raise WaitingError(message, until=until)

    async def _given_up(self, known: Leaving, zones: Sequence[str]) -> bool:
        """Whether it was waited for long enough: a nameserver that is gone must not hold a site for ever.

        A zone whose plan waits for a person is waited for: whoever lets it go on decides.
        """
        if self._now() < known.since + timedelta(seconds=self._kit.dns.drainLimit):
            return False
        for zone in zones:
            status = await self._kit.store.status(zone)
            if status is not None and status.phase is Phase.AWAITING_APPROVAL:
                return False
        log.warning("site.leaves_anyway", zones=list(zones), seconds=self._kit.dns.drainLimit)
        return True

    async def _leading(self, site: str, addresses: tuple[str, ...] | None) -> list[str]:
        """Zones whose records lead to what leaves, by what was put in place last."""
        found = []
        for zone, memory in sorted(self._book.all().items()):
            known = self._fleet.domain(zone)
            held = memory.desired.targets.get(site, ()) if memory.desired else ()
            leads = held if addresses is None else set(held) & set(addresses)
            if known is None or not leads or known.spec.suspend:
                continue
            if "suspend" not in await self._kit.store.intents(zone):
                found.append(zone)
        return found

    def _ttl(self, zone: str, site: str) -> int:
        desired = self._book.of(zone).desired
        if desired is None:
            return 0
        usual = desired.spec.policy.ttl
        ttls = [usual if item.ttl is None else item.ttl for item in desired.spec.records if item.site == site]
        return max(ttls, default=0)

    def _now(self) -> datetime:
        return self._kit.clock.now()
