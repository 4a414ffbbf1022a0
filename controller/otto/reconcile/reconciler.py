"""Reconcile one site: look at it, decide, act, and say when to look again."""

import asyncio
from datetime import datetime

import structlog

from otto.decide.diff import depth, diff
from otto.decide.signs import keys, told
from otto.decide.summarize import Findings
from otto.decide.targeting import actionable
from otto.decide.wording import describe_differences
from otto.model.catalogue import RememberedSpec
from otto.model.desired import Desired
from otto.model.difference import Difference
from otto.model.errors import OttoError, TransientError, WaitingError
from otto.model.observed import InfrastructureState, Observed, Seen
from otto.model.plan import StepKind
from otto.model.progress import silent
from otto.model.run import Outcome, Run
from otto.model.status import Phase
from otto.reconcile.converge import Converger
from otto.reconcile.dependencies import Dependencies
from otto.reconcile.destroy import Destroyer
from otto.reconcile.fleet import Fleet
from otto.reconcile.healing import measure_heal
from otto.reconcile.holds import Holds
from otto.reconcile.kit import Kit
from otto.reconcile.look import DisturbedError, Ending, Look, SupersededError
from otto.reconcile.observation.sentinel import Sentinel
from otto.reconcile.observation.sightings import Watched
from otto.reconcile.observe import Observer
from otto.reconcile.pace import Next, Pace
from otto.reconcile.recorder import Recorder, run_id
from otto.reconcile.resolve import Resolver
from otto.reconcile.statuses import Statuses
from otto.reconcile.verify import Verifier

log = structlog.get_logger("otto.reconcile")

# What made a site due that is acted on whatever is being held back.
_AT_ONCE = frozenset({"asked", "start"})


class Reconciler:
    """Reconciles sites, one call at a time per site (the queue sees to that)."""

    def __init__(self, kit: Kit, fleet: Fleet) -> None:
        self._kit = kit
        self._fleet = fleet
        self._resolver = Resolver(kit)
        verifier = Verifier(kit)
        self._observer = Observer(kit, verifier)
        self._pace = Pace(kit.settings, kit.rng)
        self._statuses = Statuses(kit, fleet, self._pace)
        self._converger = Converger(kit, self._observer, verifier, self._latest, self._statuses.announce)
        self._destroyer = Destroyer(kit)
        self._dependencies = Dependencies(kit.store, fleet, self._latest)
        self._holds = Holds(kit.clock, kit.settings.backoffBase)
        self.sentinel = Sentinel(kit, fleet, self._observer, verifier)
        self._settled: set[str] = set()
        self._wishes: dict[str, frozenset[StepKind]] = {}
        self._recorders: dict[str, Recorder] = {}
        self._unrecorded: dict[str, int] = {}

    def wish(self, site: str, steps: frozenset[StepKind]) -> None:
        """Have the next look carry out these steps whether or not anything differs."""
        if steps:
            self._wishes[site] = self._wishes.get(site, frozenset()) | steps

    async def reconcile(self, site: str, cause: str) -> Next:
        """Look at one site and act; never raises but for cancellation."""
        with structlog.contextvars.bound_contextvars(site=site), self.sentinel.working(site):
            try:
                after = await self._look(site, cause)
            except Exception as error:
                # Not even the failure could be written down: the store itself is in trouble.
                log.exception("reconcile.unrecorded", kind=type(error).__name__)
                self._unrecorded[site] = self._unrecorded.get(site, 0) + 1
                return self._pace.after(self._unrecorded[site])
            self._unrecorded.pop(site, None)
            return after

    async def _look(self, site: str, cause: str) -> Next:
        try:
            return await self._reconcile(site, cause)
        except WaitingError as error:
            return await self._statuses.wait(site, error)
        except Exception as error:  # noqa: BLE001  (told, and tried again later)
            return await self._fail(site, error)

    async def _fail(self, site: str, error: Exception) -> Next:
        """Write that it failed; an error that nobody expected is told in full by the log."""
        if isinstance(error, OttoError):
            log.warning("reconcile.failed", error=str(error), kind=type(error).__name__)
            return await self._statuses.failed(site, error)
        log.error("reconcile.failed", kind=type(error).__name__, exc_info=error)
        words = f"{type(error).__name__}: {error}"
        return await self._statuses.failed(site, TransientError(words, mend="the log has the whole story"))

    async def _reconcile(self, site: str, cause: str) -> Next:
        await self._write_end(site)
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
            found = Findings(site, self._now(), suspended=by, problems=problems)
            return await self._note(site, found)
        return await self._converge(site, known, cause)

    async def _converge(self, site: str, known: RememberedSpec, cause: str) -> Next:
        desired = await self._resolver.resolve(known)
        await self._settle(site)
        await self.sentinel.refreshing.carry_out(desired, self._observer.sightings)
        signs = self._observer.sightings.take(site)
        observed = await self._observer.look(desired)
        differences = diff(desired, observed)
        self._kit.metrics.observed(site, differences)
        force = self._wishes.pop(site, frozenset())
        if not differences and not force:
            self._watch(desired, observed, ())
            self._holds.release(site)
            return await self._statuses.conclude(desired, Ending(observed, Outcome.SUCCEEDED))
        look = Look(desired, observed, differences, force, signs)
        if not force and not _AT_ONCE & set(cause.split("+")) and not await self._is_approved(site):
            left = self._holds.left(desired, differences)
            if left > 0:
                return self._held(look, left)
        return await self._act(look, known, cause)

    async def _write_end(self, site: str) -> None:
        """Have the store take the end of the last run, if it did not when it came."""
        if last := self._recorders.get(site):
            if not last.written:
                await last.write()
            del self._recorders[site]

    async def _is_approved(self, site: str) -> bool:
        """Whether a person has approved the plan that waits; nobody may have told us."""
        plan = self._holds.plan(site)
        return bool(plan) and await self._kit.store.approved(site, plan)

    async def _act(self, look: Look, known: RememberedSpec, cause: str) -> Next:
        desired, observed = look.desired, look.observed
        if not look.force and not actionable(look.differences):
            return await self._wait_and_see(look)
        try:
            await self._statuses.planning(look)
            if observed.applied.verified != desired.digest:
                await self._dependencies.check(known.spec)
            return await self._run(look, cause)
        except WaitingError:
            self.wish(desired.site, look.force)
            raise
        except Exception as error:  # noqa: BLE001  (told, and tried again later)
            after = await self._fail(desired.site, error)
            self._observer.desk.doubt(host.id for host in observed.hosts)
            self._watch(desired, observed, look.differences)
            self._holds.after_failure(desired, look.differences, after.seconds or 0.0)
            return after

    async def _wait_and_see(self, look: Look) -> Next:
        """What differs may be nothing yet: the tiers go on looking, and say when there is more to it."""
        self._observer.sightings.keep(look.desired.site, told(look.signs, look.differences, self._now()))
        self._watch(look.desired, look.observed, look.differences)
        words = describe_differences(look.differences)
        waiting = f"not certain yet: {words}"
        silences = self._observer.silences
        if look.observed.silent and silences.widespread:
            waiting = (
                f"{silences.count} hosts are silent at once, so it may be OttO that is cut off: nothing is "
                f"replaced (probes.lostShare): {words}"
            )
        log.info("reconcile.suspects", differences=words, widespread=silences.widespread)
        after = self._pace.after(0)
        await self._statuses.suspect(look.desired, look.observed, waiting, after)
        return after

    def _held(self, look: Look, seconds: float) -> Next:
        """The same as before, which came to nothing: it is not tried again yet, and its status stands."""
        self._observer.sightings.keep(look.desired.site, look.signs)
        self._watch(look.desired, look.observed, look.differences)
        log.info("reconcile.held", seconds=round(seconds, 1))
        return Next(min(seconds, self._pace.after(0).seconds or seconds), "retry")

    async def _run(self, look: Look, cause: str) -> Next:
        desired = look.desired
        now = self._now()
        run = Run(run_id(now), desired.site, cause, now, desired.commit, desired.digest)
        recorder = self._recorders[desired.site] = Recorder(self._kit, run)
        with structlog.contextvars.bound_contextvars(
            run=run.id, commit=desired.commit, digest=desired.digest[:12]
        ):
            log.info("run.started", cause=cause, differences=len(look.differences))
            try:
                ending = await self._converger.converge(look, recorder)
            except SupersededError as error:
                await recorder.end(Outcome.SUPERSEDED, "something newer came; starting over from it")
                if isinstance(error, DisturbedError) and self._holds.again(desired.site):
                    message = f"hosts are lost again and again while the site is mended: {error}"
                    raise TransientError(message, mend="see why they do not stay up") from error
                self.wish(desired.site, look.force)
                return Next(0.0, "superseded")
            except asyncio.CancelledError:
                await asyncio.shield(recorder.give_up(Outcome.INTERRUPTED, "the controller stopped"))
                raise
            except Exception as error:
                outcome = Outcome.WAITING if isinstance(error, WaitingError) else Outcome.FAILED
                await recorder.give_up(outcome, str(error))
                raise
            if ending.outcome is Outcome.SUCCEEDED:
                await self._kit.store.withdraw(desired.site, recorder.run.plan)
            await recorder.end(ending.outcome, ending.error or ending.waiting)
            return await self._conclude(look, ending, recorder.run)

    async def _conclude(self, look: Look, ending: Ending, run: Run) -> Next:
        desired = look.desired
        after = await self._statuses.conclude(desired, ending, run.id)
        left = diff(desired, ending.observed)
        self._watch(desired, ending.observed, left)
        self._kit.metrics.observed(desired.site, left)
        if ending.outcome is Outcome.SUCCEEDED:
            self._holds.release(desired.site)
            self._observer.sightings.refreshed.pop(desired.site, None)
            measure_heal(self._kit, look, run.id)
        elif ending.outcome is Outcome.FAILED:
            self._holds.after_failure(desired, look.differences + left, after.seconds or 0.0)
        else:
            self._holds.waiting(desired, look.differences, self._kit.refresh.interval, run.plan)
        return after

    def _watch(self, desired: Desired, observed: Observed, differences: tuple[Difference, ...]) -> None:
        """Have the tiers watch the site by what this look found."""
        known, heard = keys(differences), keys(depth(desired, observed))
        state = observed.infrastructure
        have = state.value if isinstance(state, Seen) else InfrastructureState()
        self.sentinel.watch(Watched(desired, observed.applied, have, self._now(), known, heard))

    async def _orphan(self, site: str) -> Next:
        if problems := self._fleet.problems(site):
            waiting = f"waits for its first good spec: {problems[0]}"
            found = Findings(site, self._now(), problems=problems, waiting=waiting)
            return await self._note(site, found)
        state = await self._kit.infrastructure.state(site)
        if state is None and not await self._kit.infrastructure.inventory(site):
            await self._gone(site)
            return Next(None)
        return await self._note(site, Findings(site, self._now(), orphaned=True))

    async def _destroy(self, site: str, known: RememberedSpec | None) -> Next:
        self.sentinel.unwatch(site)
        before = await self._statuses.destroying(site)
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
        self.sentinel.unwatch(site)
        self._holds.release(site)
        await self._statuses.gone(site)

    async def _note(self, site: str, found: Findings, phase: Phase | None = None) -> Next:
        self._wishes.pop(site, None)
        self._holds.release(site)
        self.sentinel.unwatch(site)
        return await self._statuses.note(site, found, phase)

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

    def _now(self) -> datetime:
        return self._kit.clock.now()
