"""One run over one site: plan, ask the guard, provision, configure, deploy, verify.

Nothing is replayed: each step starts from what was observed last, and between steps a newer wish ends
the run, so that the next one starts from it.
"""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager, nullcontext
from dataclasses import replace

import structlog

from otto.decide import planning
from otto.decide.diff import diff
from otto.decide.dns.following import departing
from otto.decide.requests import infrastructure_inputs
from otto.decide.rollout import (
    Course,
    course,
    goes_back,
    keeping,
    later,
    leaving,
    newcomers,
    part_of,
    replaced,
    resized,
    rolls,
)
from otto.decide.sifting import to_act_on
from otto.decide.signs import key, keys, seen_as, told
from otto.decide.standins import noted
from otto.decide.targeting import actionable
from otto.decide.wording import counted, describe, describe_differences, reasons
from otto.model.canonical import to_data
from otto.model.desired import Desired
from otto.model.difference import Difference
from otto.model.errors import WaitingError
from otto.model.infrastructure import InfrastructurePlan
from otto.model.observed import Applied, Observed
from otto.model.plan import Plan, StepKind
from otto.model.run import Outcome
from otto.model.verdict import Allowed, Verdict
from otto.reconcile.bookkeeper import Bookkeeper
from otto.reconcile.domains.farewell import Farewell
from otto.reconcile.gatekeeper import Gatekeeper, Judged
from otto.reconcile.kit import Kit
from otto.reconcile.look import DisturbedError, Ending, Look, RolloutFailedError, SupersededError
from otto.reconcile.observe import Observer
from otto.reconcile.playing import Player, state_of
from otto.reconcile.provisioning import Provisioner
from otto.reconcile.recorder import Recorder, StepNotes
from otto.reconcile.rolling import Roller
from otto.reconcile.rollouts import Rollouts
from otto.reconcile.standins import StandIns
from otto.reconcile.touched import Touched, record_facts
from otto.reconcile.underway import Underway
from otto.reconcile.verify import Verifier

log = structlog.get_logger("otto.converge")

Latest = Callable[[str], Awaitable[str]]
Announce = Callable[[Desired, Observed, StepKind, Verdict | None], Awaitable[None]]


class Converger:
    """Carries out runs.

    Args:
        kit: the ports.
        observer: looks at the world.
        verifier: makes the checks.
        gate: asks the guard.
        books: keeps account of what sites cost.
        rollouts: keeps how rollouts stand.
        standins: knows which images are revoked.
        latest: digest of the newest wish for a site, asked between steps.
        announce: told of every step that begins, so that the status shows it.
        farewell: has balancers leave DNS before they go.
    """

    def __init__(
        self,
        kit: Kit,
        observer: Observer,
        verifier: Verifier,
        *,
        gate: Gatekeeper,
        books: Bookkeeper,
        rollouts: Rollouts,
        standins: StandIns,
        latest: Latest,
        announce: Announce,
        farewell: Farewell,
    ) -> None:
        self._kit = kit
        self._gate = gate
        self._books = books
        self._observer = observer
        self._verifier = verifier
        self._latest = latest
        self._announce = announce
        self._farewell = farewell
        self._rollouts = rollouts
        self._player = Player(kit, observer)
        self._provisioner = Provisioner(kit, observer, gate=gate, books=books, standins=standins)
        self._roller = Roller(
            kit, observer, verifier, self._provisioner, player=self._player, rollouts=rollouts
        )

    async def converge(self, look: Look, recorder: Recorder) -> Ending:
        """Run the steps the site needs.

        Raises:
            SupersededError: between two steps, when the wish has changed.
            OttoError: a step failed.
        """
        run = self._underway(look, recorder)
        await self._tell_what_was_seen(look, recorder)
        async with self._foreseen(look):
            plan, changes = await self._plan(look, recorder)
            judged = await self._judge(plan, look, recorder)
            verdict = judged.verdict
            if not isinstance(verdict, Allowed):
                waiting = reasons(verdict)
                return Ending(look.observed, Outcome.WAITING, verdict, plan.digest, waiting=waiting)
            await self._farewell.balancers(look.desired.site, departing(judged.plan, look.observed))
            observed, touched = await self._change(run, judged.plan, changes)
            ending = await self._verify(look, observed, touched, recorder)
        return replace(ending, verdict=verdict)

    async def _change(
        self, run: Underway, plan: Plan, changes: InfrastructurePlan | None
    ) -> tuple[Observed, Touched]:
        """Do all that was allowed: at once what touches no visitor, then running servers step by step."""
        look = run.look
        in_steps = bool(look.beside) or rolls(look.desired, look.observed, look.differences, plan)
        await self._roller.leave(run, look.observed, leaving(plan, look.observed))
        changes_later = later(look.desired, plan, look.observed) if in_steps else frozenset[str]()
        if changes_later:
            await self._rollouts.begin(look, Course(), plan)
            observed = await self._provisioner.part(run, look.observed, plan, changes_later | look.spared)
        else:
            observed = await self._provisioner.whole(run, plan, changes)
        found = self._to_act_on(look, observed)
        steps = self._course(look, plan, observed, found) if in_steps else Course()
        if left := changes_later - steps.provisioned:
            # They stopped working meanwhile: nobody is on them, so they need no steps.
            observed = await self._provisioner.part(run, observed, plan, steps.provisioned | look.spared)
            found = self._to_act_on(look, observed)
            log.info("rollout.at_once", hosts=sorted(left))
        rest = self._rest(look, observed, found, steps)
        configured = await self._player.configure(run, observed, rest)
        deployed = await self._player.deploy(run, observed, rest)
        touched = Touched(configured, deployed, rest.partly)
        if steps:
            await self._roller.keep_aside(run, observed, steps, configured)
            await self._roller.welcome(run, observed, newcomers(observed, configured))
            observed = await record_facts(
                self._kit.store, self._observer, look.desired.site, observed, touched
            )
            observed = await self._roller.roll(run, observed, steps, plan)
            await self._gate.used(plan.site, plan.digest)
            await self._gate.used(plan.site, plan.about.part_of)
            touched = Touched(frozenset(), frozenset(), frozenset())
        return observed, touched

    def _course(self, look: Look, plan: Plan, observed: Observed, found: tuple[Difference, ...]) -> Course:
        return course(
            look.desired,
            observed,
            found,
            replaced(look.desired, plan, look.observed),
            sized=resized(look.desired, plan, look.observed),
            begun=self._rollouts.begun(look),
            first=self._rollouts.failed_on(look),
        )

    def _rest(self, look: Look, observed: Observed, found: tuple[Difference, ...], steps: Course) -> Plan:
        """What is left to do besides a course; servers that it set aside come back by it alone."""
        aside = steps.hosts
        apart = tuple(
            item
            for item in found
            if (item.path.rpartition("/")[2] if "/backends/" in item.path else item.host) not in aside
        )
        # What a person asked for comes with the steps to the servers on them.
        return planning.plan(look.desired, observed, apart, force=frozenset() if steps else look.force)

    def _underway(self, look: Look, recorder: Recorder) -> Underway:
        async def enter(observed: Observed, step: StepKind, plan: Plan | None) -> None:
            await self._enter(look, observed, step, plan)

        async def announce(observed: Observed, step: StepKind, plan: Plan | None) -> None:
            del plan
            await self._announce(look.desired, observed, step, Allowed())

        return Underway(look, recorder, enter, announce)

    async def plan(self, look: Look, notes: StepNotes) -> tuple[Plan, InfrastructurePlan | None]:
        """The plan for what was found; Terraform is asked only when there is reason to."""
        changes = None
        if planning.needs_infrastructure(look.differences) or StepKind.PROVISION in look.force:
            with self._kit.calling("terraform"):
                inputs = infrastructure_inputs(look.desired, planning.lost_hosts(look.observed))
                inputs = keeping(inputs, look.spared, look.observed)
                inputs = replace(inputs, pinned={**inputs.pinned, **look.pinned})
                changes = await self._kit.infrastructure.plan(inputs, notes.report)
        found = changes.changes if changes else ()
        plan = planning.plan(look.desired, look.observed, look.differences, found, force=look.force)
        plan = noted(plan, look.desired, look.pinned)
        rest_of = part_of(plan, self._rollouts.status(plan.site))
        about = replace(plan.about, undoing=look.undoing, part_of=rest_of, taking_back=look.takes_back)
        return replace(plan, about=about), changes

    async def _tell_what_was_seen(self, look: Look, recorder: Recorder) -> None:
        """The story of a run begins with the first sign, by whatever tier it came."""
        now = self._kit.clock.now()
        signs = told(look.signs, look.differences, now)
        async with recorder.step("observe", began=min((sign.at for sign in signs), default=now)) as notes:
            notes.hosts = tuple(sorted({item.host for item in look.differences if item.host}))
            notes.summary = describe_differences(look.differences)
            notes.detail = {
                "signs": [to_data(sign) for sign in signs],
                "differences": [seen_as(item) for item in look.differences],
            }

    async def _plan(self, look: Look, recorder: Recorder) -> tuple[Plan, InfrastructurePlan | None]:
        async with recorder.step("plan") as notes:
            plan, changes = await self.plan(look, notes)
            notes.summary = describe(plan)
            notes.detail = {
                "digest": plan.digest,
                "terraform": changes is not None,
                "causes": sorted({item.cause.value for item in look.differences}),
            }
        await recorder.update(plan=plan.digest)
        return plan, changes

    async def _judge(self, plan: Plan, look: Look, recorder: Recorder) -> Judged:
        async with recorder.step("guard") as notes:
            applied = look.observed.applied
            priced = self._books.priced(plan, look.desired, look.observed.hosts, applied)
            judged = await self._gate.judge(priced, look.spec, applied)
            notes.detail = judged.record()
            notes.summary = "allowed"
            if not isinstance(judged.verdict, Allowed):
                notes.outcome = Outcome.WAITING
                notes.summary = reasons(judged.verdict)
        return judged

    def _foreseen(self, look: Look) -> AbstractAsyncContextManager[None]:
        """New hosts will want to be configured: what that takes to begin with goes on while they are made.

        Nothing is begun where every plan waits for a person.
        """
        desired = look.desired
        if look.spec.policy.approval == "always" or not planning.new_hosts(desired, look.observed):
            return nullcontext()
        return self._kit.configuration.foreseen(desired.site)

    def _to_act_on(self, look: Look, observed: Observed) -> tuple[Difference, ...]:
        """What differs, without what the site's policy leaves alone or only tells of."""
        found = to_act_on(diff(look.desired, observed), look.spec.policy.drift, self._kit.clock.now())
        return tuple(item for item in found if item.host not in look.spared)

    async def _verify(self, look: Look, observed: Observed, touched: Touched, recorder: Recorder) -> Ending:
        await self._enter(look, observed, StepKind.VERIFY)
        state, site = state_of(observed), look.desired.site
        back = goes_back(look.desired, observed.applied, beside=bool(look.beside))

        def disturbed() -> bool:
            return self._observer.sightings.disturbed(site, state.hosts)

        async with recorder.step("verify") as notes:
            deadline = self._kit.settings.verifyDeadline
            serving, recorded = await asyncio.gather(
                self._verifier.until(
                    look.desired, state, deadline, disturbed, spared=look.spared, patient=not back
                ),
                record_facts(self._kit.store, self._observer, site, observed, touched),
            )
            failures = serving.value.failures
            notes.summary = f"{counted(serving.value.checks, 'check')}, {len(failures)} failed"
            notes.detail = {"failures": [str(failure) for failure in failures]}
            if failures:
                notes.outcome = Outcome.SUPERSEDED if disturbed() else Outcome.FAILED
        if failures and disturbed():
            raise DisturbedError(str(failures[0]))
        if failures and back:
            if await self._verifier.lost(state.hosts):
                raise DisturbedError(str(failures[0]))
            hosts = tuple(host.name for host in state.hosts)
            raise RolloutFailedError(f"verification failed: {failures[0]}", failures, hosts)
        if not failures:
            await self._mark_verified(look.desired)
        applied = await self._kit.store.applied(look.desired.site)
        observed = replace(recorded, serving=serving, applied=applied)
        error = f"verification failed: {failures[0]}" if failures else self._unmended(look, observed)
        return Ending(observed, Outcome.FAILED if error else Outcome.SUCCEEDED, error=error)

    async def _mark_verified(self, desired: Desired) -> None:
        applied: Applied = await self._kit.store.applied(desired.site)
        last = applied.desired
        if applied.verified != desired.digest or last is None or last.spec.policy != desired.spec.policy:
            other = last is not None and last.digest != desired.digest
            previous = last if other else applied.previous
            marked = replace(applied, verified=desired.digest, desired=desired, previous=previous)
            await self._kit.store.save_applied(desired.site, marked)

    async def _enter(self, look: Look, observed: Observed, step: StepKind, plan: Plan | None = None) -> None:
        desired = look.desired
        if await self._latest(desired.site) not in (desired.digest, look.beside):
            raise SupersededError
        if plan is not None:
            await self._hold_at_window(look, look.begun_for(plan))
        await self._announce(desired, observed, step, Allowed())

    async def _hold_at_window(self, look: Look, plan: Plan) -> None:
        """Go no further when the window closed meanwhile and the policy says so.

        Raises:
            WaitingError: names the window, and when the next one begins.
        """
        found = await self._gate.overrun(plan, look.spec)
        if found:
            raise WaitingError(found[0].message, until=found[0].until, mend=found[0].mend)

    def _unmended(self, look: Look, observed: Observed) -> str:
        """What a run was to mend and did not, "" for nothing: that is a failure, and backs off as one."""
        before = keys(look.differences)
        left = tuple(item for item in self._to_act_on(look, observed) if key(item) in before)
        return f"differs as before the run: {describe_differences(left)}" if actionable(left) else ""
