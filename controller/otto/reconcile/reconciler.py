"""Reconcile one site: look at it, decide, act, and say when to look again."""

from dataclasses import replace
from datetime import datetime

import structlog

from otto.decide.diff import diff
from otto.decide.rollout import changed_by
from otto.decide.rolloutwords import waiting_for
from otto.decide.sifting import sift, standing
from otto.decide.summarize import Findings
from otto.decide.targeting import actionable
from otto.decide.wording import reasons
from otto.model.catalogue import RememberedSpec
from otto.model.desired import Desired
from otto.model.domain import is_zone
from otto.model.errors import OttoError, TerminalError, TransientError, WaitingError
from otto.model.observed import Applied, Observed
from otto.model.plan import Removing, StepKind
from otto.model.progress import silent
from otto.model.run import TAKEN_BACK, Outcome, Run
from otto.model.spec import SiteSpec
from otto.model.status import Phase
from otto.model.verdict import Allowed, Verdict, Waiting
from otto.reconcile.aim import Aim
from otto.reconcile.bookkeeper import Bookkeeper
from otto.reconcile.bystander import Bystander
from otto.reconcile.confirmations import Confirmations
from otto.reconcile.converge import Converger
from otto.reconcile.departures import Departure, Departures
from otto.reconcile.dependencies import Dependencies
from otto.reconcile.destroy import Destroyer
from otto.reconcile.domains.domains import Domains
from otto.reconcile.fleet import Fleet
from otto.reconcile.gatekeeper import Gatekeeper, Judged
from otto.reconcile.headcount import Headcount
from otto.reconcile.healing import measure_heal
from otto.reconcile.holds import Holds
from otto.reconcile.inspect import Knowledge
from otto.reconcile.kit import Kit
from otto.reconcile.look import DisturbedError, Ending, Look, RolloutFailedError, SupersededError
from otto.reconcile.mending import Mender
from otto.reconcile.observation.sentinel import Sentinel
from otto.reconcile.observe import Observer
from otto.reconcile.pace import Next, Pace
from otto.reconcile.resolve import Resolver
from otto.reconcile.rollouts import Rollouts
from otto.reconcile.runner import Runner
from otto.reconcile.standins import StandIns
from otto.reconcile.statuses import Statuses
from otto.reconcile.steward import Steward
from otto.reconcile.turns import TurnBegan, TurnEnded, Unresolved, Wished
from otto.reconcile.verify import Verifier
from otto.reconcile.waves import Waves

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
        self._gate = Gatekeeper(kit, self.books, self.headcount, Waves(kit, fleet.specs_in_force))
        self.steward = Steward(kit, fleet, self.books)
        self._confirmations = Confirmations()
        standins = StandIns(kit)
        self._rollouts = Rollouts(kit, self._gate, standins)
        self._statuses.rollouts = self._rollouts.status
        self.domains = Domains(kit, fleet, self._gate)
        self._statuses.resolving = self.domains.resolving
        converger = Converger(
            kit,
            self._observer,
            verifier,
            gate=self._gate,
            books=self.books,
            rollouts=self._rollouts,
            standins=standins,
            latest=self._latest,
            announce=self._statuses.announce,
            farewell=self.domains.farewell,
        )
        self._runner = Runner(kit, converger, self._gate)
        self._destroyer = Destroyer(kit, self._gate, self.books)
        self._departures = Departures(
            kit, fleet, self._destroyer, self.steward, statuses=self._statuses, farewell=self.domains.farewell
        )
        self._dependencies = Dependencies(kit.store, fleet, self._latest)
        self._holds = Holds(kit.clock, kit.settings.backoffBase)
        # Of runs that mend an older wish while a newer one is held.
        self._beside = Holds(kit.clock, kit.settings.backoffBase)
        self._mender = Mender(kit, fleet, self._beside, standins, self._run)
        self.sentinel = Sentinel(kit, fleet, self._observer, verifier)
        self._bystander = Bystander(kit, self._observer, self.sentinel, self._statuses, self._pace)
        self._settled: set[str] = set()
        self._wishes: dict[str, frozenset[StepKind]] = {}
        self._unrecorded: dict[str, int] = {}

    @property
    def knowledge(self) -> Knowledge:
        """What an inspector beside it makes use of."""
        return Knowledge(self._fleet, self.books, self.headcount, self._gate)

    def wish(self, site: str, steps: frozenset[StepKind]) -> None:
        """Have the next look carry out these steps whether or not anything differs."""
        if is_zone(site):
            self.domains.zones.wish(site)
        elif steps:
            self._wishes[site] = self._wishes.get(site, frozenset()) | steps

    async def reconcile(self, site: str, cause: str) -> Next:
        """Look at one site and act; never raises but for cancellation."""
        with structlog.contextvars.bound_contextvars(site=site), self.sentinel.working(site):
            self._kit.turns.publish(TurnBegan(site, cause))
            try:
                after = await self._look(site, cause)
            except Exception as error:
                # Not even the failure could be written down: the store itself is in trouble.
                log.exception("reconcile.unrecorded", kind=type(error).__name__)
                self._unrecorded[site] = self._unrecorded.get(site, 0) + 1
                return self._pace.after(self._unrecorded[site])
            finally:
                self.headcount.end(site)
                self._kit.turns.publish(TurnEnded(site))
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
        await self._runner.write_end(site)
        intents = await self._kit.store.intents(site)
        known = self._fleet.in_force(site)
        away = known is not None and await self._destroyer.stays_away(site, known.spec, intents)
        removing = await self._departures.wanted(site, known, intents, away=away)
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

    async def _converge(self, site: str, known: RememberedSpec, cause: str) -> Next:
        applied = await self._kit.store.applied(site)
        placed = await self._gate.place(known.spec, applied)
        if not isinstance(placed.verdict, Allowed):
            await self._mend_last(applied, cause)
            return await self._misplaced(known, placed)
        try:
            desired = await self._resolver.resolve(known)
        except TerminalError as error:
            self._kit.turns.publish(Unresolved(site, str(error), error.detail, known, applied))
            error.add(await self._mend_last(applied, cause))
            raise
        self._kit.turns.publish(Wished(desired, applied))
        try:
            aim = await self._rollouts.aim(desired, applied)
        except WaitingError as error:
            error.add(await self._mend_last(applied, cause))
            raise
        return await self._towards(aim, known, applied, cause)

    async def _towards(self, aim: Aim, known: RememberedSpec, applied: Applied, cause: str) -> Next:
        desired, site = aim.desired, aim.desired.site
        await self._settle(site)
        await self.sentinel.refreshing.carry_out(desired, self._observer.sightings)
        signs = self._observer.sightings.take(site)
        observed = await self._observer.look(desired, applied)
        drift = desired.spec.policy.drift
        found = standing(diff(desired, observed), drift, self._now())
        sifted = sift(found, drift, self._confirmations.count(site, found))
        self._kit.metrics.observed(site, found)
        force = self._wishes.pop(site, frozenset())
        if not sifted.acted and not force:
            await self._rollouts.at_rest(aim)
            await self._settled_wish(desired, observed)
            await self.domains.farewell.stay(site)
            if found:
                return await self._bystander.only_told(desired, observed, sifted, signs)
            self._bystander.watch(desired, observed)
            self._holds.release(site)
            return await self._statuses.conclude(desired, Ending(observed, Outcome.SUCCEEDED))
        look = _from(aim, known, Look(desired, observed, sifted.acted, force, signs))
        if aim.paused is not None:
            return await self._wait_paused(look, aim, cause)
        if await self._has_news(site):
            self._holds.release(site)
        elif (aside := await self._mend_beside(look, cause)) is not None:
            return aside
        if not force and not _AT_ONCE & set(cause.split("+")):
            left = self._holds.left(desired, sifted.acted)
            if left > 0:
                return self._bystander.hold(look, left)
        return await self._act(look, known, cause)

    async def _wait_paused(self, look: Look, aim: Aim, cause: str) -> Next:
        """What broke of the servers that a paused rollout did not come to is mended all the same."""
        broken = self._broken(look)
        if broken is not None:
            await self._mender.mend(broken, cause)
        if aim.paused is not None and look.observed.applied.desired is not None:
            self._bystander.watch(look.desired, look.observed)
            raise waiting_for(aim.paused, look.desired)
        return self._bystander.hold(look, self._kit.settings.interval)

    def _broken(self, look: Look) -> Look | None:
        """What broke of the last wish; servers that have the newer one already are left as they are."""
        last = look.observed.applied.desired
        if last is None:
            return None
        newer = look.desired
        broken = self._mender.broken(last, look.observed, newer.digest, look.signs, asked=newer)
        status = self._rollouts.status(last.site)
        spared = changed_by(status, newer.digest, look.observed)
        left = tuple(item for item in broken.differences if item.host not in spared) if broken else ()
        if broken is None or not actionable(left):
            return None
        return replace(broken, differences=left, spared=spared)

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
        if last is None or _words(last) != _words(desired):
            newest = await self._kit.store.applied(desired.site)
            await self._kit.store.save_applied(desired.site, replace(newest, desired=desired))

    async def _has_news(self, site: str) -> bool:
        """Whether somebody said something since the site's plan was held; nobody may have told us."""
        said = self._holds.said(site)
        return said is not None and said != await self._gate.signature(site)

    async def _mend_beside(self, look: Look, cause: str) -> Next | None:
        """While a newer wish is held: what broke of the last one that was verified is mended all the same."""
        held, last = self._holds.held(look.desired), look.observed.applied.desired
        if held is None or last is None or last.digest == look.desired.digest:
            return None
        broken = self._broken(look)
        if broken is None:
            return None
        await self._mender.mend(broken, cause)
        self._holds.keep(look.desired, *held)
        return Next(0.0, "look")

    async def _mend_last(self, applied: Applied, cause: str) -> str:
        """The same, while what the newest spec asks for cannot be worked out, or may not be there.

        What of it waits for a person, in words.
        """
        last = applied.desired
        if last is None or not isinstance((await self._gate.place(last.spec, applied)).verdict, Allowed):
            return ""
        await self._settle(last.site)
        signs = self._observer.sightings.take(last.site)
        observed = await self._observer.look(last, applied)
        self._bystander.watch(last, observed)
        broken = self._mender.broken(last, observed, UNRESOLVED, signs, asked=last)
        return await self._mender.mend(broken, cause) if broken is not None else ""

    async def _act(self, look: Look, known: RememberedSpec, cause: str) -> Next:
        desired, observed = look.desired, look.observed
        if not look.force and not actionable(look.differences):
            return await self._bystander.wait_and_see(look)
        try:
            await self._statuses.planning(look)
            if observed.applied.verified != desired.digest:
                await self._dependencies.check(known.spec)
            return await self._run(look, cause)
        except WaitingError:
            self.wish(desired.site, look.force)
            self._bystander.watch(desired, observed)
            raise
        except RolloutFailedError as error:
            return await self._take_back(look, error)
        except Exception as error:  # noqa: BLE001  (told, and tried again later)
            return await self._try_later(look, error)

    async def _try_later(self, look: Look, error: Exception) -> Next:
        if look.beside and isinstance(error, TerminalError):
            await self._rollouts.stuck(look, str(error))  # what it goes back to is gone
        after = await self._fail(look.desired.site, error)
        self._observer.desk.doubt(host.id for host in look.observed.hosts)
        self._bystander.watch(look.desired, look.observed)
        self._holds.after_failure(look.desired, look.differences, after.seconds or 0.0)
        return after

    async def _take_back(self, look: Look, error: RolloutFailedError) -> Next:
        """A wish failed where it was put in place. Going back, which failed too, is tried again."""
        if look.beside:
            await self._rollouts.stuck(look, str(error))
            self._holds.after_failure(look.desired, look.differences, self._kit.settings.backoffCap)
            return await self._fail(look.desired.site, error)
        if look.takes_back:  # it held before: what fails is something else
            return await self._try_later(look, error)
        await self._rollouts.failed(look, error)
        self._holds.release(look.desired.site)
        return Next(0.0, TAKEN_BACK)

    async def _run(self, look: Look, cause: str) -> Next:
        try:
            ending, run = await self._runner.run(look, cause)
        except SupersededError as error:
            site = look.desired.site
            if isinstance(error, DisturbedError) and self._holds.again(site):
                message = f"hosts are lost again and again while the site is mended: {error}"
                raise TransientError(message, mend="see why they do not stay up") from error
            self.wish(site, look.force)
            return Next(0.0, "superseded")
        return await self._conclude(look, ending, run)

    async def _conclude(self, look: Look, ending: Ending, run: Run) -> Next:
        desired = look.desired
        await self._departures.end(desired.spec)  # which runs from the first host on
        if ending.outcome is Outcome.SUCCEEDED:
            await self._rollouts.ended(look)
        after = await self._statuses.conclude(desired, ending, run.id)
        if ending.outcome is Outcome.SUCCEEDED:
            await self.domains.farewell.stay(desired.site)
        left = standing(diff(desired, ending.observed), desired.spec.policy.drift, self._now())
        self._bystander.watch(desired, ending.observed)
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
        departure = await self._departures.judge(site, known, removing)
        if departure is None:
            return Next(None)  # there never was such a site, or it is gone already
        if not isinstance(departure.judged.verdict, Allowed):
            return await self._stays_for_now(departure, known, cause)
        self.sentinel.unwatch(site)
        await self._departures.leave(departure)
        if departure.keeps_away:
            after = await self._note(site, Findings(site, self._now()), phase=Phase.DESTROYED)
            await self.domains.farewell.stay(site)
            return after
        if self._fleet.in_force(site) is None or removing is Removing.TOMBSTONE:
            self._fleet.forget(site)
        await self._gone(site)
        await self.domains.farewell.stay(site)
        return Next(None)

    async def _stays_for_now(self, departure: Departure, known: RememberedSpec | None, cause: str) -> Next:
        site, verdict = departure.site, departure.judged.verdict
        log.info("reconcile.stays", reason=reasons(verdict))
        if known is not None and not known.spec.suspend:
            return await self._converge(site, known, cause)
        found = Findings(site, self._now(), verdict=verdict, plan=departure.judged.plan.digest)
        after = await self._statuses.note(site, found)
        seconds = self._until(verdict)
        return Next(min(seconds, after.seconds if after.seconds is not None else seconds), after.why)

    async def _gone(self, site: str) -> None:
        self.sentinel.unwatch(site)
        self._holds.release(site)
        self._beside.release(site)
        self._departures.forget(site)
        self._confirmations.forget(site)
        self._gate.forget(site)
        self._rollouts.forget(site)
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


def _from(aim: Aim, known: RememberedSpec, look: Look) -> Look:
    """A look that starts towards an older wish, under the newest policy, while the newest is quarantined."""
    if aim.quarantine is None:
        return look
    policy = known.spec.policy
    return replace(look, beside=aim.newest.digest, policy=policy, undoing=aim.undoing)


def _words(desired: Desired) -> SiteSpec:
    """The spec without where it stands."""
    return replace(desired.spec, file="", line=0)
