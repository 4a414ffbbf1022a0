"""Policies as tests: recorded plans, and what the guard has to say of them."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from otto.decide.guard import judge
from otto.decide.wording import told_of
from otto.model.history import History
from otto.model.plan import Plan
from otto.model.policy import Effective
from otto.model.verdict import Reason, Verdict

VERDICTS = ("Allowed", "NeedsApproval", "Refused", "Waiting")


@dataclass(frozen=True, slots=True)
class Expectation:
    """What the guard has to say.

    Attributes:
        verdict: one of `VERDICTS`, "" for any.
        rules: names of rules that have to be among its reasons, warnings and what stands behind included.
    """

    verdict: str = ""
    rules: tuple[str, ...] = ()


@dataclass(frozen=True)
class PolicyCase:
    """A plan, everything it is judged by, and what has to come out.

    Attributes:
        name: its name, for people.
        plan: the plan.
        policy: what the site's spec and the operator allow.
        history: what is remembered.
        now: the time of day.
        expected: what has to come out.
        file: where it stands.
        line: the line it begins on.
    """

    name: str
    plan: Plan
    policy: Effective
    history: History
    now: datetime
    expected: Expectation
    file: str = ""
    line: int = 0


@dataclass(frozen=True)
class PolicyResult:
    """What came out of a case."""

    case: PolicyCase
    verdict: Verdict

    @property
    def kind(self) -> str:
        """The verdict's name."""
        return type(self.verdict).__name__

    @property
    def reasons(self) -> tuple[Reason, ...]:
        """All that the guard said: reasons, what stands behind them, warnings."""
        return told_of(self.verdict)

    @property
    def missing(self) -> tuple[str, ...]:
        """Rules that were expected and said nothing."""
        said = {reason.rule for reason in self.reasons}
        return tuple(rule for rule in self.case.expected.rules if rule not in said)

    @property
    def passed(self) -> bool:
        """Whether it is as expected."""
        return self.case.expected.verdict in ("", self.kind) and not self.missing


def run(cases: Iterable[PolicyCase]) -> tuple[PolicyResult, ...]:
    """Judge every case."""
    return tuple(PolicyResult(case, judge(case.plan, case.policy, case.history, case.now)) for case in cases)
