"""Reconcile one site: look at it, decide, act, and say when to look again."""

import asyncio
from dataclasses import replace
from datetime import datetime

import structlog

from otto.decide.diff import depth, diff
from otto.decide.expiry import may_end
from otto.decide.sifting import Sifted, sift, standing, to_act_on
from otto.decide.signs import keys, told
from otto.decide.summarize import Findings
from otto.decide.targeting import actionable
from otto.decide.wording import describe_differences, reasons
from otto.model.catalogue import RememberedSpec
from otto.model.desired import Desired
from otto.model.difference import Cause, Difference
from otto.model.errors import OttoError, TerminalError, TransientError, WaitingError
from otto.model.observed import InfrastructureState, Observed, Seen
from otto.model.plan import Removing, StepKind
from otto.model.progress import silent
from otto.model.run import Outcome, Run
from otto.model.sign import Sign
from otto.model.spec import SiteSpec
from otto.model.status import Phase
from otto.model.verdict import Allowed, Verdict, Waiting
from otto.reconcile.bookkeeper import Bookkeeper
from otto.reconcile.confirmations import Confirmations
from otto.reconcile.converge import Converger
from otto.reconcile.dependencies import Dependencies
from otto.reconcile.destroy import Destroyer
from otto.reconcile.fleet import Fleet
from otto.reconcile.gatekeeper import Gatekeeper, Judged
from otto.reconcile.headcount import Headcount
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
from otto.reconcile.statuses import Leaving, Statuses
from otto.reconcile.steward import Steward
from otto.reconcile.verify import Verifier

log = structlog.get_logger("otto.reconcile")

# What made a site due that is acted on whatever is being held back.
_AT_ONCE = frozenset({"asked", "start"})
# The rule by which a site waits its turn.
_CROWDED = "guard.fleet.changing"
# Stands for the digest of a wish that cannot be worked out.
UNRESOLVED = "unresolved"


class Reconciler:
    """Reconciles sites, one call at a time per site (the queue sees to that)."""

    def __init__(self, kit: Kit, fleet: Fleet) -> None:
        self._kit = kit
        self._fleet = fleet
        self._resolver = Resolver(kit)
        verifier = Verifier(kit)
        self._observer = Observer(kit, verifier)
        self._pace = Pace(kit.settings, kit.rng)
        self.books = Bookkeeper(kit)
        self._statuses = Statuses(kit, fleet, self._pace, self.books)
        self.headcount = Headcount(kit)
        self._gate = Gatekeeper(kit, self.books, self.headcount)
        self.steward = Steward(kit, fleet, self.books)
        self._confirmations = Confirmations()
        self._converger = Converger(
            kit,
            self._observer,
            verifier,
            gate=self._gate,
            books=self.books,
            latest=self._latest,
            announce=self._statuses.announce,
        )
        self._destroyer = Destroyer(kit, self._gate, self.books)
        self._dependencies = Dependencies(kit.store, fleet, self._latest)
        self._holds = Holds(kit.clock, kit.settings.backoffBase)
        # Of runs that mend an older wish while a newer one is held.
        self._beside = Holds(kit.clock, kit.settings.backoffBase)
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
            finally:
                self.headcount.end(site)
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
        away = known is not None and await self._destroyer.stays_away(site, known.spec, intents)
        removing = await self._removing(site, known, intents, away=away)
        if removing:
            return await self._remove(site, known, removing, cause)
        self._statuses.leaving.pop(site, None)
        if known is None:
            return await self._orphan(site)
        if away:
            return await self._note(site, Findings(site, self._now()), phase=Phase.DESTROYED)
        if "suspend" in intents or known.spec.suspend:
            by = "its spec" if known.spec.suspend else f"a person; to go on: otto resume {site}"
            problems = self._fleet.problems(site)
            found = Findings(site, self._now(), suspended=by, problems=problems)
            return await self._note(site, found)
        return await self._converge(site, known, cause)

    async def _removing(
        self, site: str, known: RememberedSpec | None, intents: frozenset[str], *, away: bool
    ) -> Removing:
        """Who wants the site taken down now."""
        if "destroy" in intents:
            return Removing.PERSON
        stone = self._fleet.tombstone(site)
        if stone is not None and (stone.at is None or stone.at <= self._now()):
            return Removing.TOMBSTONE
        end = None if away or known is None else await self._end(known.spec)
        return Removing.EXPIRY if end is not None and end <= self._now() else Removing.NOBODY

    async def _end(self, spec: SiteSpec) -> datetime | None:
        """When a site's time to live is over; its status tells that, or its tombstone's time if sooner."""
        expiry, stone = await self.steward.end(spec), self._fleet.tombstone(spec.name)
        own = expiry.at if expiry else None
        ends = [at for at in (own, stone.at if stone else None) if at is not None]
        self._statuses.ends.pop(spec.name, None)
        if ends:
            self._statuses.ends[spec.name] = min(ends)
        return own

    async def _converge(self, site: str, known: RememberedSpec, cause: str) -> Next:
        applied = await self._kit.store.applied(site)
        placed = await self._gate.place(known.spec, applied)
        if not isinstance(placed.verdict, Allowed):
            await self._mend_last(applied.desired, cause)
            return await self._misplaced(known, placed)
        try:
            desired = await self._resolver.resolve(known)
        except TerminalError:
            await self._mend_last(applied.desired, cause)
            raise
        await self._settle(site)
        await self.sentinel.refreshing.carry_out(desired, self._observer.sightings)
        signs = self._observer.sightings.take(site)
        observed = await self._observer.look(desired)
        drift = desired.spec.policy.drift
        found = standing(diff(desired, observed), drift, self._now())
        sifted = sift(found, drift, self._confirmations.count(site, found))
        self._kit.metrics.observed(site, found)
        force = self._wishes.pop(site, frozenset())
        if not sifted.acted and not force:
            await self._settled_wish(desired, observed)
            if found:
                return await self._only_told(desired, observed, sifted, signs)
            self._watch(desired, observed, ())
            self._holds.release(site)
            return await self._statuses.conclude(desired, Ending(observed, Outcome.SUCCEEDED))
        look = Look(desired, observed, sifted.acted, force, signs)
        if await self._has_news(site):
            self._holds.release(site)
        elif (aside := await self._mend_beside(look, cause)) is not None:
            return aside
        if not force and not _AT_ONCE & set(cause.split("+")):
            left = self._holds.left(desired, sifted.acted)
            if left > 0:
                return self._held(look, left)
        return await self._act(look, known, cause)

    async def _misplaced(self, known: RememberedSpec, placed: Judged) -> Next:
        """The site's hosts would be where they must not: nothing of it is looked at, let alone planned."""
        site = known.spec.name
        await self._gate.record(placed)
        found = Findings(site, self._now(), verdict=placed.verdict, problems=self._fleet.problems(site))
        return await self._statuses.note(site, found)

    async def _settled_wish(self, desired: Desired, observed: Observed) -> None:
        """Keep a wish that holds as the last applied one: a changed policy alone makes no run."""
        applied = observed.applied
        if not applied.infrastructure or applied.verified != desired.digest:
            return
        last = applied.desired
        if last is None or last.digest != desired.digest or _words(last) != _words(desired):
            newest = await self._kit.store.applied(desired.site)
            await self._kit.store.save_applied(desired.site, replace(newest, desired=desired))

    async def _only_told(
        self, desired: Desired, observed: Observed, sifted: Sifted, signs: tuple[Sign, ...]
    ) -> Next:
        """What differs is left alone: it is only to be told of, or to be seen once more first."""
        self._observer.sightings.keep(desired.site, signs)
        self._watch(desired, observed, (*sifted.reported, *sifted.unconfirmed))
        after = self._pace.after(0)
        if sifted.unconfirmed:
            words = describe_differences(sifted.unconfirmed)
            looks = desired.spec.policy.drift.confirmations
            waiting = f"to be seen in {looks} looks before it is repaired: {words}"
            after = Next(min(self._kit.probes.interval, after.seconds or 0.0))
            # Facts are to be asked for anew: the same answer heard twice is no second look.
            doubtful = {item.host for item in sifted.unconfirmed}
            self._observer.desk.doubt(host.id for host in observed.hosts if host.name in doubtful)
        else:
            waiting = f"only reported, as policy.drift says: {describe_differences(sifted.reported)}"
        log.info("reconcile.left_alone", differences=waiting)
        await self._statuses.suspect(desired, observed, waiting, after)
        return after

    async def _has_news(self, site: str) -> bool:
        """Whether somebody said something since the site's plan was held; nobody may have told us."""
        said = self._holds.said(site)
        return said is not None and said != await self._gate.signature(site)

    async def _mend_beside(self, look: Look, cause: str) -> Next | None:
        """While a newer wish is held: what broke of the last one that was verified is mended all the same."""
        held, last = self._holds.held(look.desired), look.observed.applied.desired
        if held is None or last is None or last.digest == look.desired.digest:
            return None
        if not await self._mend(last, look.observed, look.desired.digest, look.signs, cause):
            return None
        self._holds.keep(look.desired, *held)
        return Next(0.0, "look")

    async def _mend_last(self, last: Desired | None, cause: str) -> None:
        """The same, while what the newest spec asks for cannot even be worked out."""
        if last is not None and last.spec.provider.value in self._kit.providers:
            await self._settle(last.site)
            signs = self._observer.sightings.take(last.site)
            observed = await self._observer.look(last)
            self._watch(last, observed, diff(last, observed))
            await self._mend(last, observed, UNRESOLVED, signs, cause)

    async def _mend(
        self, last: Desired, observed: Observed, newer: str, signs: tuple[Sign, ...], cause: str
    ) -> bool:
        """Mend what broke of an older wish; whether there was anything to mend.

        Not where roles or the module changed since: what ran would not be what was verified.
        """
        newest = self._fleet.in_force(last.site)
        policy = newest.spec.policy if newest else last.spec.policy
        broken = tuple(
            item
            for item in to_act_on(diff(last, observed), policy.drift, self._now())
            if item.cause in (Cause.DRIFT, Cause.FAILURE)
        )
        current = self._is_current(last)
        if not current or not actionable(broken) or self._beside.left(last, broken) > 0:
            return False
        try:
            look = Look(last, observed, broken, signs=signs, beside=newer, policy=policy)
            await self._run(look, cause)
        except Exception as error:  # noqa: BLE001  (the newer wish goes on being told of; this is tried again later)
            log.warning("reconcile.failed", error=str(error), kind=type(error).__name__)
            self._beside.after_failure(last, broken, self._kit.settings.backoffCap)
        return True

    def _is_current(self, last: Desired) -> bool:
        roles, module = self._kit.configuration.roles(), self._kit.infrastructure.module(last.spec.provider)
        return dict(roles) == dict(last.roles) and module == last.module

    async def _write_end(self, site: str) -> None:
        """Have the store take the end of the last run, if it did not when it came."""
        if last := self._recorders.get(site):
            if not last.written:
                await last.write()
            del self._recorders[site]

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
                await self._gate.used(desired.site, recorder.run.plan)
            await recorder.end(ending.outcome, ending.error or ending.waiting)
            return await self._conclude(look, ending, recorder.run)

    async def _conclude(self, look: Look, ending: Ending, run: Run) -> Next:
        desired = look.desired
        if may_end(desired.spec, self._kit.policies.fleet()):
            await self._end(desired.spec)  # which runs from the first host on
        after = await self._statuses.conclude(desired, ending, run.id)
        left = diff(desired, ending.observed)
        self._watch(desired, ending.observed, left)
        self._kit.metrics.observed(desired.site, left)
        holds = self._beside if look.beside else self._holds
        if ending.outcome is Outcome.SUCCEEDED:
            holds.release(desired.site)
            self._observer.sightings.refreshed.pop(desired.site, None)
            measure_heal(self._kit, look, run.id)
        elif ending.outcome is Outcome.FAILED:
            holds.after_failure(desired, look.differences + left, after.seconds or 0.0)
        else:
            said = await self._gate.signature(desired.site)
            seconds = min(self._kit.refresh.interval, self._until(ending.verdict))
            holds.waiting(desired, look.differences, seconds, ending, said)
        return after

    def _until(self, verdict: Verdict | None) -> float:
        """Seconds until a verdict may be another by time alone."""
        if isinstance(verdict, Waiting) and {item.rule for item in verdict.reasons} == {_CROWDED}:
            return self._kit.settings.interval / 2  # the next look finds room, or waits again
        until = verdict.until if isinstance(verdict, Waiting) else None
        return max(0.0, (until - self._now()).total_seconds()) if until else self._kit.refresh.interval

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

    async def _remove(self, site: str, known: RememberedSpec | None, removing: Removing, cause: str) -> Next:
        """Take a site down, when the guard lets it; until then it is kept as it was, and says so."""
        await self._settle(site)
        last = known or self._fleet.last_good(site)
        spec = last.spec if last else None
        before = await self._kit.store.status(site)
        plan = await self._destroyer.plan(site, spec, before, removing)
        if not plan.about.hosts and before is None:
            return Next(None)  # there never was such a site, or it is gone already
        judged = await self._destroyer.judge(plan, spec)
        if not isinstance(judged.verdict, Allowed):
            return await self._stays_for_now(site, known, judged, cause)
        self._statuses.leaving.pop(site, None)
        self.sentinel.unwatch(site)
        await self._statuses.destroying(site)
        # A spec that still wants the site would have it made anew at once; a tombstone is no such spec.
        wanted = known is not None and removing is not Removing.TOMBSTONE
        why = self._why_removed(site, removing)
        await self._destroyer.destroy(judged.plan, spec, why, keep_away=wanted)
        if wanted:
            return await self._note(site, Findings(site, self._now()), phase=Phase.DESTROYED)
        if self._fleet.in_force(site) is None or removing is Removing.TOMBSTONE:
            self._fleet.forget(site)
        await self._gone(site)
        return Next(None)

    def _why_removed(self, site: str, removing: Removing) -> str:
        stone = self._fleet.tombstone(site)
        if removing is Removing.TOMBSTONE and stone is not None:
            return f"tombstone {stone.file}: {stone.reason}"
        return "otto destroy" if removing is Removing.PERSON else "its time to live is over"

    async def _stays_for_now(
        self, site: str, known: RememberedSpec | None, judged: Judged, cause: str
    ) -> Next:
        before = self._statuses.leaving.get(site)
        since = before.since if before and before.plan == judged.plan.digest else self._now()
        self._statuses.leaving[site] = Leaving(
            judged.plan.digest, judged.verdict, since, judged.plan.about.removing
        )
        log.info("reconcile.stays", reason=reasons(judged.verdict))
        if known is not None and not known.spec.suspend:
            return await self._converge(site, known, cause)
        found = Findings(site, self._now(), verdict=judged.verdict, plan=judged.plan.digest)
        after = await self._statuses.note(site, found)
        seconds = self._until(judged.verdict)
        return Next(min(seconds, after.seconds if after.seconds is not None else seconds), after.why)

    async def _gone(self, site: str) -> None:
        self.sentinel.unwatch(site)
        self._holds.release(site)
        self._beside.release(site)
        self._statuses.leaving.pop(site, None)
        self._statuses.ends.pop(site, None)
        self._confirmations.forget(site)
        self._gate.forget(site)
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
        if known is None or intents & {"suspend"} or known.spec.suspend:
            return ""
        if "destroy" in intents and site not in self._statuses.leaving:
            return ""
        try:
            return (await self._resolver.resolve(known)).digest
        except TerminalError:
            return UNRESOLVED

    def _now(self) -> datetime:
        return self._kit.clock.now()


def _words(desired: Desired) -> SiteSpec:
    """The spec without where it stands."""
    return replace(desired.spec, file="", line=0)
