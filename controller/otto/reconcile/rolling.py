"""Change running servers in steps: out of the balancer, changed, tried, back, watched; then the next.

Whatever ends it midway, nothing is lost: the next look finds which servers have what, those that were set
aside among them, and goes on from there.
"""

from dataclasses import replace

from otto.decide import planning, rollout
from otto.decide.batches import room
from otto.decide.diff import diff
from otto.decide.rollout import Course
from otto.decide.sifting import to_act_on
from otto.decide.wording import counted
from otto.model.difference import Difference
from otto.model.errors import TransientError
from otto.model.host import Host
from otto.model.observed import Observed, Seen
from otto.model.plan import Plan, StepKind
from otto.model.spec import Role
from otto.reconcile.kit import Kit
from otto.reconcile.look import RolloutFailedError
from otto.reconcile.observe import Observer
from otto.reconcile.playing import Player, PlayFailedError, state_of
from otto.reconcile.provisioning import Provisioner
from otto.reconcile.rollouts import Rollouts
from otto.reconcile.touched import Touched, record_facts
from otto.reconcile.trials import Batch, Trials
from otto.reconcile.underway import Underway
from otto.reconcile.verify import Verifier

# What is done to a batch until it is changed; the rest is to verify it.
_CHANGING = frozenset({"drain", "change"})
# Seconds a balancer has to call a server UP again.
_RETURN = 30.0


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
        self._trials = Trials(kit, observer, verifier, rollouts.heed)
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
            TransientError: too many servers are out of service already.
        """
        desired = run.look.desired
        await self._rollouts.begin(run.look, course, judged)
        ahead = course.provisioned
        for number, names in enumerate(course.steps, 1):
            await self._rollouts.heed(desired)
            await self._rollouts.go_on(run.look, takes=bool(course.replaced & frozenset(names)))
            self._trials.check_undisturbed(run, observed)
            await run.enter(observed, StepKind.CONFIGURE, judged)
            anew = course.replaced & frozenset(names)
            ahead -= frozenset(names)
            serving = rollout.serving(desired, observed)
            web = any(names == batch for batch in course.batches)
            if web:
                await self._check_room(run, observed, serving, names)
            drained = web and bool(serving - frozenset(names)) and _is_balanced(observed)
            sized = course.resized & frozenset(names)
            batch = Batch(names, number, drained, anew, ahead, sized)
            observed = await self._batch(run.unasked(), observed, batch, judged)
            observed = rollout.returned(observed, names)
            await self._rollouts.batch_done(desired, names)
        return await self._heard(observed)

    async def leave(self, run: Underway, observed: Observed, names: tuple[str, ...]) -> None:
        """Have visitors leave servers that are to go for good."""
        serving = rollout.serving(run.look.desired, observed)
        if names and serving - frozenset(names) and _is_balanced(observed):
            await self._set_aside(run, observed, names)

    async def welcome(self, run: Underway, observed: Observed, names: tuple[str, ...]) -> None:
        """Wait until visitors come to new servers: who is to take over is to be there before anybody goes."""
        if names and _is_balanced(observed):
            await self._bring_back(run, observed, names)

    async def keep_aside(
        self, run: Underway, observed: Observed, course: Course, told: frozenset[str]
    ) -> None:
        """Servers of a course that nobody was sent to stay so, though their balancers were reloaded.

        Args:
            run: the run.
            observed: what was seen before.
            course: the steps that are ahead.
            told: hosts that were configured meanwhile.
        """
        aside = tuple(sorted(rollout.set_aside(observed) & course.hosts))
        if aside and told & {host.name for host in state_of(observed).of(Role.BALANCER)}:
            await self.leave(run, observed, aside)

    async def _check_room(
        self, run: Underway, observed: Observed, serving: frozenset[str], names: tuple[str, ...]
    ) -> None:
        """No more servers are out of service at once than the spec says, those that are broken included."""
        desired, taken = run.look.desired, serving & frozenset(names)
        others = [host for host in state_of(observed).of(Role.WEB) if host.name not in names]
        if not taken or not others:
            return
        await self._check_balancers(observed)
        out = {host.name for host in others} - serving | await self._verifier.lost(others)
        total = desired.spec.web.count
        if room(desired.spec.rollout, total, len(out)) < len(taken):
            raise TransientError(
                f"{', '.join(sorted(out))} of {total} web servers: out of service, so no other is taken out",
                mend="it goes on when they serve again; or raise `rollout.maxUnavailable`",
            )

    async def _check_balancers(self, observed: Observed) -> None:
        """A balancer that cannot be asked may have set others aside, and may go on sending visitors."""
        balancers = state_of(observed).of(Role.BALANCER)
        unheard = {host.name for host in balancers if not isinstance(observed.facts.get(host.name), Seen)}
        unheard |= await self._verifier.lost(balancers)
        if unheard:
            raise TransientError(
                f"{', '.join(sorted(unheard))}: no answer, so it is not known whom visitors are sent to: "
                "no server is taken out",
                mend="it goes on when it answers, or was mended",
            )

    async def _batch(self, run: Underway, observed: Observed, batch: Batch, judged: Plan) -> Observed:
        returns = batch.drained or bool(rollout.set_aside(observed) & set(batch.names))
        if batch.drained:
            await self._moment(run, observed, "drain", batch)
            await self._set_aside(run, observed, batch.names)
        elif batch.anew and _is_balancer(observed, batch.names[0]) and _has_another(observed):
            await self._soft_stop(run, observed, batch.names)
        await self._moment(run, observed, "change", batch)
        observed = await self._change(run, observed, batch, judged)
        await self._moment(run, observed, "verify", batch)
        await self._trials.before_return(run, observed, batch)
        if returns:
            await self._moment(run, observed, "return", batch)
            await self._bring_back(run, observed, batch.names)
        await self._moment(run, observed, "soak", batch)
        await self._trials.after_return(run, observed, batch)
        return observed

    async def _moment(self, run: Underway, observed: Observed, moment: str, batch: Batch) -> None:
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

    async def _change(self, run: Underway, observed: Observed, batch: Batch, judged: Plan) -> Observed:
        if batch.anew or batch.sized:
            observed = await self._provisioner.part(run, observed, judged, batch.kept)
        observed = await self._play(run, observed, frozenset(batch.names), batch)
        if batch.anew and not _is_balancer(observed, batch.names[0]):
            # A server that was made anew may be elsewhere; where it is not, there is nothing to tell.
            balancers = frozenset(host.name for host in state_of(observed).of(Role.BALANCER))
            observed = await self._play(run, observed, balancers, batch)
            if batch.drained:
                # A balancer that was reloaded has forgotten who is set aside.
                await self._set_aside(run, observed, batch.names)
        return observed

    async def _play(self, run: Underway, observed: Observed, names: frozenset[str], batch: Batch) -> Observed:
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

    async def _bring_back(self, run: Underway, observed: Observed, names: tuple[str, ...]) -> None:
        async with run.recorder.step("return", names) as notes:
            balancers = state_of(observed).of(Role.BALANCER)
            with self._kit.calling("haproxy"):
                await self._kit.configuration.bring_back(balancers, names, _RETURN, notes.report)
            self._doubt_balancers(observed)
            notes.summary = "visitors come again"

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
