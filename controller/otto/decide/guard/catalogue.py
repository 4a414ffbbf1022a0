"""Every rule, in the order in which verdicts tell of them."""

from otto.decide.guard import asking, blast, dns, drift, holding, money, order, place
from otto.decide.guard.rule import Rule

RULES: tuple[Rule, ...] = (
    *place.RULES,
    *holding.RULES,
    *money.RULES,
    *asking.RULES,
    *dns.RULES,
    *blast.RULES,
    *order.RULES,
    *drift.RULES,
)
