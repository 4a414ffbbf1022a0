"""What a plan may cost."""

from collections.abc import Iterator
from dataclasses import dataclass

from otto.decide.guard.rule import Case, Rule
from otto.model.policy import Budget
from otto.model.verdict import Effect, Reason


@dataclass(frozen=True, slots=True)
class _Month:
    """What the month would come to, for the site or for the fleet, and its budget."""

    whose: str
    budget: Budget
    total: float
    figures: dict[str, str]

    @property
    def message(self) -> str:
        month, budget = self.figures["month"], self.figures["budget"]
        return f"this month would come to {month} of {budget} for the {self.whose}"


def _months(case: Case) -> Iterator[_Month]:
    cost, spending = case.plan.about.cost, case.history.spending
    if cost is None or spending is None:
        return
    own = (case.policy.site.budget, spending.spent, spending.hourly)
    fleet = (case.policy.fleet.budget, spending.fleet_spent, spending.fleet_hourly)
    for whose, (budget, spent, hourly) in {"site": own, "fleet": fleet}.items():
        if budget is not None:
            total = spent + (hourly + cost.added) * spending.hours_left
            figures = {
                "month": f"{total:.2f} {spending.currency}",
                "budget": f"{budget.monthly:.2f} {spending.currency}",
                "spent": f"{spent:.2f} {spending.currency}",
                "added an hour": f"{cost.added:.4f} {spending.currency}",
            }
            yield _Month(whose, budget, total, figures)


def _over(case: Case, whose: str) -> Iterator[Reason]:
    for month in _months(case):
        adds = case.plan.about.cost is not None and case.plan.about.cost.added > 0
        if month.whose == whose and adds and month.total > month.budget.monthly:
            mend = "raise the budget, or ask for less"
            yield Reason(f"guard.budget.{whose}", month.message, mend, Effect.REFUSE, month.figures)


def _nearly(case: Case) -> Iterator[Reason]:
    for month in _months(case):
        if month.total > month.budget.monthly * month.budget.warn:
            mend = "raise the budget, or ask for less"
            yield Reason("guard.budget.warn", month.message, mend, Effect.WARN, month.figures)


def _unknown(case: Case) -> Iterator[Reason]:
    cost = case.plan.about.cost
    if cost is not None and cost.unknown:
        sizes = ", ".join(cost.unknown)
        message = f"nobody knows what {sizes} costs at {case.plan.about.provider}"
        mend = f"{case.approve}; or add it to the price table"
        yield Reason("guard.budget.unknown", message, mend, Effect.ASK, {"sizes": sizes})


RULES = (
    Rule(
        "guard.budget.site",
        Effect.REFUSE,
        "A plan that adds to the cost, where the calendar month (UTC) would come to more than "
        "`policy.budget.monthly`: what was spent so far, and the rest of the month at the new rate. What the "
        "plan saves is left out.",
        "no budget",
        "Raise the budget, or ask for less.",
        lambda case: _over(case, "site"),
    ),
    Rule(
        "guard.budget.fleet",
        Effect.REFUSE,
        "The same for all sites together and the `budget` of the fleet's policy.",
        "no budget",
        "Raise the budget, or ask for less.",
        lambda case: _over(case, "fleet"),
    ),
    Rule(
        "guard.budget.warn",
        Effect.WARN,
        "The month would come to more than that share of a budget, the site's or the fleet's.",
        "`budget.warn: 0.8`",
        "Nothing is held.",
        _nearly,
    ),
    Rule(
        "guard.budget.unknown",
        Effect.ASK,
        "A plan makes hosts of a size that the provider's price table does not know, or the provider has no "
        "table; whether or not there is a budget.",
        "asks",
        "Approve the plan, or add the size to the table.",
        _unknown,
    ),
)
