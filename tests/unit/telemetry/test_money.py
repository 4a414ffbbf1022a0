"""What is shown of money."""

from datetime import UTC, datetime

import pytest

from otto.model.cost import Cost
from otto.model.host import Host
from otto.model.spec import Role
from otto.model.status import Phase, SiteStatus
from otto.telemetry.metrics import Metrics

AT = datetime(2026, 1, 1, tzinfo=UTC)
HOST = Host("acme-web-1", Role.WEB, "i-1", "10.0.0.1", "10.0.0.1", 22, "otto", 80, "")


@pytest.fixture
def metrics() -> Metrics:
    return Metrics()


def status(site: str, cost: Cost | None, currency: str = "EUR", *, hosts: bool = True) -> SiteStatus:
    made = (HOST,) if hosts else ()
    return SiteStatus(site, Phase.READY, AT, hosts=made, cost=cost, currency=currency if cost else "")


def value(metrics: Metrics, name: str, **labels: str) -> float | None:
    return metrics.registry.get_sample_value(name, labels)


def test_sites_and_the_fleet(metrics: Metrics) -> None:
    metrics.status(status("acme", Cost(0.018)))
    metrics.status(status("shop", Cost(0.03)))
    assert value(metrics, "otto_site_cost_per_hour", site="acme", currency="EUR") == 0.018
    assert value(metrics, "otto_fleet_cost_per_hour", currency="EUR") == pytest.approx(0.048)
    metrics.status(status("acme", Cost(0.006)))
    assert value(metrics, "otto_fleet_cost_per_hour", currency="EUR") == pytest.approx(0.036)


def test_what_nobody_knows_is_counted(metrics: Metrics) -> None:
    metrics.status(status("none", None))
    metrics.status(status("some", Cost(0.006, ("huge",))))
    metrics.status(status("all", Cost(0.006)))
    metrics.status(status("empty", None, hosts=False))
    assert value(metrics, "otto_sites_cost_unknown") == 2
    assert value(metrics, "otto_site_cost_per_hour", site="none", currency="EUR") is None
    assert value(metrics, "otto_fleet_cost_per_hour", currency="EUR") == 0.012


def test_budgets(metrics: Metrics) -> None:
    assert value(metrics, "otto_fleet_budget_used_ratio") is None
    metrics.site_budget("acme", 0.25)
    metrics.fleet_budget(1.5)
    assert value(metrics, "otto_site_budget_used_ratio", site="acme") == 0.25
    assert value(metrics, "otto_fleet_budget_used_ratio") == 1.5
    metrics.site_budget("acme", None)
    metrics.site_budget("never-told", None)
    metrics.fleet_budget(None)
    assert value(metrics, "otto_site_budget_used_ratio", site="acme") is None
    assert value(metrics, "otto_fleet_budget_used_ratio") is None


def test_orphans(metrics: Metrics) -> None:
    metrics.orphan_cost(Cost(0.012), "EUR")
    assert value(metrics, "otto_orphan_cost_per_hour", currency="EUR") == 0.012
    metrics.orphan_cost(Cost(), "")
    assert value(metrics, "otto_orphan_cost_per_hour", currency="EUR") is None


def test_a_gone_site_takes_its_money_with_it(metrics: Metrics) -> None:
    metrics.status(status("acme", Cost(0.018)))
    metrics.site_budget("acme", 0.25)
    metrics.site_gone("acme")
    names = [sample.name for family in metrics.registry.collect() for sample in family.samples]
    assert "otto_site_cost_per_hour" not in names
    assert "otto_fleet_cost_per_hour" not in names
    assert "otto_site_budget_used_ratio" not in names


def test_above_the_limit_only_the_fleet_is_shown() -> None:
    metrics = Metrics(site_limit=1)
    for site in ("acme", "shop"):
        metrics.status(status(site, Cost(0.018)))
        metrics.site_budget(site, 0.25)
    assert value(metrics, "otto_site_cost_per_hour", site="acme", currency="EUR") is None
    assert value(metrics, "otto_site_budget_used_ratio", site="acme") is None
    assert value(metrics, "otto_fleet_cost_per_hour", currency="EUR") == pytest.approx(0.036)
