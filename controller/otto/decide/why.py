"""Why a site is as it is, from what the store holds. Pure: no look at the world is taken."""

from otto.decide.blockers import blockers
from otto.decide.evidence import Evidence
from otto.model.run import Outcome, Run, StepRecord
from otto.model.status import Phase, SiteStatus
from otto.model.why import Chain, Check, Doing, LastError, RunTaken, StepTaken, Why

_FAILED_LOOKS = frozenset({Phase.DEGRADED, Phase.DRIFTED, Phase.PENDING})


def why(evidence: Evidence) -> Why:
    """One answer from the evidence."""
    status = evidence.status
    return Why(
        site=evidence.site,
        phase=evidence.phase,
        ready=status.ready if status else False,
        since=evidence.since,
        message=status.message if status and status.message != status.phase.value else "",
        seen_at=status.updated_at if status else None,
        next_look=status.next_look if status else None,
        doing=_doing(evidence),
        blockers=blockers(evidence),
        error=_last_error(evidence),
        chain=_chain(evidence),
    )


def _doing(evidence: Evidence) -> Doing | None:
    """The step under way; what a controller that is gone began is not."""
    run, step = evidence.last, evidence.open_step
    if run is None or step is None or not evidence.controller:
        return None
    return Doing(step.kind, step.started_at, run.id, step.hosts)


def _last_error(evidence: Evidence) -> LastError | None:
    """What a look failed with, where that is newer than the last failed run; else what that run did."""
    failed = next((run for run in evidence.runs if run.outcome is Outcome.FAILED), None)
    status = evidence.status
    if status and _failed_look(status) and (failed is None or status.message != failed.message):
        return LastError(status.message, "", status.updated_at)
    if failed is None:
        return None
    newer = evidence.runs[: evidence.runs.index(failed)]
    return _of_run(failed, over=any(run.outcome is Outcome.SUCCEEDED for run in newer))


def _failed_look(status: SiteStatus) -> bool:
    return bool(status.failures) and status.phase in _FAILED_LOOKS and status.message != status.phase.value


def _of_run(run: Run, *, over: bool) -> LastError:
    step = next((step for step in reversed(run.steps) if step.outcome is Outcome.FAILED), None)
    mend = str(step.detail.get("mend", "")) if step else ""
    words = run.message or (step.summary if step else "") or run.outcome.value
    if mend:
        words = words.removesuffix(f" ({mend})")
    return LastError(words, mend, run.ended_at or run.started_at, run.id, over)


def _chain(evidence: Evidence) -> Chain:
    status, spec = evidence.status, evidence.spec
    commit = (status.commit if status else "") or (spec.commit if spec else "")
    return Chain(
        commit=commit,
        newest=evidence.newest,
        file=spec.spec.file if spec else "",
        digest=status.digest if status else "",
        run=_taken(evidence.last) if evidence.last else None,
        check=_check(evidence.runs),
    )


def _taken(run: Run) -> RunTaken:
    steps = tuple(
        StepTaken(step.kind, step.outcome, _seconds(step), step.summary, step.hosts) for step in run.steps
    )
    return RunTaken(run.id, run.cause, run.plan, run.outcome, run.started_at, run.ended_at, steps)


def _seconds(step: StepRecord) -> float | None:
    return round((step.ended_at - step.started_at).total_seconds(), 3) if step.ended_at else None


def _check(runs: tuple[Run, ...]) -> Check | None:
    for run in runs:
        for step in reversed(run.steps):
            if step.kind == "verify" and step.ended_at:
                return Check(step.ended_at, step.outcome, step.summary, run.id)
    return None
