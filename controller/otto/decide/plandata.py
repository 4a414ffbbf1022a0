"""A plan and a verdict as plain data: what `otto plan --json` prints, and what a hook is given."""

from collections.abc import Mapping

from otto.decide.wording import standing_in_the_way
from otto.model.canonical import Data, to_data
from otto.model.errors import UsageError
from otto.model.plan import Circumstances, Plan, Step
from otto.model.reading import read
from otto.model.verdict import Allowed, NeedsApproval, Reason, Refused, Verdict, Waiting

_CIRCUMSTANCES = "about"


def plan_data(plan: Plan) -> dict[str, Data]:
    """A plan: its site, its digest, its steps, and the circumstances it is judged by."""
    return {
        "site": plan.site,
        "digest": plan.digest,
        "steps": to_data(plan.steps),
        _CIRCUMSTANCES: to_data(plan.about),
    }


def plan_of(data: object) -> Plan:
    """The plan in what `otto plan --json` printed, or in its `plan` alone.

    Raises:
        TerminalError: it holds no plan; the message names the place.
    """
    if not isinstance(data, Mapping):
        raise UsageError("a plan is a mapping", mend="take what `otto plan SITE --json` prints")
    inner = data.get("plan", data)
    if not isinstance(inner, Mapping) or "steps" not in inner:
        raise UsageError("there is no plan in it", mend="take what `otto plan SITE --json` prints")
    return Plan(
        site=read(str, inner.get("site", data.get("site", "site"))),
        desired="",
        steps=read(tuple[Step, ...], inner["steps"]),
        about=read(Circumstances, inner.get(_CIRCUMSTANCES, {})),
    )


def verdict_data(verdict: Verdict) -> dict[str, Data]:
    """What the guard says.

    Returns:
        `kind`; the `reasons` that hold the plan; `warnings`, which hold nothing; what is `behind` the
        reasons; how many approvals were `given` and are `wanted`; `until` when it waits.
    """
    warnings: tuple[Reason, ...] = ()
    behind: tuple[Reason, ...] = ()
    given, wanted, until = 0, 0, None
    match verdict:
        case Allowed():
            warnings = verdict.warnings
        case NeedsApproval():
            given, wanted = verdict.given, verdict.wanted
        case Refused():
            behind = verdict.behind
        case Waiting():
            behind, until = verdict.behind, verdict.until
    return {
        "kind": type(verdict).__name__,
        "reasons": [reason_data(item) for item in standing_in_the_way(verdict)],
        "warnings": [reason_data(item) for item in warnings],
        "behind": [reason_data(item) for item in behind],
        "given": given,
        "wanted": wanted,
        "until": to_data(until),
    }


def reason_data(reason: Reason) -> dict[str, Data]:
    """A reason, its effect as a word: `warn`, `ask`, `wait` or `refuse`."""
    return {
        "rule": reason.rule,
        "message": reason.message,
        "mend": reason.mend,
        "effect": reason.effect.name.lower(),
        "figures": to_data(reason.figures),
        "until": to_data(reason.until),
    }
