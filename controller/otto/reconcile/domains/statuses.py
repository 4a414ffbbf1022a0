"""Writes statuses of zones, and tells of them."""

from dataclasses import replace
from datetime import datetime, timedelta

import structlog

from otto.decide.dns.summarize import ZoneFindings, summarize
from otto.model.domain import DomainSpec
from otto.model.errors import OttoError, WaitingError
from otto.model.problem import Problem
from otto.model.status import Phase, SiteStatus
from otto.model.zonememory import DesiredZone
from otto.reconcile.events import SiteGone, StatusChanged
from otto.reconcile.fleet import Fleet
from otto.reconcile.kit import Kit
from otto.reconcile.pace import Next, Pace

log = structlog.get_logger("otto.domains")


class ZoneStatuses:
    """The one place where statuses of zones are written."""

    def __init__(self, kit: Kit, fleet: Fleet, pace: Pace) -> None:
        self._kit = kit
        self._fleet = fleet
        self._pace = pace
        self._problems: dict[str, tuple[Problem, ...]] = {}
        self._specs: dict[str, DomainSpec] = {}

    async def write(self, found: ZoneFindings) -> SiteStatus:
        """Write what a look found."""
        before = await self._kit.store.status(found.zone)
        problems = self._problems[found.zone] = self._fleet.problems(found.zone)
        if found.desired is not None:
            self._specs[found.zone] = found.desired.spec
        return await self._save(summarize(before, replace(found, problems=problems)))

    async def judged(self, desired: DesiredZone) -> None:
        """Write which spec is in force and whether the newest is good, if that is news; nothing else is."""
        zone, spec = desired.zone, desired.spec
        news = self._specs.setdefault(zone, spec) is not spec or self._is_news(zone)
        before = await self._kit.store.status(zone) if news else None
        if before is not None:
            found = ZoneFindings(zone, self._now(), desired, next_look=before.next_look)
            await self.write(replace(found, failed=before.failures))

    def _is_news(self, zone: str) -> bool:
        return self._problems.setdefault(zone, ()) != self._fleet.problems(zone)

    async def failed(self, zone: str, error: OttoError) -> Next:
        """Write that a look or a run failed, and when it is tried again."""
        before = await self._kit.store.status(zone)
        failures = (before.failures if before else 0) + 1
        after = self._pace.after_error(error, failures)
        found = ZoneFindings(
            zone,
            self._now(),
            error=error.message,
            mend=error.mend,
            failed=failures,
            next_look=self._at(after),
        )
        await self.write(found)
        self._kit.metrics.backed_off()
        return after

    async def wait(self, zone: str, error: WaitingError) -> Next:
        """Write what a zone waits for."""
        log.info("zone.waiting", reason=error.message)
        after = self._pace.after_waiting(error, self._now())
        await self.write(ZoneFindings(zone, self._now(), waiting=str(error), next_look=self._at(after)))
        return after

    async def failures(self, zone: str) -> int:
        """Looks or runs in a row that failed."""
        before = await self._kit.store.status(zone)
        return before.failures if before else 0

    async def destroyed(self, zone: str) -> Next:
        """Write that a zone was given up, and stays so though a spec wants it."""
        before = await self._kit.store.status(zone)
        message = f"given up; to have OttO serve it again: otto resume {zone}"
        run = before.run if before else ""
        await self._save(SiteStatus(zone, Phase.DESTROYED, self._now(), message=message, run=run))
        return self._pace.slowest()

    async def destroying(self, zone: str) -> None:
        """Write that a zone is being given up."""
        before = await self._kit.store.status(zone)
        status = before or SiteStatus(zone, Phase.PENDING, self._now())
        await self._save(replace(status, phase=Phase.DESTROYING, message=""))

    async def gone(self, zone: str) -> None:
        """Forget a zone."""
        await self._kit.store.forget(zone)
        self._kit.metrics.zone_gone(zone)
        self._kit.bus.publish(SiteGone(zone))

    async def _save(self, status: SiteStatus) -> SiteStatus:
        await self._kit.store.save_status(status)
        self._kit.metrics.zone(status)
        self._kit.bus.publish(StatusChanged(status))
        log.info("zone.status", phase=status.phase.value, ready=status.ready, message=status.message)
        return status

    def _at(self, after: Next) -> datetime | None:
        return None if after.seconds is None else self._now() + timedelta(seconds=after.seconds)

    def _now(self) -> datetime:
        return self._kit.clock.now()
