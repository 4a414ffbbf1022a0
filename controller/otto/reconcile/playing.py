"""Have Ansible configure hosts and bring them content."""

from dataclasses import replace

from otto.decide.requests import configuration_request, is_joint, needs_repair
from otto.decide.wording import describe_result, results
from otto.model.configuration import ConfigurationRequest, ConfigurationResult, HostOutcome
from otto.model.errors import TransientError
from otto.model.observed import CheckFailure, InfrastructureState, Observed, Seen
from otto.model.plan import Plan, Step, StepKind
from otto.reconcile.kit import Kit
from otto.reconcile.look import Look
from otto.reconcile.observe import Observer
from otto.reconcile.recorder import StepNotes
from otto.reconcile.underway import Underway


class PlayFailedError(TransientError):
    """A play failed on a host.

    Args:
        message: on which hosts, and why on the first.
        result: what the play did to each host.
    """

    def __init__(self, message: str, result: ConfigurationResult) -> None:
        super().__init__(message)
        self.result = result

    @property
    def refusals(self) -> tuple[CheckFailure, ...]:
        """Hosts that answered, and on which a task failed: trying again is likely to end the same way."""
        return tuple(
            CheckFailure("configure", item.host, item.task, "a task that succeeds", item.message, item.host)
            for item in self.result.failed
            if item.outcome is HostOutcome.FAILED
        )


class Player:
    """Runs the plays of plans."""

    def __init__(self, kit: Kit, observer: Observer) -> None:
        self._kit = kit
        self._observer = observer

    async def configure(self, run: Underway, observed: Observed, plan: Plan) -> frozenset[str]:
        """Configure the hosts a plan names; content comes along where it can. Those hosts.

        Raises:
            PlayFailedError: on one of them at least.
        """
        step, content = plan.step(StepKind.CONFIGURE), plan.step(StepKind.DEPLOY)
        if step is None:
            return frozenset()
        await run.enter(observed, StepKind.CONFIGURE, plan)
        state = state_of(observed)
        async with run.recorder.step("configure", step.hosts) as notes:
            request = configuration_request(run.look.desired, state, step)
            if content is not None and is_joint(step, content, state):
                # Ansible takes longer to start than to bring content.
                request = await self._with_content(request, run.look, content)
            await self._play(request, notes)
        return frozenset(step.hosts)

    async def deploy(self, run: Underway, observed: Observed, plan: Plan) -> frozenset[str]:
        """Bring content to hosts that did not get it with their configuration. All that got it.

        Raises:
            PlayFailedError: on one of them at least.
        """
        before, step = plan.step(StepKind.CONFIGURE), plan.step(StepKind.DEPLOY)
        if step is None:
            return frozenset()
        await run.enter(observed, StepKind.DEPLOY, plan)
        state = state_of(observed)
        async with run.recorder.step("deploy", step.hosts) as notes:
            notes.detail = {"revision": run.look.desired.content}
            if before is not None and is_joint(before, step, state):
                notes.summary = "brought in the same play"
            else:
                request = configuration_request(run.look.desired, state, step)
                await self._play(await self._with_content(request, run.look, step), notes)
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
            raise PlayFailedError(f"{message}: {first.message}" if first.message else message, result)


def state_of(observed: Observed) -> InfrastructureState:
    """Terraform's state as it was seen, an empty one where it was not."""
    known = observed.infrastructure
    return known.value if isinstance(known, Seen) else InfrastructureState()
