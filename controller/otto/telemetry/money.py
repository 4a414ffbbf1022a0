"""Metrics of what hosts cost, and of how much of a budget is used."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from prometheus_client import CollectorRegistry
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from otto.model.cost import Cost
from otto.model.status import SiteStatus
from otto.telemetry.labels import label


@dataclass(frozen=True, slots=True)
class _Price:
    """What one site costs; `known` is false while its hosts have no price, or some of them."""

    hourly: float
    currency: str
    known: bool


class MoneyMetrics(Collector):
    """Keeps what sites and orphans cost, and makes series of it when metrics are read.

    Args:
        registry: where it is registered.
        sites_shown: whether every site has series of its own.
    """

    def __init__(self, registry: CollectorRegistry, sites_shown: Callable[[], bool]) -> None:
        self._sites_shown = sites_shown
        self._prices: dict[str, _Price] = {}
        self._used: dict[str, float] = {}
        self._fleet_used: float | None = None
        self._orphans: Mapping[str, float] = {}
        registry.register(self)

    def status(self, status: SiteStatus) -> None:
        """Show what a site costs, as its status says."""
        cost = status.cost or Cost()
        known = not status.hosts or (status.cost is not None and not cost.unknown)
        self._prices[status.site] = _Price(cost.hourly, status.currency, known)

    def site_budget(self, site: str, used: float | None) -> None:
        """Show how much of a site's budget is used; None where it has none."""
        if used is None:
            self._used.pop(site, None)
        else:
            self._used[site] = used

    def fleet_budget(self, used: float | None) -> None:
        """Show how much of the fleet's budget is used; None where it has none."""
        self._fleet_used = used

    def orphans(self, cost: Cost, currency: str) -> None:
        """Show what hosts cost that nobody owns."""
        self._orphans = {currency: cost.hourly} if currency else {}

    def gone(self, site: str) -> None:
        """Take back everything said of a site."""
        self._prices.pop(site, None)
        self._used.pop(site, None)

    def describe(self) -> list[Metric]:
        """The families, without samples."""
        return [*_fleet_families(), *_site_families()]

    def collect(self) -> Iterator[Metric]:
        """The families with a sample for each thing that was said."""
        prices, used = self._prices.copy(), self._used.copy()  # the loop goes on writing meanwhile
        yield from self._together(prices)
        if self._sites_shown():
            yield from _each(prices, used)

    def _together(self, prices: Mapping[str, _Price]) -> Iterator[Metric]:
        cost, unknown, budget, orphans = _fleet_families()
        sums: dict[str, float] = {}
        for price in prices.values():
            if price.currency:
                sums[price.currency] = sums.get(price.currency, 0.0) + price.hourly
        for currency, hourly in sums.items():
            cost.add_metric([currency], hourly)
        unknown.add_metric([], sum(not price.known for price in prices.values()))
        if self._fleet_used is not None:
            budget.add_metric([], self._fleet_used)
        for currency, hourly in self._orphans.items():
            orphans.add_metric([currency], hourly)
        yield from (cost, unknown, budget, orphans)


def _each(prices: Mapping[str, _Price], used: Mapping[str, float]) -> Iterator[Metric]:
    cost, budget = _site_families()
    for site, price in prices.items():
        if price.currency:
            cost.add_metric([label(site), price.currency], price.hourly)
    for site, ratio in used.items():
        budget.add_metric([label(site)], ratio)
    yield from (cost, budget)


def _fleet_families() -> tuple[GaugeMetricFamily, ...]:
    return (
        _gauge(
            "otto_fleet_cost_per_hour",
            "What the hosts of all sites cost an hour, by the price tables.",
            "currency",
        ),
        _gauge("otto_sites_cost_unknown", "Sites with hosts that no price is known for."),
        _gauge(
            "otto_fleet_budget_used_ratio",
            "Share of the fleet's budget spent since the month began; left out where there is none.",
        ),
        _gauge(
            "otto_orphan_cost_per_hour",
            "What hosts cost an hour that no spec and no state owns, by the price tables.",
            "currency",
        ),
    )


def _site_families() -> tuple[GaugeMetricFamily, ...]:
    return (
        _gauge(
            "otto_site_cost_per_hour",
            "What the site's hosts cost an hour, by the price tables.",
            "site",
            "currency",
        ),
        _gauge(
            "otto_site_budget_used_ratio",
            "Share of the site's budget spent since the month began; left out where it has none.",
            "site",
        ),
    )


def _gauge(name: str, about: str, *labels: str) -> GaugeMetricFamily:
    return GaugeMetricFamily(name, about, labels=labels)
