"""Change running servers in steps: out of the balancer, changed, tried, back, watched; then the next.

Whatever ends it midway, nothing is lost: the next look finds which servers have what, those that were set
aside among them, and goes on from there.
"""

from dataclasses import dataclass, replace

from otto.decide import planning, rollout, verification
from otto.decide.diff import diff
from otto.decide.rollout import Course
from otto.decide.sifting import to_act_on
from otto.decide.verification import Answers
from otto.decide.wording import counted
from otto.model.desired import Desired
from otto.model.difference import Difference
from otto.model.host import Host
from otto.model.observed import CheckFailure, Observed
from otto.model.plan import Plan, StepKind
from otto.model.spec import Role
from otto.reconcile.kit import Kit
from otto.reconcile.look import DisturbedError, RolloutFailedError
from otto.reconcile.observe import Observer
from otto.reconcile.playing import Player, PlayFailedError, state_of
from otto.reconcile.provisioning import Provisioner
from otto.reconcile.rollouts import Rollouts
from otto.reconcile.touched import Touched, record_facts
from otto.reconcile.underway import Underway
from otto.reconcile.verify import Verifier

# Seconds between two looks at a batch that is watched.
_PAUSE = 0.25
# Fewer answers than this say nothing of a server.
_ENOUGH = 20
# What is done to a batch until it is changed; the rest is to verify it.
_CHANGING = frozenset({"drain", "change"})
# Seconds a balancer has to call a server UP again.
_RETURN = 30.0


@dataclass(frozen=True, slots=True)
class _Batch:
    """Servers that are changed together.

    Attributes:
        names: their names.
        number: which batch it is, from 1.
        drained: whether they are taken out of the balancers meanwhile.
        anew: those of them that are made anew.
        kept: servers that stay as they are until later batches.
    """

    names: tuple[str, ...]
    number: int
    drained: bool
    anew: frozenset[str]
    kept: frozenset[str]


class Roller:
    """Carries out courses."""

    def __init__(
        self,
        kit: Kit,
        observer: Observer,
        verifier: Verifier,
        provisioner: Provisioner,
        *,
        player: Player,
        rollouts: Rollouts,
    ) -> None:
        self._kit = kit
        self._observer = observer
        self._verifier = verifier
        self._provisioner = provisioner
        self._player = player
        self._rollouts = rollouts

    async def roll(self, run: Underway, observed: Observed, course: Course, judged: Plan) -> Observed:
        """Take every batch through all its steps, one after the other; what was observed after them.

        Args:
            run: the run.
            observed: what is there, when all that needs no steps was done.
            course: the steps.
            judged: the plan as it was allowed.

        Raises:
            RolloutFailedError: a batch does not hold what the wish promises.
            DisturbedError: a host was lost on the way.
            SupersededError: a newer wish came between two batches.
            WaitingError: somebody paused the rollout, or its window closed.
        """
        desired = run.look.desired
        await self._rollouts.begin(run.look, course, judged)
        ahead = course.replaced
        for number, names in enumerate(course.steps, 1):
            await self._rollouts.heed(desired)
            await self._rollouts.go_on(desired)
            self._check_undisturbed(run, observed)
            await run.enter(observed, StepKind.CONFIGURE, judged)
            anew = course.replaced & frozenset(names)
            ahead -= anew
            serving = rollout.serving(desired, observed)
            web = any(names == batch for batch in course.batches)
            drained = web and bool(serving - frozenset(names)) and _is_balanced(observed)
            batch = _Batch(names, number, drained, anew, ahead)
            observed = await self._batch(run.unasked(), observed, batch, judged)
            await self._rollouts.batch_done(desired, names)
        return await self._heard(observed)

    async def leave(self, run: Underway, observed: Observed, names: tuple[str, ...]) -> None:
        """Have visitors leave servers that are to go for good."""
        serving = rollout.serving(run.look.desired, observed)
        if names and serving - frozenset(names) and _is_balanced(observed):
            await self._set_aside(run, observed, names)

    async def _batch(self, run: Underway, observed: Observed, batch: _Batch, judged: Plan) -> Observed:
        if batch.drained:
            await self._moment(run, observed, "drain", batch)
            await self._set_aside(run, observed, batch.names)
        elif batch.anew and _is_balancer(observed, batch.names[0]) and _has_another(observed):
            await self._soft_stop(run, observed, batch.names)
        await self._moment(run, observed, "change", batch)
        observed = await self._change(run, observed, batch, judged)
        await self._moment(run, observed, "verify", batch)
        await self._try(run, observed, batch)
        if batch.drained:
            await self._moment(run, observed, "return", batch)
            await self._bring_back(run, observed, batch.names)
        await self._moment(run, observed, "soak", batch)
        await self._soak(run, observed, batch)
        return observed

    async def _moment(self, run: Underway, observed: Observed, moment: str, batch: _Batch) -> None:
        """What is being done to a batch from here on, for `otto rollout status` and the site's status."""
        await self._rollouts.moment(run.look.desired, moment, batch.names)
        await run.announce(observed, StepKind.CONFIGURE if moment in _CHANGING else StepKind.VERIFY, None)

    async def _set_aside(self, run: Underway, observed: Observed, names: tuple[str, ...]) -> None:
        state = state_of(observed)
        patience = run.look.spec.rollout.drain_timeout
        async with run.recorder.step("set-aside", names) as notes:
            with self._kit.calling("haproxy"):
                left = await self._kit.configuration.set_aside(
                    state.of(Role.BALANCER), names, patience, notes.report
                )
            self._doubt_balancers(observed)
            late = {name: count for name, count in left.items() if count}
            notes.detail = {"sessions left": dict(late)}
            notes.summary = "nobody is on them"
            if late:
                words = ", ".join(f"{counted(count, 'session')} of {name}" for name, count in late.items())
                notes.summary = f"not finished after {patience:g} s: {words}"

    async def _soft_stop(self, run: Underway, observed: Observed, names: tuple[str, ...]) -> None:
        """A balancer that is to be made anew lets its visitors finish; others have its new ones."""
        hosts = _hosts(observed, names)
        async with run.recorder.step("drain", names) as notes:
            await self._kit.configuration.drain(hosts, run.look.spec.rollout.drain_timeout, notes.report)

    async def _change(self, run: Underway, observed: Observed, batch: _Batch, judged: Plan) -> Observed:
        if batch.anew:
            observed = await self._provisioner.part(run, observed, judged, batch.kept)
        observed = await self._play(run, observed, frozenset(batch.names), batch)
        if batch.anew and not _is_balancer(observed, batch.names[0]):
            # A server that was made anew may be elsewhere; where it is not, there is nothing to tell.
            balancers = frozenset(host.name for host in state_of(observed).of(Role.BALANCER))
            observed = await self._play(run, observed, balancers, batch)
        return observed

    async def _play(
        self, run: Underway, observed: Observed, names: frozenset[str], batch: _Batch
    ) -> Observed:
        """Configure some hosts, and bring them content, as far as they differ."""
        desired = run.look.desired
        differences = [item for item in self._differences(run, observed) if item.host in names]
        plan = planning.plan(desired, observed, _without_backends(differences))
        try:
            configured = await self._player.configure(run, observed, plan)
            deployed = await self._player.deploy(run, observed, plan)
        except PlayFailedError as error:
            if error.refusals:
                raise RolloutFailedError(error.message, error.refusals, batch.names) from error
            raise
        touched = Touched(configured, deployed, plan.partly)
        return await record_facts(self._kit.store, self._observer, desired.site, observed, touched)

    async def _try(self, run: Underway, observed: Observed, batch: _Batch) -> None:
        """Ask the servers themselves, before any visitor comes to them again."""
        desired, state = run.look.desired, state_of(observed)
        async with run.recorder.step("try", batch.names) as notes:
            failures = await self._verifier.directly(
                desired,
                state,
                batch.names,
                deadline=self._kit.settings.verifyDeadline,
                disturbed=lambda: self._observer.sightings.disturbed(desired.site, state.hosts),
            )
            notes.summary = f"{counted(len(failures), 'check')} failed" if failures else "every check holds"
            notes.detail = {"failures": [str(failure) for failure in failures]}
            await self._fail_over(observed, run, batch, failures, "before its return")

    async def _bring_back(self, run: Underway, observed: Observed, names: tuple[str, ...]) -> None:
        async with run.recorder.step("return", names) as notes:
            balancers = state_of(observed).of(Role.BALANCER)
            with self._kit.calling("haproxy"):
                await self._kit.configuration.bring_back(balancers, names, _RETURN, notes.report)
            self._doubt_balancers(observed)
            notes.summary = "visitors come again"

    async def _soak(self, run: Underway, observed: Observed, batch: _Batch) -> None:
        """Watch servers that visitors are on again."""
        clock, spec = self._kit.clock, run.look.spec.rollout
        if spec.soak <= 0:
            return
        async with run.recorder.step("soak", batch.names) as notes:
            end = clock.monotonic() + spec.soak
            before = await self._answers(observed)
            failed = 0
            while True:
                self._check_undisturbed(run, observed)
                await self._rollouts.heed(run.look.desired)
                failures = await self._watch(run.look.desired, observed, batch)
                failed = failed + 1 if failures else 0
                if failed >= spec.abort_on.failed_checks:
                    notes.summary = f"{counted(len(failures), 'check')} failed"
                    await self._fail_over(observed, run, batch, failures, "after its return")
                errors = verification.errors_since(before, await self._answers(observed), batch.names)
                notes.detail = {"answers": errors.total, "errors": errors.errors}
                if errors.total >= _ENOUGH and errors.share > spec.abort_on.errors:
                    raise RolloutFailedError(*_too_many(errors, batch.names, spec.abort_on.errors))
                if clock.monotonic() >= end:
                    break
                await clock.sleep(min(_PAUSE, max(0.0, end - clock.monotonic())))
            notes.summary = f"{errors.total} answers, {errors.errors} of them errors"

    def _check_undisturbed(self, run: Underway, observed: Observed) -> None:
        """A lost server is mended before anything else is changed: the site has fewer than it should.

        Raises:
            DisturbedError: one was lost since the run began.
        """
        hosts = state_of(observed).hosts
        if self._observer.sightings.disturbed(run.look.desired.site, hosts):
            raise DisturbedError("a host was lost while the site was changed")

    async def _watch(self, desired: Desired, observed: Observed, batch: _Batch) -> tuple[CheckFailure, ...]:
        return await self._verifier.directly(desired, state_of(observed), batch.names, deadline=0.0)

    async def _answers(self, observed: Observed) -> Answers:
        return await self._verifier.answers(state_of(observed))

    async def _fail_over(
        self,
        observed: Observed,
        run: Underway,
        batch: _Batch,
        failures: tuple[CheckFailure, ...],
        when: str,
    ) -> None:
        """What a failed check comes to: the wish's fault, unless a host was lost meanwhile."""
        if not failures:
            return
        site = run.look.desired.site
        hosts = state_of(observed).hosts
        if self._observer.sightings.disturbed(site, hosts) or await self._verifier.lost(hosts):
            raise DisturbedError(str(failures[0]))
        names = ", ".join(batch.names)
        raise RolloutFailedError(f"{names} {when}: {failures[0]}", failures, batch.names)

    def _differences(self, run: Underway, observed: Observed) -> tuple[Difference, ...]:
        found = diff(run.look.desired, observed)
        return to_act_on(found, run.look.spec.policy.drift, self._kit.clock.now())

    async def _heard(self, observed: Observed) -> Observed:
        """What balancers say of their servers now that all are back."""
        facts = await self._observer.facts(state_of(observed).of(Role.BALANCER), frozenset())
        return replace(observed, facts=dict(observed.facts) | dict(facts))

    def _doubt_balancers(self, observed: Observed) -> None:
        """What balancers said of their servers no longer holds."""
        self._observer.desk.doubt(host.id for host in state_of(observed).of(Role.BALANCER))


def _hosts(observed: Observed, names: tuple[str, ...]) -> tuple[Host, ...]:
    return tuple(host for host in observed.hosts if host.name in names)


def _has_another(observed: Observed) -> bool:
    """Whether visitors of one balancer have another one."""
    return len(state_of(observed).of(Role.BALANCER)) > 1


def _is_balanced(observed: Observed) -> bool:
    return bool(state_of(observed).of(Role.BALANCER))


def _is_balancer(observed: Observed, name: str) -> bool:
    host = state_of(observed).named(name)
    return host is not None and host.role is Role.BALANCER


def _without_backends(differences: list[Difference]) -> list[Difference]:
    """Servers that the rollout itself set aside come back by it, and by no play."""
    return [item for item in differences if "/backends/" not in item.path]


def _too_many(
    errors: "verification.Errors", names: tuple[str, ...], most: float
) -> tuple[str, tuple[CheckFailure, ...], tuple[str, ...]]:
    received = f"{errors.errors} of {errors.total} answers are errors"
    who = ", ".join(names)
    failure = CheckFailure("errors", who, "what visitors asked", f"at most {most:.0%} HTTP 5xx", received)
    return f"{who} after its return: {received}, more than {most:.0%}", (failure,), names
