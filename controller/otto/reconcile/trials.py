"""Whether servers that were just changed hold: before visitors come to them again, and a while after."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from otto.decide import verification
from otto.decide.verification import Answers
from otto.decide.wording import counted
from otto.model.desired import Desired
from otto.model.observed import CheckFailure, Observed
from otto.reconcile.kit import Kit
from otto.reconcile.look import DisturbedError, RolloutFailedError
from otto.reconcile.observe import Observer
from otto.reconcile.playing import state_of
from otto.reconcile.underway import Underway
from otto.reconcile.verify import Verifier

Heed = Callable[[Desired], Awaitable[None]]
# Seconds between two looks at a batch that is watched.
_PAUSE = 0.25
# Fewer answers than this say nothing of a server.
_ENOUGH = 20


@dataclass(frozen=True, slots=True)
class Batch:
    """Servers that are changed together.

    Attributes:
        names: their names.
        number: which batch it is, from 1.
        drained: whether they are taken out of the balancers meanwhile.
        anew: those of them that are made anew.
        kept: servers that stay as they are until later batches.
        sized: those of the batch whose size is changed in place.
    """

    names: tuple[str, ...]
    number: int
    drained: bool
    anew: frozenset[str]
    kept: frozenset[str]
    sized: frozenset[str] = frozenset()


class Trials:
    """Tries and watches servers.

    Args:
        kit: the ports.
        observer: knows of hosts that were lost meanwhile.
        verifier: makes the checks.
        heed: asked while a batch is watched: raises where the rollout was given up.
    """

    def __init__(self, kit: Kit, observer: Observer, verifier: Verifier, heed: Heed) -> None:
        self._heed = heed
        self._kit = kit
        self._observer = observer
        self._verifier = verifier

    async def before_return(self, run: Underway, observed: Observed, batch: Batch) -> None:
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

    async def after_return(self, run: Underway, observed: Observed, batch: Batch) -> None:
        """Watch servers that visitors are on again."""
        clock, spec = self._kit.clock, run.look.spec.rollout
        if spec.soak <= 0:
            return
        async with run.recorder.step("soak", batch.names) as notes:
            end = clock.monotonic() + spec.soak
            before = await self._answers(observed)
            failed = 0
            while True:
                self.check_undisturbed(run, observed)
                await self._heed(run.look.desired)
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

    async def _watch(self, desired: Desired, observed: Observed, batch: Batch) -> tuple[CheckFailure, ...]:
        return await self._verifier.directly(desired, state_of(observed), batch.names, deadline=0.0)

    async def _answers(self, observed: Observed) -> Answers:
        return await self._verifier.answers(state_of(observed))

    async def _fail_over(
        self,
        observed: Observed,
        run: Underway,
        batch: Batch,
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

    def check_undisturbed(self, run: Underway, observed: Observed) -> None:
        """A lost server is mended before anything else is changed: the site has fewer than it should.

        Raises:
            DisturbedError: one was lost since the run began.
        """
        hosts = state_of(observed).hosts
        if self._observer.sightings.disturbed(run.look.desired.site, hosts):
            raise DisturbedError("a host was lost while the site was changed")


def _too_many(
    errors: verification.Errors, names: tuple[str, ...], most: float
) -> tuple[str, tuple[CheckFailure, ...], tuple[str, ...]]:
    received = f"{errors.errors} of {errors.total} answers are errors"
    who = ", ".join(names)
    failure = CheckFailure("errors", who, "what visitors asked", f"at most {most:.0%} HTTP 5xx", received)
    return f"{who} after its return: {received}, more than {most:.0%}", (failure,), names
