"""What is in a site's way, and what takes it out of there."""

from collections.abc import Iterator
from dataclasses import replace

from otto.decide.conditions import CONFLICT, UNRESOLVED
from otto.decide.dependencies import blocked_by
from otto.decide.dns.summarize import TAKE_OVER
from otto.decide.evidence import WORKING, Evidence
from otto.decide.rolloutwords import TAKEN_BACK, because, in_a_line
from otto.decide.summarize import PAUSED
from otto.decide.wording import ONLY_REPORTED, counted
from otto.model.catalogue import RememberedSpec
from otto.model.domain import is_zone
from otto.model.history import OTTO, GrantKind
from otto.model.rollout import RolloutState
from otto.model.status import ConditionType, Phase, Truth
from otto.model.verdict import Effect, Reason
from otto.model.why import Blocker, Obstacle

# Phases in which no try is due because of a failure: somebody decides, or it goes on already.
_NOT_RETRIED = WORKING | {
    Phase.READY,
    Phase.AWAITING_APPROVAL,
    Phase.SUSPENDED,
    Phase.ORPHANED,
    Phase.DESTROYED,
}
_OBSTACLES = {
    Effect.ASK: Obstacle.APPROVAL,
    Effect.WAIT: Obstacle.LATER,
    Effect.REFUSE: Obstacle.REFUSED,
}
_PUT_RIGHT = "put it right by hand; or set policy.drift in its spec to repair, or to ask, and push"


def blockers(evidence: Evidence) -> tuple[Blocker, ...]:
    """All of it, the weightiest first; empty when nothing is."""
    found = [
        *_controller(evidence),
        *_taken_down(evidence),
        *_suspended(evidence),
        *_orphaned(evidence),
        *_spec(evidence),
        *_rollout(evidence),
        *_guard(evidence),
        *_dependency(evidence),
        *_backoff(evidence),
    ]
    if all(blocker.kind is Obstacle.CONTROLLER for blocker in found):
        found += _waiting(evidence)
    found += [*_unsigned(evidence), *_source(evidence)]
    # By itself nothing goes on while there is nobody to do it.
    return tuple(found if evidence.controller else (replace(blocker, until=None) for blocker in found))


def _controller(evidence: Evidence) -> Iterator[Blocker]:
    if evidence.controller:
        return
    step = evidence.open_step
    left = f"; the last one was cut off in the step {step.kind}" if step else ""
    what = f"no controller is running, so nothing is seen nor done{left}"
    yield Blocker(Obstacle.CONTROLLER, what, "otto up")


def _taken_down(evidence: Evidence) -> Iterator[Blocker]:
    site = evidence.site
    back = f"otto resume {site}"
    if "destroy" in evidence.intents:
        if evidence.phase is not Phase.DESTROYING or not evidence.controller:
            yield Blocker(Obstacle.DESTROYED, "it is to be destroyed, as a person asked", back)
    elif evidence.phase is Phase.DESTROYED:
        what = "it was taken down, and stays away until it is resumed or its spec changes"
        yield Blocker(Obstacle.DESTROYED, what, back, since=evidence.since)


def _suspended(evidence: Evidence) -> Iterator[Blocker]:
    if "suspend" in evidence.intents:
        yield Blocker(Obstacle.SUSPENDED, "a person suspended it", f"otto resume {evidence.site}")
    spec = evidence.spec
    if spec and spec.spec.suspend and evidence.phase is not Phase.ORPHANED:
        mend = f"set suspend: false in {spec.spec.file or 'its spec'}, commit and push"
        yield Blocker(Obstacle.SUSPENDED, "its spec suspends it", mend)


def _orphaned(evidence: Evidence) -> Iterator[Blocker]:
    if evidence.phase is Phase.ORPHANED:
        mend = f"bring its spec back and push, or: otto destroy {evidence.site}"
        stays = "its records stay" if is_zone(evidence.site) else "it goes on serving"
        yield Blocker(Obstacle.ORPHANED, f"no spec wants it any more; {stays}", mend)


def _spec(evidence: Evidence) -> Iterator[Blocker]:
    bad = evidence.fails(ConditionType.VALID)
    if bad is None:
        return
    kept = "the last good one is in force" if evidence.spec else "there never was a good one"
    what = f"the newest spec is bad, {kept}: {bad.message}"
    if bad.reason == UNRESOLVED:
        what = f"what the newest spec asks for cannot be had, what was in force stays: {bad.message}"
    yield Blocker(Obstacle.SPEC, what, "correct it, commit and push", since=bad.since)


def _rollout(evidence: Evidence) -> Iterator[Blocker]:
    """What keeps the newest wish from the servers, though nothing else might."""
    if evidence.phase in (Phase.DESTROYED, Phase.ORPHANED):
        return
    again = f"otto rollout resume {evidence.site}"
    for grant in evidence.steered:
        if grant.kind is GrantKind.PAUSE:
            what = f"{grant.by} paused its rollouts{because(grant.reason)}"
            waits = evidence.fails(ConditionType.IN_SYNC)
            if waits is not None and waits.reason == PAUSED:
                what = waits.message
            yield Blocker(Obstacle.PAUSED, what, again, since=grant.at)
    held = [grant for grant in evidence.steered if grant.kind is GrantKind.QUARANTINE]
    found = evidence.status.rollout if evidence.status else None
    if not held or found is None or found.state not in TAKEN_BACK:
        return
    kind = Obstacle.STUCK if found.state is RolloutState.STUCK else Obstacle.QUARANTINED
    who = "" if held[-1].by == OTTO else f" ({held[-1].by}{because(held[-1].reason)})"
    mend = f"push a commit that mends it, or try it again: {again}"
    yield Blocker(kind, f"{in_a_line(found)}{who}", mend, since=held[-1].at)


def _guard(evidence: Evidence) -> Iterator[Blocker]:
    """Every reason of the guard's, those too that would stand in the way after the weightiest."""
    status = evidence.status
    if status is None or evidence.phase in (Phase.DESTROYED, Phase.ORPHANED):
        return
    holding = [reason for reason in status.held if reason.effect is not Effect.WARN]
    for reason in sorted(holding, key=lambda item: -item.effect):
        if reason.approvable and evidence.approved:
            continue  # the controller has only to come to it
        what = f"{reason.message} [{reason.rule}]{_figures(reason)}"
        yield Blocker(
            _OBSTACLES[reason.effect], what, reason.mend, reason.until, status.held_since, reason.rule
        )


def _figures(reason: Reason) -> str:
    words = ", ".join(f"{name} {value}" for name, value in sorted(reason.figures.items()))
    return f" ({words})" if words else ""


def _dependency(evidence: Evidence) -> Iterator[Blocker]:
    """Other sites hold back a change of this one, never its healing: only then it is Pending."""
    spec = evidence.spec
    if not isinstance(spec, RememberedSpec) or evidence.phase is not Phase.PENDING or evidence.failures:
        return
    ready = frozenset(name for name, status in evidence.statuses.items() if status.ready)
    waits_for = blocked_by(spec.spec, ready, evidence.specs)
    message = evidence.status.message if evidence.status else ""
    said = message not in ("", Phase.PENDING.value)
    if not waits_for or (said and not any(name in message for name in waits_for)):
        return
    words = ", ".join(f"{name} ({_phase_of(evidence, name)})" for name in waits_for)
    unblock = f"see what they wait for: otto why {waits_for[0]}"
    yield Blocker(Obstacle.DEPENDENCY, f"waits for {words} to be Ready", unblock)


def _phase_of(evidence: Evidence, name: str) -> str:
    status = evidence.statuses.get(name)
    return status.phase.value if status else Phase.PENDING.value


def _backoff(evidence: Evidence) -> Iterator[Blocker]:
    failures, status = evidence.failures, evidence.status
    if status is None or not failures or evidence.phase in _NOT_RETRIED:
        return
    times = "once" if failures == 1 else f"{failures} times in a row"
    what = f"it failed {times}, and is tried again after a while"
    unblock = f"otto reconcile {evidence.site} tries at once; so does a new commit"
    yield Blocker(Obstacle.BACKOFF, what, unblock, status.next_look, evidence.first_failure)


def _waiting(evidence: Evidence) -> Iterator[Blocker]:
    """It waits, and its status alone says for what."""
    status = evidence.status
    if status is None or status.failures or status.phase in _NOT_RETRIED:
        return
    if status.message in ("", status.phase.value):
        return
    provisioned = evidence.condition(ConditionType.PROVISIONED)
    if provisioned and provisioned.status is Truth.UNKNOWN and _is_silence(provisioned.message):
        unblock = "if it stays so for as many looks as probes.confirmations says, it is made anew"
        yield Blocker(Obstacle.SILENT, status.message, unblock, status.next_look, provisioned.since)
        return
    conflict = evidence.fails(ConditionType.IN_SYNC)
    if conflict is not None and conflict.reason == CONFLICT:
        # To look again mends nothing: it is somebody else's.
        unblock = f"{TAKE_OVER}; which it is: otto dns diff {evidence.site}"
        yield Blocker(Obstacle.WAITING, status.message, unblock, since=conflict.since)
        return
    if status.message.startswith(ONLY_REPORTED):
        since = conflict.since if conflict else None
        yield Blocker(Obstacle.WAITING, status.message, _PUT_RIGHT, since=since)
        return
    yield Blocker(Obstacle.WAITING, status.message, until=status.next_look)


def _is_silence(message: str) -> bool:
    """Whether a condition speaks of a host that answers nothing: it begins with the difference's path."""
    path = message.partition(": ")[0]
    return path.startswith("hosts/") and path.endswith("/reachable")


def _source(evidence: Evidence) -> Iterator[Blocker]:
    if not evidence.source_error:
        return
    times = f" ({counted(evidence.source_failures, 'time')} in a row)" if evidence.source_failures else ""
    what = f"the repository cannot be read{times}, so no new commit counts: {evidence.source_error}"
    yield Blocker(Obstacle.SOURCE, what, "otto doctor checks it; OttO goes on trying")


def _unsigned(evidence: Evidence) -> Iterator[Blocker]:
    if evidence.unsigned:
        what = f"the newest of the repository is not deployed: {evidence.unsigned}"
        unblock = "have it signed by somebody whom the fleet's policy knows, and push again"
        yield Blocker(Obstacle.SIGNATURE, what, unblock)
