"""What the fleet's operator laid down: rules, prices, a program of their own."""

from typing import Protocol

from otto.model.cost import PriceTable
from otto.model.domain import DomainSpec
from otto.model.plan import Plan
from otto.model.policy import FleetPolicy
from otto.model.spec import Provider, SiteSpec
from otto.model.verdict import Reason, Verdict


class PolicyHook(Protocol):
    """Somebody else's word on a plan."""

    async def judge(
        self, plan: Plan, spec: SiteSpec | DomainSpec | None, verdict: Verdict
    ) -> tuple[Reason, ...]:
        """What the hook finds; no reason leaves the verdict as it is.

        A hook that cannot be run, does not end in time, or answers what cannot be read, is itself a reason
        that refuses: what was to be asked and was not is never allowed.
        """


class Prices(Protocol):
    """What hosts cost."""

    def table(self, provider: Provider) -> PriceTable | None:
        """The price table of a provider, None when there is none."""


class Policies(Protocol):
    """The operator's policy for the fleet.

    Attributes:
        problem: what is wrong with its newest version, "" when nothing is.
    """

    problem: str

    def fleet(self) -> FleetPolicy:
        """The policy that is in force: the newest good one."""
