"""One run over one site: plan, ask the guard, provision, configure, deploy, verify.

Nothing is replayed: each step starts from what was observed last, and between steps a newer wish ends
the run, so that the next one starts from it.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from contextlib import AbstractAsyncContextManager, nullcontext
from dataclasses import replace

import structlog

from otto.decide import planning
from otto.decide.diff import diff
from otto.decide.requests import configuration_request, infrastructure_inputs, is_joint, needs_repair
from otto.decide.sifting import to_act_on
from otto.decide.signs import key, keys, seen_as, told
from otto.decide.targeting import actionable
from otto.decide.wording import (
    counted,
    describe,
    describe_actions,
    describe_differences,
    describe_result,
    reasons,
    results,
)
from otto.model.canonical import to_data
from otto.model.configuration import ConfigurationRequest
from otto.model.desired import Desired
from otto.model.difference import Difference
from otto.model.errors import OttoError, TransientError, WaitingError
from otto.model.infrastructure import InfrastructurePlan
from otto.model.observed import Applied, InfrastructureState, Observed, Seen
from otto.model.plan import Action, ActionKind, Plan, Step, StepKind
from otto.model.run import Outcome
from otto.model.spec import Role
from otto.model.verdict import Allowed, Verdict
from otto.reconcile.bookkeeper import Bookkeeper
from otto.reconcile.gatekeeper import Gatekeeper, Judged
from otto.reconcile.kit import Kit
from otto.reconcile.look import DisturbedError, Ending, Look, SupersededError
from otto.reconcile.observe import Observer
from otto.reconcile.recorder import Recorder, StepNotes
from otto.reconcile.touched import Touched, record_facts
from otto.reconcile.verify import Verifier

log = structlog.get_logger("otto.converge")

_ANOTHER_HOST = frozenset({ActionKind.CREATE, ActionKind.REPAIR, ActionKind.REPLACE})


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
        latest: digest of the newest wish for a site, asked between steps.
        announce: told of every step that begins, so that the status shows it.
    """

    def __init__(
        self,
        kit: Kit,
        observer: Observer,
        verifier: Verifier,
        *,
        gate: Gatekeeper,
        books: Bookkeeper,
        latest: Latest,
        announce: Announce,
    ) -> None:
        self._kit = kit
        self._gate = gate
        self._books = books
        self._observer = observer
        self._verifier = verifier
        self._latest = latest
        self._announce = announce

    async def converge(self, look: Look, recorder: Recorder) -> Ending:
        """Run the steps the site needs.

        Raises:
            SupersededError: between two steps, when the wish has changed.
            OttoError: a step failed.
        """
        await self._tell_what_was_seen(look, recorder)
        async with self._foreseen(look):
            plan, changes = await self._plan(look, recorder)
            judged = await self._judge(plan, look, recorder)
            verdict = judged.verdict
            if not isinstance(verdict, Allowed):
                waiting = reasons(verdict)
                return Ending(look.observed, Outcome.WAITING, verdict, plan.digest, waiting=waiting)
            observed = await self._provision(look, judged.plan, changes, recorder)
            rest = self._remainder(look, observed)
            configured = await self._configure(look, observed, rest, recorder)
            deployed = await self._deploy(look, observed, rest, recorder)
            touched = Touched(configured, deployed, frozenset(rest.partly))
            ending = await self._verify(look, observed, touched, recorder)
        return replace(ending, verdict=verdict)

    async def plan(self, look: Look, notes: StepNotes) -> tuple[Plan, InfrastructurePlan | None]:
        """The plan for what was found; Terraform is asked only when there is reason to."""
        changes = None
        if planning.needs_infrastructure(look.differences) or StepKind.PROVISION in look.force:
            with self._kit.calling("terraform"):
                inputs = infrastructure_inputs(look.desired, planning.lost_hosts(look.observed))
                changes = await self._kit.infrastructure.plan(inputs, notes.report)
        found = changes.changes if changes else ()
        plan = planning.plan(look.desired, look.observed, look.differences, found, force=look.force)
        return plan, changes

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

    async def _provision(
        self, look: Look, plan: Plan, changes: InfrastructurePlan | None, recorder: Recorder
    ) -> Observed:
        step = plan.step(StepKind.PROVISION)
        if step is None or changes is None:
            if changes is None:
                return look.observed
            await self._mark_infrastructure(look.desired, ())
            # Terraform would do nothing about what it found changed: then it is no difference any more.
            return replace(look.observed, refreshed=())
        await self._enter(look, look.observed, StepKind.PROVISION)
        async with recorder.step("provision", step.hosts) as notes:
            notes.summary = describe_actions(step.actions)
            notes.detail = {"actions": [f"{action.kind.value} {action.address}" for action in step.actions]}
            await self._gate.take(plan, look.spec)
            try:
                with self._kit.calling("terraform"):
                    await self._kit.infrastructure.apply(changes, notes.report)
            finally:
                await self._charge(look.desired)
            await self._gate.used(plan.site, plan.digest)
            await self._mark_infrastructure(look.desired, step.actions)
            made = frozenset(action.host for action in step.actions if action.kind in _ANOTHER_HOST)
            return await self._observer.after_provisioning(look.observed, look.desired.site, made)

    async def _charge(self, desired: Desired) -> None:
        """However an apply ended: what it made costs something."""
        try:
            state = await self._kit.infrastructure.state(desired.site)
            await self._books.note(desired, state or InfrastructureState())
        except OttoError as error:
            log.warning("money.unrecorded", error=error.message)

    async def _mark_infrastructure(self, desired: Desired, actions: Iterable[Action]) -> None:
        """Record what is in place; what was known of hosts that are new or gone no longer holds."""
        before = await self._kit.store.applied(desired.site)
        other = {action.host for action in actions if action.kind in _ANOTHER_HOST}
        wanted = {name for role in Role for name in desired.spec.host_names(role)}
        kept = before.without_hosts_but(frozenset(wanted - other))
        applied = replace(
            kept,
            infrastructure=desired.infrastructure_digest,
            sizes={role.value: desired.spec.group(role).size for role in Role},
            born=before.born or self._kit.clock.now(),
        )
        await self._kit.store.save_applied(desired.site, applied)

    def _remainder(self, look: Look, observed: Observed) -> Plan:
        """What is left to do after provisioning, now that addresses are known."""
        differences = self._to_act_on(look, observed)
        return planning.plan(look.desired, observed, differences, force=look.force)

    def _to_act_on(self, look: Look, observed: Observed) -> tuple[Difference, ...]:
        """What differs, without what the site's policy leaves alone or only tells of."""
        return to_act_on(diff(look.desired, observed), look.spec.policy.drift, self._kit.clock.now())

    async def _configure(
        self, look: Look, observed: Observed, plan: Plan, recorder: Recorder
    ) -> frozenset[str]:
        """Configure hosts; content comes along where it can."""
        step, content = plan.step(StepKind.CONFIGURE), plan.step(StepKind.DEPLOY)
        if step is None:
            return frozenset()
        await self._enter(look, observed, StepKind.CONFIGURE, plan)
        state = _state(observed)
        async with recorder.step("configure", step.hosts) as notes:
            request = configuration_request(look.desired, state, step)
            if content is not None and is_joint(step, content, state):
                # Ansible takes longer to start than to bring content.
                request = await self._with_content(request, look, content)
            await self._play(request, notes)
        return frozenset(step.hosts)

    async def _deploy(self, look: Look, observed: Observed, plan: Plan, recorder: Recorder) -> frozenset[str]:
        """Bring content to hosts that did not get it with their configuration."""
        before, step = plan.step(StepKind.CONFIGURE), plan.step(StepKind.DEPLOY)
        if step is None:
            return frozenset()
        await self._enter(look, observed, StepKind.DEPLOY, plan)
        state = _state(observed)
        async with recorder.step("deploy", step.hosts) as notes:
            notes.detail = {"revision": look.desired.content}
            if before is not None and is_joint(before, step, state):
                notes.summary = "brought in the same play"
            else:
                request = configuration_request(look.desired, state, step)
                await self._play(await self._with_content(request, look, step), notes)
        return frozenset(step.hosts)

    async def _with_content(
        self, request: ConfigurationRequest, look: Look, step: Step
    ) -> ConfigurationRequest:
        archive = await self._kit.source.archive(look.desired.content)
        return replace(request, archive=archive, repair=needs_repair(look.differences, step))

    async def _play(self, request: ConfigurationRequest, notes: StepNotes) -> None:
        try:
            with self._kit.calling("ansible"):
                result = await self._kit.configuration.configure(request, notes.report)
        finally:
            # However it ended, and whether or not the run comes to ask them: they are not what they were.
            self._observer.desk.doubt(host.id for host in request.hosts)
        notes.detail |= {"results": results(result), "changed": result.changed}
        notes.summary = describe_result(result)
        if result.failed:
            first = result.failed[0]
            names = ", ".join(item.host for item in result.failed)
            message = f"{request.kind.value} failed on {names}: {first.task or first.outcome.value}"
            raise TransientError(f"{message}: {first.message}" if first.message else message)

    async def _verify(self, look: Look, observed: Observed, touched: Touched, recorder: Recorder) -> Ending:
        await self._enter(look, observed, StepKind.VERIFY)
        state, site = _state(observed), look.desired.site

        def disturbed() -> bool:
            return self._observer.sightings.disturbed(site, state.hosts)

        async with recorder.step("verify") as notes:
            deadline = self._kit.settings.verifyDeadline
            serving, recorded = await asyncio.gather(
                self._verifier.until(look.desired, state, deadline, disturbed),
                record_facts(self._kit.store, self._observer, site, observed, touched),
            )
            failures = serving.value.failures
            notes.summary = f"{counted(serving.value.checks, 'check')}, {len(failures)} failed"
            notes.detail = {"failures": [str(failure) for failure in failures]}
            if failures:
                notes.outcome = Outcome.SUPERSEDED if disturbed() else Outcome.FAILED
        if failures and disturbed():
            raise DisturbedError(str(failures[0]))
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
            marked = replace(applied, verified=desired.digest, desired=desired)
            await self._kit.store.save_applied(desired.site, marked)

    async def _enter(self, look: Look, observed: Observed, step: StepKind, plan: Plan | None = None) -> None:
        desired = look.desired
        if await self._latest(desired.site) not in (desired.digest, look.beside):
            raise SupersededError
        if plan is not None:
            await self._hold_at_window(look, plan)
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


def _state(observed: Observed) -> InfrastructureState:
    known = observed.infrastructure
    return known.value if isinstance(known, Seen) else InfrastructureState()
