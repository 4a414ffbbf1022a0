"""The one place where statuses are written, told of, and counted."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import structlog

from otto.decide.diff import diff
from otto.decide.dns.resolving import NOT_MANAGED, Resolution
from otto.decide.sifting import standing
from otto.decide.summarize import Findings, summarize
from otto.decide.wording import reasons, told_of
from otto.model.desired import Desired
from otto.model.errors import OttoError, PausedError, UnresolvedError, WaitingError
from otto.model.observed import InfrastructureState, Observed, Seen
from otto.model.plan import Removing, StepKind
from otto.model.rollout import RolloutStatus
from otto.model.run import Outcome
from otto.model.spec import SiteSpec
from otto.model.status import Phase, SiteStatus
from otto.model.verdict import Verdict, Waiting
from otto.reconcile.bookkeeper import Bookkeeper
from otto.reconcile.events import SiteGone, StatusChanged
from otto.reconcile.fleet import Fleet
from otto.reconcile.kit import Kit
from otto.reconcile.look import Ending, Look
from otto.reconcile.pace import Next, Pace

log = structlog.get_logger("otto.reconcile")


@dataclass(frozen=True, slots=True)
class Leaving:
    """A site that is to be taken down, and may not be yet."""

    plan: str
    verdict: Verdict
    since: datetime
    removing: Removing


class Statuses:
    """Writes a site's status after everything that happens to it.

    Attributes:
        leaving: sites that are to be taken down and wait for it, by name; every status of theirs says so.
        rollouts: tells how a site's rollout stands.
        resolving: tells whether a site's names lead to it.
        ends: when sites end by their time to live or a tombstone, by name.
    """

    def __init__(self, kit: Kit, fleet: Fleet, pace: Pace, books: Bookkeeper) -> None:
        self._kit = kit
        self._books = books
        self._fleet = fleet
        self._pace = pace
        self.rollouts: Callable[[str], RolloutStatus | None] = _none
        self.resolving: Callable[[SiteSpec], Resolution] = _unmanaged
        self.leaving: dict[str, Leaving] = {}
        self.ends: dict[str, datetime] = {}

    async def planning(self, look: Look) -> None:
        """Say what was seen before anything is done about it: whatever follows may take long, or fail."""
        before = await self._kit.store.status(look.desired.site)
        failures = before.failures if before and before.digest == look.desired.digest else 0
        found = replace(self._findings(look.desired, look.observed), planning=True, failures=failures)
        await self.save(summarize(before, found))

    async def announce(
        self, desired: Desired, observed: Observed, step: StepKind, verdict: Verdict | None
    ) -> None:
        """Say which step of a run has begun."""
        before = await self._kit.store.status(desired.site)
        failures = before.failures if before else 0
        found = replace(self._findings(desired, observed), verdict=verdict, step=step, failures=failures)
        await self.save(summarize(before, found))

    async def conclude(self, desired: Desired, ending: Ending, run: str = "") -> Next:
        """Write the status after a look or a run, and decide when to look again."""
        before = await self._kit.store.status(desired.site)
        failures = _failures(before, desired, failed=ending.outcome is Outcome.FAILED)
        after = self._pace.after(failures)
        if isinstance(ending.verdict, Waiting) and ending.verdict.until is not None:
            after = self._pace.no_later_than(after, ending.verdict.until, self._now())
        found = replace(
            self._findings(desired, ending.observed),
            verdict=ending.verdict,
            plan=ending.plan,
            error=ending.error,
            run=run,
            next_look=self._at(after),
            failures=failures,
        )
        status = await self.save(summarize(before, found))
        self._tell_dependents(before, status)
        self._measure(before, status, run)
        return after

    async def suspect(self, desired: Desired, observed: Observed, waiting: str, after: Next) -> None:
        """Write what was seen while nothing is to be done about it yet."""
        before = await self._kit.store.status(desired.site)
        failures = before.failures if before and before.digest == desired.digest else 0
        found = replace(
            self._findings(desired, observed), waiting=waiting, next_look=self._at(after), failures=failures
        )
        await self.save(summarize(before, found))

    async def failed(self, site: str, error: OttoError) -> Next:
        """Write that a look or a run failed, and when it is tried again."""
        before = await self._kit.store.status(site)
        failures = (before.failures if before else 0) + 1
        after = self._pace.after_error(error, failures)
        found = Findings(
            site=site,
            now=self._now(),
            problems=self._fleet.problems(site),
            error=error.message,
            mend=error.mend,
            unresolved=str(error) if isinstance(error, UnresolvedError) else "",
            next_look=self._at(after),
            failures=failures,
        )
        await self.save(summarize(before, found))
        self._kit.metrics.backed_off()
        return after

    async def wait(self, site: str, error: WaitingError) -> Next:
        """Write what a site waits for."""
        log.info("reconcile.waiting", reason=error.message)
        before = await self._kit.store.status(site)
        after = self._pace.after_waiting(error, self._now())
        found = Findings(
            site=site,
            now=self._now(),
            problems=self._fleet.problems(site),
            waiting=str(error),
            paused=error.message if isinstance(error, PausedError) else "",
            next_look=self._at(after),
        )
        await self.save(summarize(before, found))
        return after

    async def note(self, site: str, found: Findings, phase: Phase | None = None) -> Next:
        """Write a status that needs no looking; the next one is only in case a change went unnoticed."""
        before = await self._kit.store.status(site)
        if phase is Phase.DESTROYED:
            message = f"destroyed; to bring it back: otto resume {site}"
            status = SiteStatus(site, phase, self._now(), message=message, run=before.run if before else "")
        else:
            status = summarize(before, found)
        await self.save(status)
        return self._pace.slowest()

    async def destroying(self, site: str) -> None:
        """Write that a site is being destroyed."""
        before = await self._kit.store.status(site)
        status = before or SiteStatus(site, Phase.PENDING, self._now())
        await self.save(replace(status, phase=Phase.DESTROYING, message=""))

    async def gone(self, site: str) -> None:
        """Forget a site."""
        await self._kit.store.forget(site)
        self._kit.metrics.site_gone(site)
        self._kit.bus.publish(SiteGone(site))

    async def save(self, status: SiteStatus) -> SiteStatus:
        """Keep a status and tell of it."""
        status = replace(status, rollout=self.rollouts(status.site))
        leaving = self.leaving.get(status.site)
        if leaving is not None:
            own = told_of(leaving.verdict)
            held = (*own, *(reason for reason in status.held if reason not in own))
            status = replace(
                status,
                held=held,
                held_since=leaving.since,
                plan=leaving.plan,
                leaving=leaving.removing.value,
                message=f"to be taken down ({leaving.removing.value}), and stays: {reasons(leaving.verdict)}",
            )
        elif status.leaving:
            status = replace(status, leaving="")
        await self._kit.store.save_status(status)
        self._kit.metrics.status(status)
        self._kit.bus.publish(StatusChanged(status))
        log.info("status", phase=status.phase.value, ready=status.ready, message=status.message)
        return status

    def _findings(self, desired: Desired, observed: Observed) -> Findings:
        """What a look at a site brought to light."""
        infrastructure = observed.infrastructure
        state = infrastructure.value if isinstance(infrastructure, Seen) else InfrastructureState()
        cost, currency = self._books.shown(desired, state)
        return Findings(
            site=desired.site,
            now=self._now(),
            desired=desired,
            infrastructure=observed.infrastructure,
            differences=standing(diff(desired, observed), desired.spec.policy.drift, self._now()),
            ends_at=self.ends.get(desired.site),
            cost=cost,
            currency=currency,
            problems=self._fleet.problems(desired.site),
            rollout=self.rollouts(desired.site),
            stale=self._kit.source.stale(desired.spec.content),
            resolving=self.resolving(desired.spec),
        )

    def _measure(self, before: SiteStatus | None, after: SiteStatus, run: str) -> None:
        """How long the newest commit took to be served, once for each site it changed."""
        seen_at = self._fleet.seen_at
        served_before = before is not None and before.digest == after.digest
        if after.ready and seen_at and not served_before and after.commit == self._fleet.catalogue.commit:
            self._kit.metrics.commit_ready((self._now() - seen_at).total_seconds(), run)

    def _tell_dependents(self, before: SiteStatus | None, after: SiteStatus) -> None:
        if after.ready and not (before and before.ready and before.phase is Phase.READY):
            for name in self._fleet.dependents(after.site):
                self._kit.queue.add(name, f"{after.site} became Ready")

    def _at(self, after: Next) -> datetime | None:
        return None if after.seconds is None else self._now() + timedelta(seconds=after.seconds)

    def _now(self) -> datetime:
        return self._kit.clock.now()


def _none(site: str) -> None:
    del site


def _unmanaged(spec: SiteSpec) -> Resolution:
    del spec
    return NOT_MANAGED


def _failures(before: SiteStatus | None, desired: Desired, *, failed: bool) -> int:
    if not failed:
        return 0
    same = before is not None and before.digest == desired.digest
    return (before.failures if before and same else 0) + 1
