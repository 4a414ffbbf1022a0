"""Have Terraform do what was allowed, and keep what is in place and what it costs on record."""

from collections.abc import Iterable
from dataclasses import replace

import structlog

from otto.decide import planning
from otto.decide.requests import infrastructure_inputs
from otto.decide.rollout import covered, keeping
from otto.decide.wording import describe_actions
from otto.model.desired import Desired
from otto.model.errors import OttoError, TransientError
from otto.model.infrastructure import InfrastructurePlan
from otto.model.observed import InfrastructureState, Observed
from otto.model.plan import Action, Plan, StepKind
from otto.model.spec import Role
from otto.reconcile.bookkeeper import Bookkeeper
from otto.reconcile.gatekeeper import Gatekeeper
from otto.reconcile.kit import Kit
from otto.reconcile.observe import Observer
from otto.reconcile.recorder import StepNotes
from otto.reconcile.standins import StandIns
from otto.reconcile.underway import Underway

log = structlog.get_logger("otto.converge")

# Stands for the digest of inputs while only a part of them is in place.
_BETWEEN = "in between"


class Provisioner:
    """Carries out the infrastructure part of plans."""

    def __init__(
        self, kit: Kit, observer: Observer, *, gate: Gatekeeper, books: Bookkeeper, standins: StandIns
    ) -> None:
        self._kit = kit
        self._observer = observer
        self._gate = gate
        self._books = books
        self._standins = standins

    async def ask(
        self, run_look: "Underway", observed: Observed, kept: frozenset[str], notes: StepNotes
    ) -> InfrastructurePlan:
        """What Terraform would do, while some hosts are kept as they are."""
        desired = run_look.look.desired
        inputs = infrastructure_inputs(desired, planning.lost_hosts(observed))
        with self._kit.calling("terraform"):
            inputs = keeping(inputs, kept, observed)
            inputs = replace(inputs, pinned={**inputs.pinned, **run_look.look.pinned})
            return await self._kit.infrastructure.plan(inputs, notes.report)

    async def whole(self, run: Underway, plan: Plan, changes: InfrastructurePlan | None) -> Observed:
        """Apply all of a plan; what was observed, after it."""
        look, step = run.look, plan.step(StepKind.PROVISION)
        if step is None or changes is None:
            if changes is None:
                return look.observed
            await self._mark(look.desired, ())
            # Terraform would do nothing about what it found changed: then it is no difference any more.
            return replace(look.observed, refreshed=())
        await run.enter(look.observed, StepKind.PROVISION, None)
        async with run.recorder.step("provision", step.hosts) as notes:
            observed = await self._apply(run, look.observed, plan, changes, notes)
            await self._gate.used(plan.site, plan.digest)
            return observed

    async def part(self, run: Underway, observed: Observed, judged: Plan, kept: frozenset[str]) -> Observed:
        """Apply what a plan does to all hosts but some, which are kept as they are for now.

        Args:
            run: the run.
            observed: what is there.
            judged: the plan as it was allowed; nothing else is done.
            kept: hosts that are not touched yet.

        Raises:
            TransientError: Terraform would do something that was not judged; or what `apply` raises.
        """
        desired = run.look.desired
        async with run.recorder.step("provision") as notes:
            changes = await self.ask(run, observed, kept, notes)
            found = tuple(planning.classify(change, desired, observed) for change in changes.changes)
            if not covered(found, judged.actions):
                raise TransientError(
                    f"Terraform would now do something else than was judged: {describe_actions(found)}"
                )
            if not found:
                notes.summary = "nothing to do yet" if kept else "nothing to do"
                if not kept:
                    await self._mark(desired, ())
                return observed
            plan = planning.narrowed(judged, found)
            notes.hosts = tuple(sorted({action.host for action in found if action.host}))
            return await self._apply(run, observed, plan, changes, notes, complete=not kept)

    async def _apply(
        self,
        run: Underway,
        observed: Observed,
        plan: Plan,
        changes: InfrastructurePlan,
        notes: StepNotes,
        *,
        complete: bool = True,
    ) -> Observed:
        desired = run.look.desired
        notes.summary = describe_actions(plan.actions)
        notes.detail = {"actions": [f"{action.kind.value} {action.address}" for action in plan.actions]}
        await self._standins.check(plan, desired, run.look.pinned)
        await self._gate.take(plan, run.look.spec)
        if not complete:
            await self._mark_between(desired)
        try:
            with self._kit.calling("terraform"):
                await self._kit.infrastructure.apply(changes, notes.report)
        finally:
            await self._charge(desired)
        await self._mark(desired, plan.actions, complete=complete)
        made = frozenset(action.host for action in plan.actions if action.kind.makes)
        return await self._observer.after_provisioning(observed, desired, made)

    async def _charge(self, desired: Desired) -> None:
        """However an apply ended: what it made costs something."""
        try:
            state = await self._kit.infrastructure.state(desired.site)
            await self._books.note(desired, state or InfrastructureState())
        except OttoError as error:
            log.warning("money.unrecorded", error=error.message)

    async def _mark_between(self, desired: Desired) -> None:
        """From here on neither the wish before nor this one is in place, whatever becomes of us."""
        before = await self._kit.store.applied(desired.site)
        if before.infrastructure:
            await self._kit.store.save_applied(desired.site, replace(before, infrastructure=_BETWEEN))

    async def _mark(self, desired: Desired, actions: Iterable[Action], *, complete: bool = True) -> None:
        """Record what is in place; what was known of hosts that are new or gone no longer holds."""
        before = await self._kit.store.applied(desired.site)
        other = {action.host for action in actions if action.kind.makes}
        wanted = {name for role in Role for name in desired.host_names(role)}
        kept = before.without_hosts_but(frozenset(wanted - other))
        applied = replace(
            kept,
            infrastructure=desired.infrastructure_digest if complete else _BETWEEN,
            sizes={role.value: desired.spec.group(role).size for role in Role},
            born=before.born or self._kit.clock.now(),
        )
        await self._kit.store.save_applied(desired.site, applied)
