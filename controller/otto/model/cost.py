"""What hosts cost."""

from collections.abc import Mapping
from dataclasses import dataclass, field

HOURS_A_MONTH = 730.0


@dataclass(frozen=True, slots=True)
class PriceTable:
    """Prices of one provider.

    Attributes:
        provider: whose.
        currency: three letters (ISO 4217).
        hosts: size -> price of one host an hour.
        source: where the prices come from, in words, for people.
        updated: the day they were looked up, as `2026-11-26`.
    """

    provider: str
    currency: str
    hosts: Mapping[str, float] = field(default_factory=dict)
    source: str = ""
    updated: str = ""


@dataclass(frozen=True, slots=True)
class Cost:
    """What a site costs an hour; `unknown` names sizes that no price is known for."""

    hourly: float = 0.0
    unknown: tuple[str, ...] = ()

    @property
    def monthly(self) -> float:
        """What that comes to in a month of 730 hours."""
        return self.hourly * HOURS_A_MONTH


@dataclass(frozen=True, slots=True)
class CostChange:
    """What a plan does to the cost of its site.

    Attributes:
        before: what the site costs now.
        after: what it costs when the plan is carried out.
        added: what the plan adds an hour, savings left out: a guard that let a deletion make room for
            spending would be milder for a plan that deletes more.
        currency: three letters.
        unpriced: sizes, of hosts that the plan makes, that no price is known for.
    """

    before: Cost = Cost()
    after: Cost = Cost()
    added: float = 0.0
    currency: str = "EUR"
    unpriced: tuple[str, ...] = ()
