"""The operator's side of the guard, in memory: policy, prices, a hook, and people who are told."""

from datetime import datetime

from otto.model.canonical import digest
from otto.model.cost import PriceTable
from otto.model.domain import DomainSpec
from otto.model.errors import TerminalError
from otto.model.notice import Notice
from otto.model.plan import Plan
from otto.model.policy import FleetPolicy
from otto.model.signature import Scheme, Signatures, Signed, Signer
from otto.model.spec import Provider, SiteSpec
from otto.model.verdict import Reason, Verdict
from otto.testing.failures import Failures


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

    async def judge(
        self, plan: Plan, spec: SiteSpec | DomainSpec | None, verdict: Verdict
    ) -> tuple[Reason, ...]:
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


class MemoryVouching:
    """Port `Vouching`: signatures that say nothing but a name are good when that is among `known`.

    Attributes:
        known: names whose signatures count.
        asked: ids of what was asked about.
        failures: knows `check`.
    """

    def __init__(self) -> None:
        self.known: set[str] = {"ada"}
        self.asked: list[str] = []
        self.failures = Failures()

    def digest(self, policy: Signatures) -> str:
        """Names what is demanded."""
        return digest([policy, sorted(self.known)])

    async def check(self, signed: Signed, policy: Signatures, now: datetime) -> Signer:
        """Who signed it."""
        del policy, now
        self.asked.append(signed.id)
        await self.failures.meet("check")
        if not signed.signature:
            raise TerminalError("it is not signed")
        name = signed.signature.splitlines()[1]
        if name not in self.known:
            raise TerminalError(f"it is signed with a key that the fleet's policy does not know: {name}")
        return Signer(name, f"SHA256:{name}", Scheme.SSH)
