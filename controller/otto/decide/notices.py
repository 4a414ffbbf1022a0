"""What people are told of, in the words they are told it."""

from collections.abc import Iterable
from datetime import datetime

from otto.decide.freezing import command
from otto.decide.wording import describe, told_of
from otto.model.duration import in_words
from otto.model.history import Grant
from otto.model.notice import Notice, NoticeKind
from otto.model.plan import Plan
from otto.model.verdict import Allowed, NeedsApproval, Reason, Verdict


def of_verdict(plan: Plan, verdict: Verdict, now: datetime) -> Notice | None:
    """What people should hear of a verdict; None when it concerns nobody."""
    reasons = told_of(verdict)
    if not reasons:
        return None
    kind, title = _kind(plan, verdict, reasons)
    body = "\n".join((f"plan {plan.digest[:12]}: {describe(plan)}", *_lines(reasons)))
    return Notice(kind, plan.site, title, body, now)


def _kind(plan: Plan, verdict: Verdict, reasons: tuple[Reason, ...]) -> tuple[NoticeKind, str]:
    if any(reason.rule == "guard.drift.flapping" for reason in reasons):
        return NoticeKind.FLAPPING, f"{plan.site} keeps being changed, and is not repaired for now"
    for_cost = any(reason.rule.startswith("guard.budget.") for reason in reasons)
    if isinstance(verdict, Allowed):
        nearly = f"{plan.site}: a budget is nearly used up"
        return (NoticeKind.BUDGET, nearly) if for_cost else (NoticeKind.WARNING, f"{plan.site}: a warning")
    if for_cost:
        return NoticeKind.BUDGET, f"{plan.site}: the guard holds a plan for its cost"
    if isinstance(verdict, NeedsApproval):
        return NoticeKind.APPROVAL, f"{plan.site} waits for approval"
    return NoticeKind.REFUSED, f"{plan.site}: the guard holds a plan"


def _lines(reasons: Iterable[Reason]) -> Iterable[str]:
    for reason in reasons:
        yield f"- {reason.message} [{reason.rule}]"
        if reason.mend:
            yield f"  to go on: {reason.mend}"


def of_freeze(reason: str, sites: tuple[str, ...], now: datetime) -> Notice:
    """Desired state collapsed."""
    named = f"\nsites that vanished, and are kept as they were: {', '.join(sites[:50])}" if sites else ""
    body = (
        f"{reason}: nothing is taken away until this is looked at.{named}\n"
        "if it was a mistake: push the specs back, and it thaws by itself\nif it was meant: otto thaw"
    )
    return Notice(NoticeKind.FREEZE, "", "the repository lost much at once: deletions are frozen", body, now)


def of_freeze_by(freeze: Grant, now: datetime) -> Notice:
    """Somebody froze deletions."""
    until = f", until {freeze.until:%Y-%m-%d %H:%M} UTC" if freeze.until else ""
    body = f"by {freeze.by}{until}: {freeze.reason}\nto end that: {command(freeze.site)}"
    title = f"deletions of {freeze.site or 'every site'} are frozen"
    return Notice(NoticeKind.FREEZE, freeze.site, title, body, now)


def of_thaw(by: str, now: datetime, site: str = "") -> Notice:
    """Deletions go on."""
    title = f"deletions of {site or 'every site'} are not frozen any more"
    return Notice(NoticeKind.THAW, site, title, f"thawed by {by}", now)


def of_ending(site: str, at: datetime, why: str, now: datetime) -> Notice:
    """A site's end is near, or has come."""
    left = (at - now).total_seconds()
    title = f"{site} is taken down in {in_words(left)}" if left > 0 else f"{site} is taken down"
    body = f"{why}: it ends at {at:%Y-%m-%d %H:%M} UTC\nto keep it longer: otto extend {site} 4h"
    return Notice(NoticeKind.TTL, site, title, body, now)
