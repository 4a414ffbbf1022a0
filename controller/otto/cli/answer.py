"""When a site that was asked to do something has done it: pure, over what the store holds."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from otto.model.plan import StepKind
from otto.model.run import TAKEN_BACK, Outcome, Run
from otto.model.status import WORKING, Phase, SiteStatus
from otto.model.verdict import Effect

DESTROY = "destroy"
_HELD = frozenset({Phase.SUSPENDED, Phase.DESTROYED, Phase.ORPHANED})


@dataclass(frozen=True, slots=True)
class Asked:
    """What a site was asked for.

    Attributes:
        site: its name.
        at: when, by the clock that statuses are written with.
        steps: steps its run has to hold.
        known: ids of the runs there were before; they answer nothing.
    """

    site: str
    at: datetime
    steps: frozenset[StepKind]
    known: frozenset[str]


@dataclass(frozen=True, slots=True)
class Answer:
    """How it went.

    Attributes:
        site: its name.
        ok: whether what was asked for came about.
        words: one line for people.
        run: the run that answered, None when there was none.
        held: whether a person holds the site, or no spec wants it: nothing went wrong then.
    """

    site: str
    ok: bool
    words: str
    run: Run | None = None
    held: bool = False


def to_look(asked: Asked, status: SiteStatus | None, runs: Iterable[Run]) -> Answer | None:
    """The answer to "look at this site and carry out these steps"; None while there is none.

    Args:
        asked: the question.
        status: the site's newest status.
        runs: its newest runs, newest first.
    """
    fresh = [run for run in runs if run.id not in asked.known]
    if any(run.ended_at is None for run in fresh):
        return None
    for run in fresh:
        if _answers(run, asked.steps):
            return _of_run(run, status)
    if status is None or status.updated_at < asked.at or status.phase in WORKING:
        return None
    return _without_run(status, fresh)


def to_destroy(site: str, status: SiteStatus | None, runs: Iterable[Run], asked: Asked) -> Answer | None:
    """The answer to "destroy this site"; None while it is under way."""
    fresh = [run for run in runs if run.id not in asked.known and run.cause == DESTROY]
    if status is None or status.phase is Phase.DESTROYED:
        return Answer(site, ok=True, words="nothing of it is left", run=fresh[0] if fresh else None)
    if status.leaving == "person" and status.updated_at >= asked.at and status.phase in _AFTER_FAILURE:
        return Answer(site, ok=False, words=f"{status.message}; to go on: {_mends(status)}", held=True)
    if fresh and fresh[0].ended_at and fresh[0].outcome is Outcome.FAILED and status.phase in _AFTER_FAILURE:
        return Answer(site, ok=False, words=fresh[0].message or status.message, run=fresh[0])
    return None


_AFTER_FAILURE = frozenset(set(Phase) - WORKING)


def _answers(run: Run, steps: frozenset[StepKind]) -> bool:
    """A run that failed or waits says all there is to say; one that succeeded has to hold the steps.

    One that only takes back what failed before it is not what was asked for.
    """
    if TAKEN_BACK in run.cause.split("+"):
        return False
    if run.outcome in (Outcome.FAILED, Outcome.WAITING):
        return True
    return run.outcome is Outcome.SUCCEEDED and _wanted(steps) <= {step.kind for step in run.steps}


def _wanted(steps: frozenset[StepKind]) -> set[str]:
    """Steps that a run always holds when asked for: provisioning that changes nothing is left out of it."""
    return {step.value for step in steps if step is not StepKind.PROVISION}


def _of_run(run: Run, status: SiteStatus | None) -> Answer:
    if run.outcome is Outcome.SUCCEEDED:
        return Answer(run.site, ok=True, words=_done(run), run=run)
    words = run.message or (status.message if status else "") or run.outcome.value
    if run.outcome is Outcome.WAITING and status and status.phase is Phase.AWAITING_APPROVAL:
        words = f"held by the guard: {status.message}; to go on: {_mends(status) or f'otto why {run.site}'}"
    return Answer(run.site, ok=False, words=words, run=run)


def _mends(status: SiteStatus) -> str:
    """What takes the guard's reasons out of the way; a warning is in nobody's."""
    mends = (reason.mend for reason in status.held if reason.effect is not Effect.WARN)
    return "; ".join(dict.fromkeys(filter(None, mends)))


def _done(run: Run) -> str:
    steps = [step for step in run.steps if step.kind not in ("observe", "plan", "guard")]
    return "; ".join(f"{step.kind}: {step.summary}" if step.summary else step.kind for step in steps)


def _without_run(status: SiteStatus, fresh: list[Run]) -> Answer | None:
    """The look ended before any run: held by a person, waiting for another site, or failed."""
    if fresh or (status.phase is Phase.READY and not status.message):
        # Another look than ours; ours comes next.
        return None
    if status.phase in _HELD:
        words = f"{status.phase.value}: {status.message}" if status.message else status.phase.value
        return Answer(status.site, ok=False, words=words, held=True)
    if status.phase is Phase.PENDING and status.message in ("", Phase.PENDING.value):
        return None
    return Answer(status.site, ok=False, words=status.message or status.phase.value)
