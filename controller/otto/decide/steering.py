"""What people say to a rollout: stop, go on, give up, take it back."""

from collections.abc import Iterable

from otto.decide.rollout import UNDERWAY
from otto.model.canonical import short
from otto.model.desired import Desired
from otto.model.errors import UsageError
from otto.model.history import AuditEntry, Grant, GrantKind
from otto.model.observed import Applied
from otto.model.rollout import RolloutStatus
from otto.model.saying import Saying, Speaker


def pause(site: str, grants: Iterable[Grant], speaker: Speaker, reason: str) -> Saying:
    """Nothing further is rolled out; a batch that was begun is brought to its end.

    Raises:
        UsageError: it is paused already.
    """
    for grant in _of(grants, GrantKind.PAUSE, speaker):
        message = f"the rollout of {site} is paused already, by {grant.by}"
        raise UsageError(message, mend=f"to go on: otto rollout resume {site}")
    grant = Grant(GrantKind.PAUSE, site, speaker.name, speaker.at, reason=reason)
    message = f"nothing further is rolled out at {site}; to go on: otto rollout resume {site}"
    entry = _entry("pause", site, speaker, "its rollouts stop before the next batch", reason)
    return Saying(entry, grant, tightens=True, message=message)


def resume(
    site: str,
    status: RolloutStatus,
    applied: Applied,
    grants: Iterable[Grant],
    speaker: Speaker,
    *,
    reason: str,
    everything: bool = False,
) -> Saying:
    """What was paused goes on; where nothing is paused, what is quarantined now is tried again.

    One at a time: who lets a rollout go on need not mean to try again what failed meanwhile.

    Args:
        site: whose.
        status: how its last rollout stands.
        applied: what is in place.
        grants: what people and OttO said.
        speaker: who says it.
        reason: why, in their words.
        everything: whether every pause and every quarantine is taken back, those of older wishes too.

    Raises:
        UsageError: nothing is paused or quarantined.
    """
    known = tuple(grants)
    paused, held = _of(known, GrantKind.PAUSE, speaker), _of(known, GrantKind.QUARANTINE, speaker)
    current = tuple(grant for grant in held if grant.plan in (status.digest, applied.verified))
    taken = (*paused, *held) if everything else paused or current
    if not taken:
        raise UsageError(
            f"no rollout of {site} is paused, and none is quarantined now", mend=_older(site, held)
        )
    tried = tuple(grant for grant in taken if grant.kind is GrantKind.QUARANTINE)
    more = [f"commit with digest {short(grant.plan)} is tried again ({grant.reason})" for grant in tried]
    more += [
        f"{short(grant.plan)} stays quarantined ({grant.reason}); to try it again: otto rollout resume {site}"
        for grant in current
        if grant not in taken
    ]
    entry = _entry("resume", site, speaker, "; ".join(more) or "its rollouts go on", reason)
    return Saying(entry, taken=taken, message=f"rollouts of {site} go on", more=tuple(more))


def _older(site: str, held: tuple[Grant, ...]) -> str:
    """What there is to do where nothing is in the way now."""
    if not held:
        return f"otto rollout status {site}"
    names = ", ".join(short(grant.plan) for grant in held)
    return f"older wishes are: {names}; to let them come again: otto rollout resume {site} --all"


def abort(site: str, status: RolloutStatus, applied: Applied, speaker: Speaker, reason: str) -> Saying:
    """The rollout under way ends, and what it changed goes back.

    Raises:
        UsageError: none is under way, or nothing was verified before it.
    """
    if status.state not in UNDERWAY or status.digest == applied.verified:
        mend = f"to take back one that is done: otto rollout undo {site}"
        raise UsageError(f"no rollout of {site} is under way", mend=mend)
    if applied.desired is None:
        raise UsageError(f"nothing of {site} was verified before, so there is nothing to go back to")
    what = f"the rollout of {short(status.digest)} is given up"
    return _quarantined(site, status.digest, "abort", speaker, message=what, reason=reason)


def undo(
    site: str,
    status: RolloutStatus,
    applied: Applied,
    grants: Iterable[Grant],
    speaker: Speaker,
    *,
    reason: str,
) -> Saying:
    """The wish that is in place goes, and the one that held before it comes back.

    Args:
        site: whose.
        status: how its last rollout stands.
        applied: what is in place.
        grants: what people said.
        speaker: who says it.
        reason: why, in their words.

    Raises:
        UsageError: a rollout is under way, this was said already, or no older wish is known that held.
    """
    if status.state in UNDERWAY and status.digest != applied.verified:
        raise UsageError(f"a rollout of {site} is under way", mend=f"to end it: otto rollout abort {site}")
    before: Desired | None = applied.previous
    held = {grant.plan for grant in _of(grants, GrantKind.QUARANTINE, speaker)}
    if applied.verified in held:
        mend = f"to see how far it is: otto rollout status {site}"
        raise UsageError(f"{short(applied.verified)} of {site} is being taken back already", mend=mend)
    if before is None or before.digest in held or not applied.verified:
        mend = "push the commit that you want, or revert the newest in git"
        raise UsageError(f"no older state of {site} is known that held", mend=mend)
    to = f"{short(before.digest)} (commit {short(before.commit)})"
    what = f"{short(applied.verified)} is taken back, to {to}"
    return _quarantined(site, applied.verified, "undo", speaker, message=what, reason=reason)


def _quarantined(site: str, digest: str, what: str, speaker: Speaker, *, message: str, reason: str) -> Saying:
    why = reason or f"otto rollout {what}"
    grant = Grant(GrantKind.QUARANTINE, site, speaker.name, speaker.at, reason=why, plan=digest)
    more = (
        "it is not tried again until its inputs change",
        f"to have it tried again: otto rollout resume {site}",
    )
    return Saying(_entry(what, site, speaker, message, reason), grant, message=message, more=more)


def _of(grants: Iterable[Grant], kind: GrantKind, speaker: Speaker) -> tuple[Grant, ...]:
    return tuple(grant for grant in grants if grant.kind is kind and grant.holds(speaker.at))


def _entry(what: str, site: str, speaker: Speaker, summary: str, reason: str) -> AuditEntry:
    return AuditEntry(
        at=speaker.at,
        who=speaker.name,
        what=f"rollout-{what}",
        site=site,
        summary=summary,
        reason=reason,
        detail={"as": speaker.account},
    )
