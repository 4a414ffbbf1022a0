"""What sites and zones are said to be alike: whether their spec is good, and what the guard says."""

from collections.abc import Sequence

from otto.model.problem import Problem
from otto.model.status import Truth
from otto.model.verdict import Allowed, NeedsApproval, Refused, Verdict, Waiting

UNRESOLVED = "Unresolved"
# Somebody else has a record where a zone's spec wants its own.
CONFLICT = "Conflict"
"""Reason of the condition Valid, where what a good spec asks for cannot be had."""

Said = tuple[Truth, str, str]
"""Whether it holds, the reason in a word, and in words."""


def valid(problems: Sequence[Problem], unresolved: str = "") -> Said:
    """Whether the newest spec is in force.

    Args:
        problems: what is wrong with it.
        unresolved: why what it asks for cannot be had, "" when it can.
    """
    if problems:
        more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
        return Truth.FALSE, "SpecInvalid", f"{problems[0]}{more}"
    if unresolved:
        return Truth.FALSE, UNRESOLVED, unresolved
    return Truth.TRUE, "SpecValid", "the newest spec is in force"


def allowed(verdict: Verdict) -> Said:
    """Whether the plan may be carried out, and what lets it go on."""
    match verdict:
        case Allowed():
            return Truth.TRUE, "Allowed", "nothing in the plan needs approval"
        case NeedsApproval(reasons=reasons) | Refused(reasons=reasons) | Waiting(reasons=reasons):
            message = "; ".join(f"{item.message} [{item.rule}]" for item in reasons)
            mends = sorted({item.mend for item in reasons if item.mend})
            hint = f"; to go on: {', '.join(mends)}" if mends else ""
            return Truth.FALSE, type(verdict).__name__, message + hint
