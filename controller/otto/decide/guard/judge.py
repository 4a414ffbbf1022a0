"""The judgement: what every rule finds, and what that comes to."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from otto.decide.guard import place
from otto.decide.guard.blast import weights
from otto.decide.guard.catalogue import RULES
from otto.decide.guard.rule import Case
from otto.model.history import GrantKind, History, Removal
from otto.model.plan import Plan
from otto.model.policy import Effective
from otto.model.verdict import Allowed, Effect, NeedsApproval, Reason, Refused, Verdict, Waiting


def judge(plan: Plan, policy: Effective, history: History, now: datetime) -> Verdict:
    """Judge a plan.

    Args:
        plan: what would be done, and the circumstances.
        policy: what the site's spec and the operator allow.
        history: what people said, what was taken away and spent, and how things are.
        now: the time of day.
    """
    return conclude(findings(plan, policy, history, now), plan, policy, history, now)


def findings(plan: Plan, policy: Effective, history: History, now: datetime) -> tuple[Reason, ...]:
    """What every rule finds; of a plan that does nothing, only whether it would be in the right place."""
    case = Case(plan, policy, history, now)
    rules = RULES if plan.steps else place.RULES
    return tuple(reason for rule in rules for reason in rule.check(case))


def conclude(
    reasons: Iterable[Reason], plan: Plan, policy: Effective, history: History, now: datetime
) -> Verdict:
    """The verdict that reasons come to: the strictest counts, and approvals answer what only asks."""
    found = tuple(reasons)
    given, wanted = len(approvers(plan, policy, history, now)), policy.site.approvers
    if given >= wanted:
        found = tuple(item for item in found if not item.approvable)
    refusing, waiting, asking, warning = (
        tuple(item for item in found if item.effect is effect)
        for effect in (Effect.REFUSE, Effect.WAIT, Effect.ASK, Effect.WARN)
    )
    if refusing:
        return Refused(refusing, (*waiting, *asking))
    if waiting:
        ends = [item.until for item in waiting]
        until = max((end for end in ends if end is not None), default=None) if None not in ends else None
        return Waiting(waiting, until, asking)
    return NeedsApproval(asking, given, wanted) if asking else Allowed(warning)


def approvers(plan: Plan, policy: Effective, history: History, now: datetime) -> frozenset[str]:
    """Who approved this very plan, or the one that it is the rest of, and not too long ago."""
    oldest = now - timedelta(seconds=policy.site.approval_expiry)
    plans = {plan.digest, plan.about.part_of} - {""}
    return frozenset(
        grant.by.casefold()
        for grant in history.grants_of(GrantKind.APPROVE, now)
        if grant.site == plan.site and grant.plan in plans and grant.at > oldest
    )


def taken(plan: Plan, policy: Effective, now: datetime) -> tuple[Removal, ...]:
    """What is to be remembered of a plan that is carried out: the hosts it takes away or makes anew."""
    case = Case(plan, policy, History(), now)
    actions = (*case.loses, *case.repairs)
    by_name = weights(case, actions)
    return tuple(
        Removal(plan.site, name, action.kind, now, by_name[name])
        for action in actions
        for name in (action.host or action.address,)
    )
