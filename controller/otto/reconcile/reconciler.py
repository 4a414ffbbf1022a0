"""Reconcile one site: look at it, decide, act, and say when to look again."""

import asyncio
from dataclasses import replace
from datetime import datetime, timedelta

import structlog

from otto.decide.diff import diff
from otto.decide.summarize import Findings, summarize
from otto.model.catalogue import RememberedSpec
from otto.model.desired import Desired
from otto.model.errors import OttoError, TransientError, WaitingError
from otto.model.observed import Observed
from otto.model.plan import StepKind
from otto.model.progress import silent
from otto.model.run import Outcome, Run
from otto.model.status import Phase, SiteStatus
from otto.model.verdict import Verdict
from otto.reconcile.converge import Converger, Ending, Look, SupersededError
from otto.reconcile.dependencies import Dependencies
from otto.reconcile.destroy import Destroyer
from otto.reconcile.events import SiteGone, StatusChanged
from otto.reconcile.fleet import Fleet
from otto.reconcile.kit import Kit
from otto.reconcile.observe import Observer
from otto.reconcile.pace import Next, Pace
from otto.reconcile.recorder import Recorder, run_id
from otto.reconcile.resolve import Resolver
from otto.reconcile.verify import Verifier

log = structlog.get_logger("otto.reconcile")


class Reconciler:
    """Reconciles sites, one call at a time per site (the queue sees to that)."""

    def __init__(self, kit: Kit, fleet: Fleet) -> None:
        self._kit = kit
        self._fleet = fleet
        self._resolver = Resolver(kit)
        verifier = Verifier(kit)
        self._observer = Observer(kit, verifier)
        self._converger = Converger(kit, self._observer, verifier, self._latest, self._announce)
        self._destroyer = Destroyer(kit)
        self._dependencies = Dependencies(kit.store, fleet, self._latest)
        self._pace = Pace(kit.settings, kit.rng)
        self._settled: set[str] = set()
        self._wishes: dict[str, frozenset[StepKind]] = {}

    def wish(self, site: str, steps: frozenset[StepKind]) -> None:
        """Have the next look carry out these steps whether or not anything differs."""
        if steps:
            self._wishes[site] = self._wishes.get(site, frozenset()) | steps

    async def reconcile(self, site: str, cause: str) -> Next:
        """Look at one site and act; never raises but for cancellation."""
        with structlog.contextvars.bound_contextvars(site=site):
            try:
                return await self._look(site, cause)
            except Exception as error:
                # Not even the failure could be written down: the store itself is in trouble.
                log.exception("reconcile.unrecorded", kind=type(error).__name__)
                return self._pace.slowest()

    async def _look(self, site: str, cause: str) -> Next:
        try:
            return await self._reconcile(site, cause)
        except WaitingError as error:
            return await self._wait(site, error)
        except OttoError as error:
            log.warning("reconcile.failed", error=str(error), kind=type(error).__name__)
            return await self._failed(site, error)
        except Exception as error:
            log.exception("reconcile.failed", kind=type(error).__name__)
            words = f"{type(error).__name__}: {error}"
            return await self._failed(site, TransientError(words, mend="the log has the whole story"))

    async def _reconcile(self, site: str, cause: str) -> Next:
        intents = await self._kit.store.intents(site)
        known = self._fleet.in_force(site)
        if "destroy" in intents:
            return await self._destroy(site, known)
        if known is None:
            return await self._orphan(site)
        if await self._destroyer.stays_away(site, known.spec, intents):
            return await self._note(site, Findings(site, self._now()), phase=Phase.DESTROYED)
        if "suspend" in intents or known.spec.suspend:
            by = "its spec" if known.spec.suspend else f"a person; to go on: otto resume {site}"
            problems = self._fleet.problems(site)
            return await self._note(site, Findings(site, self._now(), suspended=by, problems=problems))
        return await self._converge(site, known, cause)

    async def _converge(self, site: str, known: RememberedSpec, cause: str) -> Next:
        desired = await self._resolver.resolve(known)
        await self._settle(site)
        observed = await self._observer.look(desired)
        differences = diff(desired, observed)
        self._kit.metrics.observed(site, differences)
        force = self._wishes.pop(site, frozenset())
        if not differences and not force:
            return await self._conclude(desired, Ending(observed, Outcome.SUCCEEDED))
        look = Look(desired, observed, differences, force)
        try:
            await self._planning(look)
            if observed.applied.verified != desired.digest:
                await self._dependencies.check(known.spec)
            return await self._run(look, cause)
        except WaitingError:
            self.wish(site, force)
            raise

    async def _planning(self, look: Look) -> None:
        """Say what was seen before anything is done about it: whatever follows may take long, or fail."""
        desired, observed = look.desired, look.observed
        before = await self._kit.store.status(desired.site)
        failures = before.failures if before and before.digest == desired.digest else 0
        found = replace(self._findings(desired, observed), planning=True, failures=failures)
        await self._save(summarize(before, found))

    async def _run(self, look: Look, cause: str) -> Next:
        desired = look.desired
        now = self._now()
        run = Run(run_id(now), desired.site, cause, now, desired.commit, desired.digest)
        recorder = Recorder(self._kit, run)
        with structlog.contextvars.bound_contextvars(
            run=run.id, commit=desired.commit, digest=desired.digest[:12]
        ):
            log.info("run.started", cause=cause, differences=len(look.differences))
            try:
                ending = await self._converger.converge(look, recorder)
            except SupersededError:
                self.wish(desired.site, look.force)
                await recorder.end(Outcome.SUPERSEDED, "a newer wish came; starting over from it")
                return Next(0.0, "superseded")
            except asyncio.CancelledError:
                await asyncio.shield(recorder.end(Outcome.INTERRUPTED, "the controller stopped"))
                raise
            except Exception as error:
                outcome = Outcome.WAITING if isinstance(error, WaitingError) else Outcome.FAILED
                await recorder.end(outcome, str(error))
                raise
            if ending.outcome is Outcome.SUCCEEDED:
                await self._kit.store.withdraw(desired.site, recorder.run.plan)
            await recorder.end(ending.outcome, ending.error or ending.waiting)
            return await self._conclude(desired, ending, run.id)

    async def _conclude(self, desired: Desired, ending: Ending, run: str = "") -> Next:
        """Write the status after a look or a run, and decide when to look again."""
        before = await self._kit.store.status(desired.site)
        failures = self._failures(before, desired, failed=ending.outcome is Outcome.FAILED)
        after = self._pace.after(failures)
        found = replace(
            self._findings(desired, ending.observed),
            verdict=ending.verdict,
            error=ending.error,
            run=run,
            next_look=self._at(after),
            failures=failures,
        )
        status = await self._save(summarize(before, found))
        self._tell_dependents(before, status)
        self._measure(before, status)
        return after

    def _measure(self, before: SiteStatus | None, after: SiteStatus) -> None:
        """How long the newest commit took to be served, once for each site it changed."""
        seen_at = self._fleet.seen_at
        served_before = before is not None and before.digest == after.digest
        if after.ready and seen_at and not served_before and after.commit == self._fleet.catalogue.commit:
            self._kit.metrics.commit_ready((self._now() - seen_at).total_seconds())

    def _findings(self, desired: Desired, observed: Observed) -> Findings:
        """What a look at a site brought to light."""
        return Findings(
            site=desired.site,
            now=self._now(),
            desired=desired,
            infrastructure=observed.infrastructure,
            differences=diff(desired, observed),
            problems=self._fleet.problems(desired.site),
        )

    async def _failed(self, site: str, error: OttoError) -> Next:
        before = await self._kit.store.status(site)
        failures = (before.failures if before else 0) + 1
        after = self._pace.after_error(error, failures)
        found = Findings(
            site=site,
            now=self._now(),
            problems=self._fleet.problems(site),
            error=error.message,
            mend=error.mend,
            next_look=self._at(after),
            failures=failures,
        )
        await self._save(summarize(before, found))
        self._kit.metrics.backed_off()
        return after

    async def _wait(self, site: str, error: WaitingError) -> Next:
        log.info("reconcile.waiting", reason=error.message)
        before = await self._kit.store.status(site)
        after = self._pace.after(0)
        found = Findings(
            site=site,
            now=self._now(),
            problems=self._fleet.problems(site),
            waiting=str(error),
            next_look=self._at(after),
        )
        await self._save(summarize(before, found))
        return after

    async def _orphan(self, site: str) -> Next:
        if problems := self._fleet.problems(site):
            waiting = f"waits for its first good spec: {problems[0]}"
            return await self._note(site, Findings(site, self._now(), problems=problems, waiting=waiting))
        state = await self._kit.infrastructure.state(site)
        if state is None and not await self._kit.infrastructure.inventory(site):
            await self._gone(site)
            return Next(None)
        return await self._note(site, Findings(site, self._now(), orphaned=True))

    async def _destroy(self, site: str, known: RememberedSpec | None) -> Next:
        before = await self._kit.store.status(site)
        await self._save(replace(_or_new(before, site, self._now()), phase=Phase.DESTROYING, message=""))
        await self._settle(site)
        last = known or self._fleet.last_good(site)
        await self._destroyer.destroy(site, last.spec if last else None, before, keep_away=known is not None)
        if known is None:
            if self._fleet.in_force(site) is None:
                self._fleet.forget(site)
            await self._gone(site)
            return Next(None)
        return await self._note(site, Findings(site, self._now()), phase=Phase.DESTROYED)

    async def _gone(self, site: str) -> None:
        await self._kit.store.forget(site)
        self._kit.metrics.site_gone(site)
        self._kit.bus.publish(SiteGone(site))

    async def _note(self, site: str, found: Findings, phase: Phase | None = None) -> Next:
        """Write a status that needs no looking; the next one is only in case a change went unnoticed."""
        self._wishes.pop(site, None)
        before = await self._kit.store.status(site)
        if phase is Phase.DESTROYED:
            message = f"destroyed; to bring it back: otto resume {site}"
            status = SiteStatus(site, phase, self._now(), message=message, run=before.run if before else "")
        else:
            status = summarize(before, found)
        await self._save(status)
        return self._pace.slowest()

    async def _settle(self, site: str) -> None:
        """Once in this process's life, wait for what an earlier controller left running."""
        if site not in self._settled:
            await self._kit.infrastructure.settle(site, silent)
            self._settled.add(site)

    async def _latest(self, site: str) -> str:
        """Digest of the newest wish; "" when the site is no longer to be converged at all."""
        known = self._fleet.in_force(site)
        intents = await self._kit.store.intents(site)
        if known is None or intents & {"destroy", "suspend"} or known.spec.suspend:
            return ""
        return (await self._resolver.resolve(known)).digest

    async def _announce(
        self, desired: Desired, observed: Observed, step: StepKind, verdict: Verdict | None
    ) -> None:
        before = await self._kit.store.status(desired.site)
        failures = before.failures if before else 0
        found = replace(self._findings(desired, observed), verdict=verdict, step=step, failures=failures)
        await self._save(summarize(before, found))

    async def _save(self, status: SiteStatus) -> SiteStatus:
        await self._kit.store.save_status(status)
        self._kit.metrics.status(status)
        self._kit.bus.publish(StatusChanged(status))
        log.info("status", phase=status.phase.value, ready=status.ready, message=status.message)
        return status

    def _tell_dependents(self, before: SiteStatus | None, after: SiteStatus) -> None:
        if after.ready and not (before and before.ready and before.phase is Phase.READY):
            for name in self._fleet.dependents(after.site):
                self._kit.queue.add(name, f"{after.site} became Ready")

    def _failures(self, before: SiteStatus | None, desired: Desired, *, failed: bool) -> int:
        if not failed:
            return 0
        same = before is not None and before.digest == desired.digest
        return (before.failures if before and same else 0) + 1

    def _at(self, after: Next) -> datetime | None:
        return None if after.seconds is None else self._now() + timedelta(seconds=after.seconds)

    def _now(self) -> datetime:
        return self._kit.clock.now()


def _or_new(status: SiteStatus | None, site: str, now: datetime) -> SiteStatus:
    return status or SiteStatus(site, Phase.PENDING, now)
