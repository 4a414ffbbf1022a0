"""What hosts cost: a site's, what a plan makes of it, and what was spent in a month.

Money is in the currency of the price tables, time in hours. What nobody knows the price of counts as nothing
and is named, so that whoever decides can ask.
"""

import math
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta

from otto.model.cost import Cost, CostChange, PriceTable
from otto.model.history import Charge, Spending
from otto.model.host import LiveHost
from otto.model.plan import Action, ActionKind
from otto.model.policy import Budget
from otto.model.spec import Role, SiteSpec

UNTOLD = "?"  # stands for a size that nobody told
_HOUR = timedelta(hours=1)
_TAKES_AWAY = frozenset({ActionKind.SCALE_IN, ActionKind.DESTROY})


def cost_of(hosts: Mapping[str, int], table: PriceTable | None) -> Cost:
    """What hosts cost.

    Args:
        hosts: size -> how many there are.
        table: the prices; None knows none.
    """
    prices = table.hosts if table else {}
    counted = {size or UNTOLD: count for size, count in hosts.items() if count > 0}
    known = (prices[size] * count for size, count in counted.items() if size in prices)
    return Cost(math.fsum(known), tuple(sorted(counted.keys() - prices.keys())))


def cost_of_live(hosts: Iterable[LiveHost], tables: Mapping[str, PriceTable]) -> Cost:
    """What hosts cost as their providers list them, stopped ones included.

    Args:
        hosts: the hosts, of any provider.
        tables: provider -> its prices.
    """
    costs = [cost_of({host.size: 1}, tables.get(host.provider)) for host in hosts]
    return total(costs)


def total(costs: Iterable[Cost]) -> Cost:
    """What several cost together."""
    every = tuple(costs)
    unknown = {size for cost in every for size in cost.unknown}
    return Cost(math.fsum(cost.hourly for cost in every), tuple(sorted(unknown)))


def sized(hosts: Mapping[str, str], sizes: Mapping[str, str]) -> dict[str, str]:
    """Name -> size of hosts, from name -> role and role -> size; "" where the size of a role is not known."""
    return {name: sizes.get(role, "") for name, role in hosts.items()}


def wanted_sizes(spec: SiteSpec) -> dict[str, str]:
    """Name -> size of the hosts that a spec wants."""
    return {name: spec.group(role).size for role in Role for name in spec.host_names(role)}


def change(
    there: Mapping[str, str], wanted: Mapping[str, str], actions: Iterable[Action], table: PriceTable
) -> CostChange:
    """What a plan does to the cost of its site.

    Args:
        there: name -> size, as applied, of the hosts that there are; dead ones are paid for as well.
        wanted: name -> size of the hosts that the spec wants.
        actions: what the plan does to the infrastructure.
        table: the provider's prices.
    """
    concerned = [action for action in actions if action.host]
    after = dict(there)
    for action in concerned:
        if action.kind in _TAKES_AWAY:
            after.pop(action.host, None)
        else:
            after[action.host] = wanted.get(action.host, there.get(action.host, ""))
    made = {action.host: _made(action, there, after) for action in concerned if action.host in after}
    return CostChange(
        cost_of(Counter(there.values()), table),
        cost_of(Counter(after.values()), table),
        math.fsum(_added(old, new, table) for old, new in made.values()),
        table.currency,
        tuple(sorted({new for old, new in made.values() if old != new and new not in table.hosts})),
    )


def _made(action: Action, there: Mapping[str, str], after: Mapping[str, str]) -> tuple[str | None, str]:
    """The size a host had, None for none, and the one it gets.

    A host that is mended, or taken into the state, was paid for before, even where nobody remembers it.
    """
    new = after[action.host] or UNTOLD
    paid = new if action.kind in (ActionKind.REPAIR, ActionKind.IMPORT) else None
    return there.get(action.host, paid), new


def _added(old: str | None, new: str, table: PriceTable) -> float:
    """How much dearer a host gets, never below nothing. One of unknown price may have cost nothing before."""
    if old == new:
        return 0.0
    return max(0.0, table.hosts.get(new, 0.0) - table.hosts.get(old or "", 0.0))


def spending(charges: Iterable[Charge], site: str, now: datetime, currency: str = "EUR") -> Spending:
    """What is spent since the calendar month (UTC) began, and what is being spent.

    Each charge counts until the site's next one, the last one until now; one that lies ahead not yet.

    Args:
        charges: of all sites; of each those of this month, and the last one before.
        site: the site.
        now: the time.
        currency: of the price tables.
    """
    begin, end = month(now)
    each = _by_site(charges, now)
    spent = {name: _spent(known, begin, now) for name, known in each.items()}
    hourly = {name: known[-1].hourly or 0.0 for name, known in each.items()}
    return Spending(
        spent=spent.get(site, 0.0),
        hourly=hourly.get(site, 0.0),
        fleet_spent=math.fsum(spent.values()),
        fleet_hourly=math.fsum(hourly.values()),
        hours_left=(end - now) / _HOUR,
        currency=currency,
        unknown=tuple(sorted(name for name, known in each.items() if _is_unknown(known, begin, now))),
    )


def spent_by_site(charges: Iterable[Charge], now: datetime) -> dict[str, float]:
    """What each site spent since the calendar month (UTC) began; charges as for `spending`."""
    begin, _ = month(now)
    return {name: _spent(known, begin, now) for name, known in _by_site(charges, now).items()}


def used(spent: float, budget: Budget | None) -> float | None:
    """Which share of a budget is spent, None without one; one of nothing is used up before it is touched."""
    if budget is None:
        return None
    if budget.monthly > 0:
        return spent / budget.monthly
    return math.inf if spent > 0 else 1.0


def month(now: datetime) -> tuple[datetime, datetime]:
    """When the calendar month (UTC) began, and when the next one does."""
    begin = now.astimezone(UTC).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    return begin, (begin + timedelta(days=31)).replace(day=1)


def _by_site(charges: Iterable[Charge], now: datetime) -> dict[str, list[Charge]]:
    """Charges of each site, oldest first; none that lies ahead."""
    each: dict[str, list[Charge]] = {}
    for charge in sorted(charges, key=lambda item: item.at):
        if charge.at <= now:
            each.setdefault(charge.site, []).append(charge)
    return each


def _spent(charges: Sequence[Charge], begin: datetime, now: datetime) -> float:
    """Time is added up per price before it is multiplied: splitting an interval changes no digit."""
    lasted: dict[float, timedelta] = {}
    for charge, span in _intervals(charges, begin, now):
        price = charge.hourly or 0.0
        lasted[price] = lasted.get(price, timedelta()) + span
    return math.fsum(price * (span / _HOUR) for price, span in lasted.items())


def _is_unknown(charges: Sequence[Charge], begin: datetime, now: datetime) -> bool:
    """Whether a price was unknown for a time of the month, or is now."""
    times = _intervals(charges, begin, now)
    return charges[-1].hourly is None or any(span and charge.hourly is None for charge, span in times)


def _intervals(
    charges: Sequence[Charge], begin: datetime, now: datetime
) -> Iterator[tuple[Charge, timedelta]]:
    """Charges of one site, oldest first, each with how long it has been in force since `begin`."""
    ends = [*(charge.at for charge in charges[1:]), now]
    for charge, until in zip(charges, ends, strict=True):
        yield charge, max(timedelta(), until - max(begin, charge.at))
