"""Which plan waits, what stands in its way, and what a person's yes or no to it changes."""

import contextlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from otto.model.canonical import short, to_data
from otto.model.errors import OttoError, UsageError
from otto.model.history import AuditEntry, Grant, GrantKind
from otto.model.policy import Policy
from otto.model.reading import read
from otto.model.run import Outcome, Run, StepRecord
from otto.model.saying import Saying, Speaker
from otto.model.status import Phase, SiteStatus
from otto.model.verdict import Effect, Reason

# Fewer digits than this would be a guess.
LEAST = 6
# The rule by which a plan is refused that people rejected.
_REJECTED = "guard.rejected"


@dataclass(frozen=True, slots=True)
class Held:
    """A plan that the guard holds up.

    Attributes:
        site: whose.
        plan: its digest, in full.
        summary: what it would do, in a line.
        verdict: where an older OttO wrote no reasons down, the verdict's kind; else "".
        reasons: all that stands in its way.
        wanted: how many people have to approve it.
    """

    site: str
    plan: str
    summary: str
    verdict: str
    reasons: tuple[Reason, ...]
    wanted: int = 1

    @property
    def needs_approval(self) -> bool:
        """Whether an approval is among what it lacks: some of what it waits for, people may wave through."""
        return self.verdict == "NeedsApproval" or any(item.approvable for item in self.reasons)

    @property
    def refusals(self) -> tuple[Reason, ...]:
        """Why it is refused, but for people having rejected it: that can be taken back."""
        refusing = (item for item in self.reasons if item.effect is Effect.REFUSE)
        return tuple(item for item in refusing if item.rule != _REJECTED)

    @property
    def waits_for(self) -> tuple[Reason, ...]:
        """What it waits for whatever people approve."""
        waiting = (item for item in self.reasons if item.effect is Effect.WAIT)
        return tuple(item for item in waiting if not item.approvable)


def held(status: SiteStatus | None, runs: tuple[Run, ...], site: str, digest: str, policy: Policy) -> Held:
    """The plan that the guard holds up, if `digest` names it.

    Args:
        status: the site's status.
        runs: its runs, newest first.
        site: its name.
        digest: digits that the plan's digest begins with.
        policy: the site's.

    Raises:
        UsageError: no plan is held up, or it is another one.
    """
    plan = waiting_plan(status, runs)
    if status is None or not plan:
        phase = status.phase.value if status else "not looked at yet"
        raise UsageError(f"{site} does not wait for an approval: it is {phase}", mend=f"otto status {site}")
    if len(digest) < LEAST:
        mend = f"give at least {LEAST} digits of it"
        raise UsageError(f"{digest!r} is too short to name a plan", mend=mend)
    if not plan.startswith(digest):
        raise _another(site, digest, plan, runs)
    run = next((run for run in runs if run.plan == plan), None)
    return _held(status, plan, run, policy)


def waiting_plan(status: SiteStatus | None, runs: tuple[Run, ...]) -> str:
    """Digest of the plan that the guard holds up, "" when it holds none.

    The status names it. Where an older OttO wrote that, it is the plan of the newest run.

    Args:
        status: the site's status.
        runs: its runs, newest first.
    """
    if status is None or status.plan:
        return status.plan if status else ""
    stopped = status.phase is Phase.AWAITING_APPROVAL
    return runs[0].plan if stopped and runs and runs[0].outcome is Outcome.WAITING else ""


def given(grants: Iterable[Grant], plan: str, now: datetime) -> tuple[Grant, ...]:
    """Approvals of a plan that have not ended."""
    return _of(grants, GrantKind.APPROVE, plan, now)


def approved(grants: Iterable[Grant], plan: str, wanted: int, now: datetime) -> bool:
    """Whether as many different people as are wanted have approved a plan, and none has rejected it."""
    grants = tuple(grants)
    people = {grant.by.casefold() for grant in given(grants, plan, now)}
    return bool(plan) and len(people) >= wanted and not _of(grants, GrantKind.REJECT, plan, now)


def approve(plan: Held, policy: Policy, grants: tuple[Grant, ...], speaker: Speaker, note: str) -> Saying:
    """Somebody says yes to a plan. A rejection of it is taken back thereby.

    Args:
        plan: which.
        policy: the site's.
        grants: what people said that concerns the site.
        speaker: who says it.
        note: why, in their words.

    Raises:
        UsageError: no approval helps the plan, or this person gave theirs already.
    """
    rejections = _of(grants, GrantKind.REJECT, plan.plan, speaker.at)
    _check_it_helps(plan, rejected=bool(rejections))
    there = given(grants, plan.plan, speaker.at)
    name = short(plan.plan)
    if any(grant.by.casefold() == speaker.name.casefold() for grant in there):
        raise UsageError(
            f"{speaker.name} has approved plan {name} of {plan.site} already: "
            f"{len(there)} of {plan.wanted} approvals are there",
            mend="another person has to: --by NAME" if len(there) < plan.wanted else f"otto why {plan.site}",
        )
    until = speaker.at + timedelta(seconds=policy.approval_expiry)
    grant = Grant(GrantKind.APPROVE, plan.site, speaker.name, speaker.at, until, note, plan.plan)
    count = f"{len(there) + 1} of {plan.wanted} approvals are there"
    message = f"plan {name} of {plan.site} is approved by {speaker.name}"
    more = (
        count,
        *(f"the rejection by {item.by} is taken back" for item in rejections),
        *(f"it also waits: {item.message}" for item in plan.waits_for),
    )
    figures = {"given": str(len(there) + 1), "wanted": str(plan.wanted)}
    return Saying(_entry(plan, grant, speaker, figures), grant, rejections, message=message, more=more)


def reject(plan: Held, grants: tuple[Grant, ...], speaker: Speaker, note: str) -> Saying:
    """Somebody says no to a plan. Approvals of it are taken back thereby.

    Raises:
        UsageError: it is rejected already.
    """
    name = short(plan.plan)
    for item in _of(grants, GrantKind.REJECT, plan.plan, speaker.at):
        raise UsageError(
            f"plan {name} of {plan.site} is rejected already, by {item.by}",
            mend=f"to take that back: otto approve {plan.site} {name}",
        )
    there = given(grants, plan.plan, speaker.at)
    grant = Grant(GrantKind.REJECT, plan.site, speaker.name, speaker.at, reason=note, plan=plan.plan)
    more = (
        *(f"the approval by {item.by} is taken back" for item in there),
        f"to take that back: otto approve {plan.site} {name}",
    )
    message = f"plan {name} of {plan.site} is rejected by {speaker.name}"
    return Saying(_entry(plan, grant, speaker, {}), grant, there, tightens=True, message=message, more=more)


def _check_it_helps(plan: Held, *, rejected: bool) -> None:
    site = plan.site
    refused = plan.refusals or (plan.verdict == "Refused" and not plan.reasons)
    if refused:
        why = "; ".join(f"{item.message} [{item.rule}]" for item in plan.refusals) or f"see otto why {site}"
        mend = next((item.mend for item in plan.refusals if item.mend), f"otto why {site}")
        raise UsageError(f"the plan of {site} is refused, and no approval changes that: {why}", mend=mend)
    if not plan.needs_approval and not rejected:
        why = "; ".join(item.message for item in plan.waits_for)
        message = f"the plan of {site} lacks no approval" + (f"; it waits: {why}" if why else "")
        raise UsageError(message, mend=f"otto why {site}")


def _of(grants: Iterable[Grant], kind: GrantKind, plan: str, now: datetime) -> tuple[Grant, ...]:
    return tuple(grant for grant in grants if grant.kind is kind and grant.plan == plan and grant.holds(now))


def _entry(plan: Held, grant: Grant, speaker: Speaker, figures: Mapping[str, str]) -> AuditEntry:
    detail = {"as": speaker.account, **figures}
    if grant.until:
        detail["until"] = str(to_data(grant.until))
    return AuditEntry(
        at=speaker.at,
        who=speaker.name,
        what=grant.kind.value,
        site=plan.site,
        plan=plan.plan,
        summary=plan.summary,
        reason=grant.reason,
        detail=detail,
    )


def _held(status: SiteStatus, plan: str, run: Run | None, policy: Policy) -> Held:
    guard = _step(run, "guard")
    planned = _step(run, "plan")
    detail = guard.detail if guard else {}
    wanted = detail.get("wanted")
    told = status.held if status.plan else ()
    return Held(
        site=status.site,
        plan=plan,
        summary=planned.summary if planned else "",
        verdict="" if status.plan else str(detail.get("verdict", "")),
        reasons=told or (*_reasons(detail.get("reasons")), *_reasons(detail.get("behind"))),
        wanted=wanted if isinstance(wanted, int) and wanted > 0 else policy.approvers,
    )


def _step(run: Run | None, kind: str) -> StepRecord | None:
    steps = reversed(run.steps) if run else ()
    return next((step for step in steps if step.kind == kind), None)


def _reasons(data: object) -> tuple[Reason, ...]:
    """Reasons as a run keeps them; what another version of OttO wrote otherwise is left out."""
    found: list[Reason] = []
    for item in data if isinstance(data, list | tuple) else ():
        with contextlib.suppress(OttoError):
            found.append(read(Reason, item))
    return tuple(found)


def _another(site: str, digest: str, plan: str, runs: tuple[Run, ...]) -> UsageError:
    mend = f"read it (otto plan {site}), then: otto approve {site} {short(plan)}"
    if any(run.plan.startswith(digest) for run in runs if run.plan):
        return UsageError(f"plan {digest[:12]} of {site} is out of date: another one waits now", mend=mend)
    return UsageError(f"no plan of {site} that waits begins with {digest[:64]!r}", mend=mend)
