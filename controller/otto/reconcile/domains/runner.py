"""One run over one zone: plan, ask the guard, change its records, ask its nameservers."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

import structlog

from otto.decide.dns import planning
from otto.decide.dns.summarize import ZoneFindings
from otto.decide.signs import seen_as
from otto.decide.wording import counted, describe, describe_actions, describe_differences, reasons
from otto.model.canonical import to_data
from otto.model.errors import StaleError, TransientError, WaitingError
from otto.model.observed import Applied, CheckFailure
from otto.model.plan import Plan, StepKind
from otto.model.run import Outcome, Run
from otto.model.verdict import Allowed, Verdict
from otto.reconcile.domains.aside import aside
from otto.reconcile.domains.memory import ZoneBook
from otto.reconcile.domains.observer import ZoneLook, ZoneObserver, of_servers, unexpected
from otto.reconcile.domains.statuses import ZoneStatuses
from otto.reconcile.gatekeeper import Gatekeeper, Judged
from otto.reconcile.kit import Kit
from otto.reconcile.look import SupersededError
from otto.reconcile.recorder import Recorder, run_id

log = structlog.get_logger("otto.domains")

Latest = Callable[[str], str]
# Seconds between two questions while nameservers may still lag behind.
_PAUSE = 2.0
_MOST_TOLD = 200


@dataclass(frozen=True, slots=True)
class ZoneEnding:
    """Where a run over a zone ended.

    Attributes:
        outcome: how.
        run: its id.
        plan: digest of its plan.
        verdict: what the guard said of that, None where nothing was planned.
        left: what differs afterwards; None where it was not looked at again.
        failures: what nameservers answer otherwise; None where they were not asked.
        error: why it failed, "" where it did not.
    """

    outcome: Outcome
    run: str
    plan: str
    verdict: Verdict | None
    left: ZoneLook | None = None
    failures: tuple[CheckFailure, ...] | None = None
    error: str = ""


class ZoneRunner:
    """Carries out runs over zones, each recorded to its end whatever happens in it.

    Args:
        kit: the ports.
        gate: asks the guard.
        book: what zones were to hold.
        observer: looks at zones.
        statuses: is told of every step.
        latest: digest of the newest wish for a zone, asked before anything is changed.
    """

    def __init__(
        self,
        kit: Kit,
        gate: Gatekeeper,
        book: ZoneBook,
        observer: ZoneObserver,
        *,
        statuses: ZoneStatuses,
        latest: Latest,
    ) -> None:
        self._kit = kit
        self._gate = gate
        self._book = book
        self._observer = observer
        self._statuses = statuses
        self._latest = latest
        self._recorders: dict[str, Recorder] = {}

    async def write_end(self, zone: str) -> None:
        """Have the store take the end of the zone's last run, if it did not when it came."""
        if last := self._recorders.get(zone):
            if not last.written:
                await last.write()
            del self._recorders[zone]

    async def run(self, look: ZoneLook, cause: str, *, asked: bool) -> ZoneEnding:
        """Change what is to be changed.

        Args:
            look: what was found.
            cause: what made the zone due.
            asked: whether a person asked for it, whether or not anything differs.

        Raises:
            SupersededError: the wish has changed.
            StaleError: the zone moved on since it was read.
            OttoError: a step failed.
        """
        desired, now = look.desired, self._kit.clock.now()
        run = Run(run_id(now), desired.zone, cause, now, desired.commit, desired.digest)
        recorder = self._recorders[desired.zone] = Recorder(self._kit, run)
        with structlog.contextvars.bound_contextvars(
            run=run.id, commit=desired.commit, digest=desired.digest[:12]
        ):
            log.info("run.started", cause=cause, differences=len(look.differences))
            ending = await self._recorded(look, recorder, asked=asked)
            if ending.outcome is Outcome.SUCCEEDED:
                await self._gate.used(desired.zone, recorder.run.plan)
            waiting = reasons(ending.verdict) if ending.verdict else ""
            await recorder.end(ending.outcome, ending.error or waiting)
        return ending

    async def _recorded(self, look: ZoneLook, recorder: Recorder, *, asked: bool) -> ZoneEnding:
        try:
            return await self._steps(look, recorder, asked=asked)
        except (SupersededError, StaleError) as error:
            words = str(error) or "something newer came"
            await recorder.give_up(Outcome.SUPERSEDED, f"{words}; starting over from it")
            raise
        except asyncio.CancelledError:
            await asyncio.shield(recorder.give_up(Outcome.INTERRUPTED, "the controller stopped"))
            raise
        except Exception as error:
            outcome = Outcome.WAITING if isinstance(error, WaitingError) else Outcome.FAILED
            await recorder.give_up(outcome, str(error))
            raise

    async def _steps(self, look: ZoneLook, recorder: Recorder, *, asked: bool) -> ZoneEnding:
        await self._tell_what_was_seen(look, recorder)
        plan = await self._plan(look, recorder, asked=asked)
        judged = await self._judge(plan, look, recorder)
        verdict, run = judged.verdict, recorder.run.id
        if not isinstance(verdict, Allowed):
            return ZoneEnding(Outcome.WAITING, run, plan.digest, verdict)
        if plan.step(StepKind.DNS):
            await self._change(look, plan, recorder)
        left, failures = await self._verify(look, recorder)
        error = _trouble(left, failures)
        outcome = Outcome.FAILED if error else Outcome.SUCCEEDED
        return ZoneEnding(outcome, run, plan.digest, verdict, left, failures, error)

    async def _tell_what_was_seen(self, look: ZoneLook, recorder: Recorder) -> None:
        async with recorder.step("observe") as notes:
            notes.summary = describe_differences(look.differences)
            notes.detail = {
                "signs": [],
                "differences": [seen_as(item) for item in look.differences[:_MOST_TOLD]],
            }

    async def _plan(self, look: ZoneLook, recorder: Recorder, *, asked: bool) -> Plan:
        async with recorder.step("plan") as notes:
            plan, digest = await aside(len(look.found.changes), lambda: _planned(look, asked=asked))
            notes.summary = describe(plan)
            notes.detail = {"digest": digest, "causes": list(plan.about.causes)}
        await recorder.update(plan=digest)
        return plan

    async def _judge(self, plan: Plan, look: ZoneLook, recorder: Recorder) -> Judged:
        async with recorder.step("guard") as notes:
            protected = look.last is not None and look.last.spec.policy.protect
            judged = await self._gate.judge(plan, look.desired.spec, Applied(), protected=protected)
            notes.detail = judged.record()
            notes.summary = "allowed"
            if not isinstance(judged.verdict, Allowed):
                notes.outcome = Outcome.WAITING
                notes.summary = reasons(judged.verdict)
        return judged

    async def _change(self, look: ZoneLook, plan: Plan, recorder: Recorder) -> None:
        desired, step = look.desired, plan.step(StepKind.DNS)
        if self._latest(desired.zone) != desired.digest:
            raise SupersededError
        await self._announce(look, StepKind.DNS)
        self._observer.doubt(desired.zone)
        async with recorder.step("dns") as notes:
            notes.detail = {"changes": list(step.detail[:_MOST_TOLD]) if step else []}
            await self._gate.take(plan, desired.spec)
            try:
                with self._kit.calling("dns"):
                    await self._kit.zones.apply(desired.spec, look.found, notes.report)
            except StaleError:
                self._gate.spared(desired.zone)
                raise
            notes.summary = describe_actions(plan.actions) or "its records of ownership"
        for action in plan.actions:
            self._kit.metrics.zone_changed(action.kind.value)

    async def _verify(self, look: ZoneLook, recorder: Recorder) -> tuple[ZoneLook, tuple[CheckFailure, ...]]:
        """Read the zone once more, and ask its nameservers until they answer as desired or time is up."""
        await self._announce(look, StepKind.VERIFY)
        desired = look.desired
        async with recorder.step("verify") as notes:
            left = await self._observer.look(desired)
            failures = await self._observer.check(desired)
            deadline = self._kit.clock.monotonic() + self._kit.dns.verifyDeadline
            while of_servers(failures, left) and not left.acted and self._kit.clock.monotonic() < deadline:
                await self._kit.clock.sleep(_PAUSE)
                failures = await self._observer.check(desired)
            asked = counted(len(self._book.wanted(desired).sets), "record set")
            notes.summary = f"{asked}, {counted(len(failures), 'wrong answer')}{_of_others(failures, left)}"
            notes.detail = {"failures": [str(failure) for failure in failures[:_MOST_TOLD]]}
            if of_servers(failures, left) or left.acted:
                notes.outcome = Outcome.FAILED
            if left.acted:
                notes.summary = f"differs as before: {describe_differences(left.acted)}"
                notes.detail["differences"] = to_data(left.acted[:_MOST_TOLD])
        return left, failures

    async def _announce(self, look: ZoneLook, step: StepKind) -> None:
        """Have the status say which step is under way."""
        desired = look.desired
        failed = await self._statuses.failures(desired.zone)
        found = ZoneFindings(
            desired.zone,
            self._kit.clock.now(),
            desired,
            differences=look.differences,
            conflicts=look.conflicts,
            verdict=Allowed(),
            step=step,
            failed=failed,
        )
        await self._statuses.write(found)


def _planned(look: ZoneLook, *, asked: bool) -> tuple[Plan, str]:
    """The plan, and its digest: to reckon that takes as long."""
    plan = planning.plan(look.found, look.desired, look.last, asked=asked)
    return plan, plan.digest


def _of_others(failures: tuple[CheckFailure, ...], left: ZoneLook) -> str:
    """How many of the wrong answers a run can do nothing about."""
    count = len(failures) - len(unexpected(failures, left))
    return f", {count} of them by what is left alone: otto dns diff {left.desired.zone}" if count else ""


def _trouble(left: ZoneLook, failures: tuple[CheckFailure, ...]) -> str:
    if left.acted:
        return f"differs as before the run: {describe_differences(left.acted)}"
    wrong = of_servers(failures, left)
    return f"verification failed: {wrong[0]}" if wrong else ""


def stale(error: StaleError) -> TransientError:
    """An error in place of one that came again and again: somebody else keeps changing the zone."""
    message = f"the zone keeps changing while it is worked on: {error.message}"
    return TransientError(message, mend="see who else changes it", detail=error.detail)
