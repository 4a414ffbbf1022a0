"""What sites cost: noted when their hosts change, added up when somebody asks."""

from collections import Counter
from collections.abc import Iterable, Mapping

from otto.decide import costing
from otto.decide.hosts import is_declared
from otto.model.cost import Cost, PriceTable
from otto.model.desired import Desired
from otto.model.history import Charge, Spending
from otto.model.host import Host
from otto.model.observed import Applied, InfrastructureState
from otto.model.plan import Plan
from otto.model.spec import Provider, Role
from otto.reconcile.kit import Kit
from otto.reconcile.pricing import currency


class Bookkeeper:
    """Keeps the books of what is spent."""

    def __init__(self, kit: Kit) -> None:
        self._kit = kit
        self._noted: dict[str, float | None] = {}

    async def note(self, desired: Desired, state: InfrastructureState) -> None:
        """Note what a site costs from now on; nothing is written while it is the same."""
        found = self.cost(desired.spec.provider, _sizes(desired, state.hosts))
        await self._charge(desired.site, None if found.unknown else found.hourly)

    async def gone(self, site: str) -> None:
        """Note that a site costs nothing any more."""
        await self._charge(site, 0.0)

    def cost(self, provider: Provider, hosts: Mapping[str, str]) -> Cost:
        """What hosts, by name and size, cost."""
        return costing.cost_of(Counter(hosts.values()), self._kit.prices.table(provider))

    def priced(self, plan: Plan, desired: Desired, hosts: tuple[Host, ...], applied: Applied) -> Plan:
        """The plan, with what it does to the cost of its site."""
        table = self._kit.prices.table(desired.spec.provider)
        table = table or PriceTable(desired.spec.provider.value, "EUR")  # which knows no price of anything
        there = _sizes(desired, hosts, applied.sizes)
        return plan.priced(costing.change(there, costing.wanted_sizes(desired.spec), plan.actions, table))

    def shown(self, desired: Desired, state: InfrastructureState) -> tuple[Cost | None, str]:
        """What a site's hosts cost, and the currency; None and "" where there is no price table."""
        table = self._kit.prices.table(desired.spec.provider)
        if table is None:
            return None, ""
        return self.cost(desired.spec.provider, _sizes(desired, state.hosts)), table.currency

    async def spending(self, site: str, *, of_all: bool = True) -> Spending:
        """What is spent, of the site and, if asked for, of all: that takes the charges of every site."""
        now = self._kit.clock.now()
        begin, _ = costing.month(now)
        charges = await self._kit.ledger.charges(begin, site=None if of_all else site)
        return costing.spending(charges, site, now, currency(self._kit.prices) or "EUR")

    async def spent(self) -> dict[str, float]:
        """What each site spent this month, by one question for all."""
        now = self._kit.clock.now()
        begin, _ = costing.month(now)
        return costing.spent_by_site(await self._kit.ledger.charges(begin), now)

    async def _charge(self, site: str, hourly: float | None) -> None:
        if site in self._noted and self._noted[site] == hourly:
            return
        await self._kit.ledger.charge(Charge(site, self._kit.clock.now(), hourly))
        self._noted[site] = hourly


def _sizes(desired: Desired, hosts: Iterable[Host], known: Mapping[str, str] | None = None) -> dict[str, str]:
    """Name -> size of hosts: as known by role, else as the spec wants it. Declared ones cost OttO nothing."""
    wanted = {role.value: desired.spec.group(role).size for role in Role}
    return costing.sized(
        {host.name: host.role.value for host in hosts if not is_declared(host)}, wanted | dict(known or {})
    )
