"""Whether a plan may be carried out. A first, simple guard; it never calls out.

Allowed without asking: create, update, import, scale-in and replacement that the spec's own words ask
for, and repair of a host that is proven dead. Anything else that ends a living host waits for a person.
"""

from otto.model.plan import Action, ActionKind, Plan
from otto.model.spec import Policy
from otto.model.verdict import Allowed, NeedsApproval, Reason, Verdict

_ENDS_A_LIVING_HOST = frozenset({ActionKind.REPLACE, ActionKind.DESTROY})


def judge(plan: Plan, policy: Policy, *, approved: bool) -> Verdict:
    """Judge a plan.

    Args:
        plan: what would be done.
        policy: the site's policy.
        approved: whether a person approved this very plan, by its digest.
    """
    if approved:
        return Allowed()
    reasons = _always(plan) if policy.approval == "always" else ()
    if policy.approval != "auto":
        reasons += tuple(_reason(action, plan) for action in plan.actions if _asks(action))
    return NeedsApproval(reasons) if reasons else Allowed()


def _asks(action: Action) -> bool:
    return action.kind in _ENDS_A_LIVING_HOST and not action.asked


def _always(plan: Plan) -> tuple[Reason, ...]:
    if all(step.kind == "verify" for step in plan.steps):
        return ()
    message = "the site's policy asks for approval of every change"
    return (Reason("guard.approval.always", message, _approve(plan)),)


def _reason(action: Action, plan: Plan) -> Reason:
    what = action.host or action.address
    why = f" because of {', '.join(action.changed)}" if action.changed else ""
    message = f"the plan would {action.kind.value} {what}{why}, which the spec did not ask for"
    return Reason(f"guard.{action.kind.value}", message, _approve(plan))


def _approve(plan: Plan) -> str:
    return f"otto approve {plan.site} {plan.digest[:12]}"
