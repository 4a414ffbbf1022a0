"""What becomes of a pipeline by what happens to its site: pure steps from one record to the next."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from otto.decide.stages import (
    changed_stage,
    stage_in,
    with_ended_stage,
    with_line,
    with_lines,
    with_open_stage,
)
from otto.model.desired import Desired
from otto.model.domain import is_zone
from otto.model.observed import Applied
from otto.model.pipeline import Event, Pipeline, Stage, StageKind, Trigger
from otto.model.run import Outcome, StepRecord
from otto.model.spec import SiteSpec
from otto.model.status import ConditionType, Phase, SiteStatus
from otto.model.zonememory import DesiredZone

_VALIDATING = frozenset({"observe", "plan", "guard"})
_AT_WORK = frozenset(
    {
        Phase.PLANNING,
        Phase.PROVISIONING,
        Phase.CONFIGURING,
        Phase.DEPLOYING,
        Phase.VERIFYING,
        Phase.DESTROYING,
    }
)
_FETCHING = frozenset({Trigger.CONTENT, Trigger.SCHEDULE, Trigger.API})
_ASKED = frozenset({Trigger.SCHEDULE, Trigger.API})
_REMOVING = frozenset({"drain", "destroy"})
# Kept open: what ended is told in one piece, with what it was told to.
_DECIDED = frozenset({Outcome.SUCCEEDED, Outcome.FAILED, Outcome.SUPERSEDED, Outcome.INTERRUPTED})
_HEADS = ("refs/heads/", "refs/tags/")


def opened(identity: str, site: str, event: Event) -> Pipeline:
    """A new pipeline: it has begun to fetch, and a push has been fetched already."""
    fetch = Stage(StageKind.FETCH, event.at)
    made = Pipeline(identity, site, event, event.at, stages=(fetch,))
    if event.trigger is not Trigger.PUSH:
        return made
    summary = f"commit {event.commit[:12]}" + (f" by {event.by}" if event.by else "")
    return with_ended_stage(made, StageKind.FETCH, event.at, Outcome.SUCCEEDED, summary)


def same_event(pipeline: Pipeline, event: Event) -> bool:
    """Whether an event says only what the pipeline is about already.

    Two asks of a person are the same while nothing was begun; two deliveries of one commit are always.
    """
    known = pipeline.event
    named = short(known.ref) in ("", short(event.ref))  # what was found without its event has no name yet
    alike = named and (known.trigger, known.repository) == (event.trigger, event.repository)
    commits = known.commit == event.commit or not (known.commit and event.commit)
    return alike and commits and (bool(event.commit) or not pipeline.run)


def found(pipeline: Pipeline, event: Event) -> Pipeline | None:
    """The pipeline with what a fetch found; None when it is past that, or about something else.

    That takes the place of what a delivery claimed, and is what somebody hoped for who had a site looked at.
    """
    known = pipeline.event
    if known.trigger in _ASKED and not (pipeline.digest or known.commit):
        what = f"{event.repository} at {short(event.ref)}: commit {event.commit[:12]}"
        told = with_line(pipeline, StageKind.FETCH, what)
        return replace(
            told, event=replace(known, repository=event.repository, ref=event.ref, commit=event.commit)
        )
    alike = (known.trigger, known.repository) == (event.trigger, event.repository)
    if pipeline.digest or not alike or short(known.ref) != short(event.ref):
        return None
    return replace(pipeline, event=replace(known, commit=event.commit))


def joined(pipeline: Pipeline, event: Event) -> Pipeline:
    """The pipeline with one more delivery of its event."""
    known = pipeline.event
    merged = replace(
        known,
        by=known.by or event.by,
        ref=known.ref or event.ref,
        commit=known.commit or event.commit,
        deliveries=known.deliveries + event.deliveries,
    )
    return replace(pipeline, event=merged)


def resolved(pipeline: Pipeline, digest: str, summary: str, now: datetime) -> Pipeline:
    """It is known what the site should be: all was fetched, and is looked through."""
    if pipeline.digest == digest:
        return pipeline
    fetched = with_ended_stage(pipeline, StageKind.FETCH, now, Outcome.SUCCEEDED, summary)
    begun = with_open_stage(replace(fetched, digest=digest), StageKind.VALIDATE, now)
    return with_line(begun, StageKind.VALIDATE, f"wish {digest[:12]}")


def wants_newest(pipeline: Pipeline) -> bool:
    """Whether its event says to fetch the content anew, so that nothing older will do."""
    return pipeline.event.trigger in _FETCHING and not pipeline.digest


def held_at_fetch(pipeline: Pipeline, why: str) -> Pipeline:
    """What is to be fetched cannot be reached; what was fetched last stays, and is not its event's."""
    fetch = stage_in(pipeline, StageKind.FETCH)
    told = pipeline if fetch is None or why in fetch.log else with_line(pipeline, StageKind.FETCH, why)
    return waiting(told, why)


def unfetched(pipeline: Pipeline, why: str, now: datetime) -> Pipeline:
    """What is to be fetched is not there, and nothing stands in for it."""
    fetch = stage_in(pipeline, StageKind.FETCH)
    if fetch is not None and fetch.ended_at is not None:  # a push is there, the content it asks for is not
        pipeline = with_open_stage(pipeline, StageKind.FETCH, now)
    return decided(with_line(pipeline, StageKind.FETCH, why), Outcome.FAILED, why, now)


def invalid(pipeline: Pipeline, message: str, lines: Sequence[str], now: datetime) -> Pipeline:
    """What was fetched will not do; nothing of it is deployed.

    Args:
        pipeline: the pipeline.
        message: why, in one line.
        lines: all that is wrong, for the log.
        now: the time.
    """
    fetched = with_ended_stage(pipeline, StageKind.FETCH, now, Outcome.SUCCEEDED)
    looking = with_lines(with_open_stage(fetched, StageKind.VALIDATE, now), StageKind.VALIDATE, lines)
    return decided(looking, Outcome.FAILED, message, now)


def stage_of(step: str) -> StageKind:
    """The stage that a step of a run belongs to."""
    if step in _VALIDATING:
        return StageKind.VALIDATE
    return StageKind.VERIFY if step == "verify" else StageKind.DEPLOY


def concerns(pipeline: Pipeline, digest: str, step: str) -> bool:
    """Whether a run's step is about this pipeline: it works on the same wish, or takes the site down."""
    return pipeline.digest == digest if pipeline.digest else step in _REMOVING


def with_step(pipeline: Pipeline, run: str, step: StepRecord, now: datetime) -> Pipeline:
    """The pipeline after a step of its run began or ended."""
    kind = stage_of(step.kind)
    linked = replace(pipeline, run=run, outcome=Outcome.RUNNING, message="")
    for other in linked.stages:
        if other.kind is not kind and other.ended_at is None:
            linked = with_ended_stage(linked, other.kind, now, Outcome.SUCCEEDED)
    begun = with_open_stage(linked, kind, step.started_at)
    if step.ended_at is None:
        return begun
    told = with_line(begun, kind, _words(step))
    for failure in _texts(step.detail.get("failures")):
        told = with_line(told, kind, failure)
    bad = step.outcome in (Outcome.FAILED, Outcome.WAITING)
    summary = step.summary if bad or kind is not StageKind.VALIDATE or step.kind == "plan" else ""
    return changed_stage(told, kind, summary=summary, outcome=step.outcome if bad else Outcome.RUNNING)


def decided(pipeline: Pipeline, outcome: Outcome, message: str, now: datetime) -> Pipeline:
    """The pipeline's stages closed and its outcome set; it ends when whoever is to be told was told."""
    closed = pipeline
    for stage in pipeline.stages:
        if stage.ended_at is None:
            summary = stage.summary or (message if outcome is not Outcome.SUCCEEDED else "")
            closed = with_ended_stage(closed, stage.kind, now, outcome, summary)
    return replace(closed, outcome=outcome, message=message)


def stopped(pipeline: Pipeline, why: str, now: datetime) -> Pipeline:
    """What a controller that ended left open: it was interrupted, at its report if its outcome was final."""
    if not is_decided(pipeline):
        return decided(pipeline, Outcome.INTERRUPTED, why, now)
    return with_ended_stage(pipeline, StageKind.REPORT, now, Outcome.INTERRUPTED, why)


def waiting(pipeline: Pipeline, message: str) -> Pipeline:
    """The pipeline, held up by something that has to come first."""
    for stage in pipeline.stages:
        if stage.ended_at is None:
            changed = replace(stage, outcome=Outcome.WAITING, summary=message)
            pipeline = pipeline.with_stage(changed)
    return replace(pipeline, outcome=Outcome.WAITING, message=message)


def is_decided(pipeline: Pipeline) -> bool:
    """Whether its outcome is final."""
    return pipeline.outcome in _DECIDED


def reopened(pipeline: Pipeline, why: str, now: datetime) -> Pipeline:
    """An ended pipeline whose wish still stands, taken up again."""
    furthest = pipeline.furthest
    kind = furthest.kind if furthest else StageKind.FETCH
    stages = tuple(item for item in pipeline.stages if item.kind is not StageKind.REPORT)
    anew = replace(pipeline, ended_at=None, outcome=Outcome.RUNNING, message="", stages=stages)
    begun = with_open_stage(anew, kind, now)
    return with_line(begun, kind, why)


def still_wanted(pipeline: Pipeline, digest: str, commit: str) -> bool:
    """Whether an ended pipeline is about what is wished for now."""
    if pipeline.digest:
        return pipeline.digest == digest
    return pipeline.event.trigger is not Trigger.PUSH or pipeline.event.commit == commit


def behind(desired: Desired, applied: Applied, now: datetime) -> Event | None:
    """What must have happened while nobody listened, that a wish is not the one verified last.

    None where it is, and where neither a spec, nor content elsewhere, nor an image is behind it: OttO's own
    roles and modules change with OttO.
    """
    last, content = applied.desired, desired.spec.content
    if applied.verified == desired.digest:
        return None
    if last is not None and last.images != desired.images and last.spec == desired.spec:
        return Event(Trigger.IMAGE, now)
    if last is not None and content.git and last.content != desired.content and last.spec == desired.spec:
        return Event(Trigger.CONTENT, now, "", content.git, content.ref)
    if last is None or last.commit != desired.commit:
        return Event(Trigger.PUSH, now, commit=desired.commit)
    return None


def is_other_spec(desired: DesiredZone, last: DesiredZone | None) -> bool:
    """Whether a zone's spec is another than the one that was put in place last.

    Addresses of the sites that it follows are none of the spec's: those move by themselves.
    """
    return last is None or replace(last.spec, file="", line=0) != replace(desired.spec, file="", line=0)


def gone(name: str) -> str:
    """What is said of a site or zone that went as it was to."""
    return f"the {_what(name)} is gone, as wanted"


def _what(name: str) -> str:
    return "zone" if is_zone(name) else "site"


def is_news(commit: str, applied: Applied) -> bool:
    """Whether a spec came with another commit than the one that was put in place last."""
    return applied.desired is None or applied.desired.commit != commit


def outcome_of_turn(pipeline: Pipeline, status: SiteStatus) -> tuple[Outcome, str]:
    """What a look at the site that made no run says of its pipeline, and why.

    SUCCEEDED, FAILED or WAITING; RUNNING when the look came to no end: it is taken up again at once.
    """
    message = status.message or status.phase.value
    if status.phase in _AT_WORK:
        return Outcome.RUNNING, ""
    quarantined = status.rollout.quarantined.get(pipeline.digest) if status.rollout else None
    if quarantined is not None:
        return Outcome.FAILED, f"quarantined: {quarantined.reason}"
    if status.phase is Phase.ORPHANED:
        said = message if is_zone(status.site) else f"no spec wants the site any more: {message}"
        return Outcome.SUCCEEDED, said
    held = status.phase in (Phase.SUSPENDED, Phase.DESTROYED, Phase.AWAITING_APPROVAL) or status.leaving
    if held:
        return Outcome.WAITING, message
    if status.digest == pipeline.digest and status.ready and status.holds(ConditionType.IN_SYNC):
        return Outcome.SUCCEEDED, f"nothing to do: the {_what(status.site)} is as it should be"
    return (Outcome.FAILED if status.failures else Outcome.WAITING), message


def users(specs: Mapping[str, SiteSpec], addresses: Iterable[str], ref: str = "") -> frozenset[str]:
    """Sites whose content comes from one of these repositories; with `ref`, from that ref of it."""
    wanted = frozenset(addresses)
    return frozenset(
        name
        for name, spec in specs.items()
        if spec.content.git in wanted and (not ref or short(spec.content.ref) == short(ref))
    )


def short(ref: str) -> str:
    """A branch's or tag's name without `refs/heads/` or `refs/tags/`."""
    for head in _HEADS:
        if ref.startswith(head):
            return ref.removeprefix(head)
    return ref


def _words(step: StepRecord) -> str:
    outcome = "" if step.outcome is Outcome.SUCCEEDED else f" {step.outcome.value}"
    return f"{step.kind}{outcome}: {step.summary}" if step.summary else f"{step.kind}{outcome}"


def _texts(value: object) -> tuple[str, ...]:
    return tuple(str(item) for item in value) if isinstance(value, list | tuple) else ()
