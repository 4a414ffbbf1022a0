"""The operator's side of the guard, in memory: policy, prices, a hook, and people who are told."""

from otto.model.cost import PriceTable
from otto.model.notice import Notice
from otto.model.plan import Plan
from otto.model.policy import FleetPolicy
from otto.model.spec import Provider, SiteSpec
from otto.model.verdict import Reason, Verdict


class MemoryPolicies:
    """Port `Policies`: whatever `policy` is set to."""

    def __init__(self, policy: FleetPolicy | None = None) -> None:
        self.policy = policy or FleetPolicy()
        self.problem = ""

    def fleet(self) -> FleetPolicy:
        """The policy that is in force."""
        return self.policy


LAB_PRICES = PriceTable("lab", "EUR", {"small": 0.01, "medium": 0.02, "large": 0.04})
"""Prices of simulated hosts."""


class MemoryPrices:
    """Port `Prices`: whatever `tables` hold, by provider; the lab's when nothing is said."""

    def __init__(self, tables: dict[str, PriceTable] | None = None) -> None:
        self.tables = {"lab": LAB_PRICES} if tables is None else tables

    def table(self, provider: Provider) -> PriceTable | None:
        """The price table of a provider."""
        return self.tables.get(provider.value)


class MemoryHook:
    """Port `PolicyHook`: finds what `reasons` say, and keeps the plans it was asked about."""

    def __init__(self) -> None:
        self.reasons: tuple[Reason, ...] = ()
        self.asked: list[Plan] = []

    async def judge(self, plan: Plan, spec: SiteSpec | None, verdict: Verdict) -> tuple[Reason, ...]:
        """What the hook finds."""
        del spec, verdict
        self.asked.append(plan)
        return self.reasons


class MemoryNotifier:
    """Port `Notifier`: keeps what was told."""

    def __init__(self) -> None:
        self.notices: list[Notice] = []

    async def notify(self, notice: Notice) -> None:
        """Keep it."""
        self.notices.append(notice)
