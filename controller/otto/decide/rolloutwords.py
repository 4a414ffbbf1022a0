"""What people are told of rollouts, and what is kept on record of them."""

from datetime import datetime

from otto.model.canonical import short
from otto.model.desired import Desired
from otto.model.errors import PausedError, WaitingError
from otto.model.history import AuditEntry, Grant
from otto.model.notice import Notice, NoticeKind
from otto.model.rollout import Quarantine, RolloutState, RolloutStatus

_MOST = 10
TAKEN_BACK = frozenset({RolloutState.REVERTING, RolloutState.REVERTED, RolloutState.STUCK})
"""States in which the newest wish failed, or a person took it back: it is not to be put in place."""


def failed_notice(site: str, found: Quarantine) -> Notice:
    """A wish failed while it was rolled out."""
    lines = [f"- {failure}" for failure in found.failures[:_MOST]]
    body = "\n".join(
        (
            f"commit {short(found.commit)} does not hold: {found.reason}",
            *lines,
            f"changed by then, and taken back: {', '.join(found.hosts) or 'nothing'}",
            "it is not tried again until something of it changes; see: otto rollout status " + site,
        )
    )
    return Notice(NoticeKind.ROLLOUT, site, f"{site}: a rollout failed, and is taken back", body, found.at)


def stuck_notice(site: str, why: str, now: datetime) -> Notice:
    """A rollout failed, and cannot be taken back."""
    body = f"{why}\npush a commit that mends it, or try it again: otto rollout resume {site}"
    return Notice(NoticeKind.ROLLOUT, site, f"{site}: a rollout cannot be taken back", body, now)


def quarantine_entry(desired: Desired, found: Quarantine) -> AuditEntry:
    """For the audit record."""
    return AuditEntry(
        found.at,
        found.by,
        "quarantine",
        desired.site,
        summary=f"commit {short(found.commit)} is not put in place until its inputs change",
        reason=found.reason,
        detail={"digest": found.digest, "hosts": ", ".join(found.hosts)},
    )


def in_a_line(status: RolloutStatus) -> str:
    """How a rollout stands, in a line; "" when there is nothing to tell."""
    total = sum(len(batch) for batch in status.batches)
    far = f"{len(status.done)} of {total} servers"
    now = f", {status.moment} {', '.join(status.current)}" if status.moment else ""
    match status.state:
        case RolloutState.RUNNING:
            return f"rolling out: {far}{now}"
        case RolloutState.PAUSED:
            return f"rollout {status.reason or 'paused'}: {far}"
        case RolloutState.REVERTING:
            return f"the newest commit is being taken back{because(status.reason)}{now}"
        case RolloutState.REVERTED:
            return f"the newest commit was taken back{because(status.reason)}"
        case RolloutState.STUCK:
            return f"the newest commit failed and cannot be taken back{because(status.reason)}"
        case RolloutState.DONE:
            return ""


def because(reason: str) -> str:
    """A reason behind what it is the reason of; "" when nobody gave one."""
    return f": {reason}" if reason else ""


def waiting_for(paused: Grant, desired: Desired) -> PausedError:
    """What a wish waits for whose rollout is paused."""
    return PausedError(
        f"commit {short(desired.commit)} waits: the rollout is paused by {paused.by}{because(paused.reason)}",
        mend=f"to go on: otto rollout resume {paused.site}",
    )


def frozen_by(freeze: Grant) -> WaitingError:
    """What a rollout waits for whose next batch takes living servers away."""
    return WaitingError(
        f"the rollout waits: {freeze.by} froze {freeze.site or 'all sites'}{because(freeze.reason)}",
        mend=f"to go on: otto thaw{f' --site {freeze.site}' if freeze.site else ''}",
    )


def no_way_back(desired: Desired, quarantine: Grant, why: str) -> WaitingError:
    """What a site waits for whose quarantined wish cannot be taken back."""
    site = desired.site
    return WaitingError(
        f"commit {short(desired.commit)} is quarantined ({quarantine.reason}), and cannot be taken back: "
        f"{why or 'nothing was verified before'}",
        mend=f"push a commit that mends it, or try it again: otto rollout resume {site}",
    )
