"""What things cost, for people."""

from typing import TYPE_CHECKING

from otto.cli.text import clean

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from otto.model.cost import Cost, CostChange
    from otto.model.status import SiteStatus


def cost_words(cost: "Cost", currency: str) -> str:
    """`EUR 0.018 an hour, EUR 13.14 a month`, and which sizes have no price."""
    if cost.unknown and not cost.hourly:
        return f"unknown: {_unpriced(cost.unknown)}"
    known = f"{_hourly(cost, currency)} an hour, {_monthly(cost, currency)} a month"
    return f"{known}, and more: {_unpriced(cost.unknown)}" if cost.unknown else known


def prices(cost: "Cost | None") -> tuple[str, str]:
    """The prices of one thing an hour and a month, without the currency; `unknown` where there is none."""
    if cost is None or cost.unknown:
        return "unknown", "unknown"
    return _decimal(cost.hourly), f"{cost.monthly:.2f}"


def change_words(change: "CostChange") -> str:
    """What a plan makes of it: `EUR 0.018 -> EUR 0.024 an hour, EUR 13.14 -> EUR 17.52 a month`."""
    before, after, currency = change.before, change.after, change.currency
    if before == after:
        return f"{cost_words(after, currency)}; as before"
    hourly = f"{_hourly(before, currency)} -> {_hourly(after, currency)} an hour"
    monthly = f"{_monthly(before, currency)} -> {_monthly(after, currency)} a month"
    unknown = tuple(sorted({*before.unknown, *after.unknown}))
    return f"{hourly}, {monthly}{f', and more: {_unpriced(unknown)}' if unknown else ''}"


def site_words(status: "SiteStatus") -> str:
    """What a site costs; "" where there is nothing to pay for."""
    if status.cost is not None:
        return cost_words(status.cost, status.currency)
    return f"unknown: no price table for {status.provider or 'its provider'}" if status.hosts else ""


def fleet_words(statuses: "Iterable[SiteStatus]") -> str:
    """What sites cost together, "" where nobody reckons; those whose cost is not known in full are named."""
    from otto.decide.costing import total  # noqa: PLC0415  (with the page)

    known = [status for status in statuses if status.cost is not None or status.hosts]
    costs = [status.cost for status in known if status.cost is not None]
    if not costs:
        return ""
    currency = next(status.currency for status in known if status.cost is not None)
    unsure = [status.site for status in known if status.cost is None or status.cost.unknown]
    together = total(costs)
    said = f"{_hourly(together, currency)} an hour, {_monthly(together, currency)} a month"
    return f"{said}; not known in full of {', '.join(map(clean, unsure))}" if unsure else said


def _hourly(cost: "Cost", currency: str) -> str:
    return f"{clean(currency)} {_decimal(cost.hourly)}"


def _decimal(price: float) -> str:
    """At least two decimals, and as many as small prices need."""
    whole, _, decimals = f"{price:.6f}".partition(".")
    return f"{whole}.{decimals.rstrip('0'):0<2}"


def _monthly(cost: "Cost", currency: str) -> str:
    return f"{clean(currency)} {cost.monthly:.2f}"


def _unpriced(sizes: "Sequence[str]") -> str:
    return f"no price for size {', '.join(map(clean, sizes))}"
