"""What things cost, as people and programs read it."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime
from io import StringIO

import pytest
from rich.console import Console
from tests.unit.cli.conftest import Stage

from otto.cli import inspecting, money
from otto.model.cost import Cost, CostChange
from otto.model.host import Host
from otto.model.plan import Circumstances, Plan, Step, StepKind
from otto.model.spec import Role
from otto.model.status import Phase, SiteStatus
from otto.model.verdict import Allowed, Effect, Reason, Refused
from otto.reconcile.inspect import Inspection, Inspector
from otto.testing import World, site_spec

AT = datetime(2026, 1, 1, tzinfo=UTC)
HOST = Host("a-web-1", Role.WEB, "i-1", "10.0.0.1", "10.0.0.1", 22, "otto", 80, "")


@pytest.mark.parametrize(
    ("cost", "words"),
    [
        (Cost(), "EUR 0.00 an hour, EUR 0.00 a month"),
        (Cost(0.018), "EUR 0.018 an hour, EUR 13.14 a month"),
        (Cost(1.5), "EUR 1.50 an hour, EUR 1095.00 a month"),
        (Cost(0.1 * 3), "EUR 0.30 an hour, EUR 219.00 a month"),
        (Cost(0.0, ("huge", "odd")), "unknown: no price for size huge, odd"),
        (Cost(0.006, ("huge",)), "EUR 0.006 an hour, EUR 4.38 a month, and more: no price for size huge"),
    ],
)
def test_a_cost(cost: Cost, words: str) -> None:
    assert money.cost_words(cost, "EUR") == words


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (
            CostChange(Cost(0.018), Cost(0.024), 0.006),
            "EUR 0.018 -> EUR 0.024 an hour, EUR 13.14 -> EUR 17.52 a month",
        ),
        (
            CostChange(Cost(0.018), Cost(0.018)),
            "EUR 0.018 an hour, EUR 13.14 a month; as before",
        ),
        (
            CostChange(Cost(), Cost(0.006, ("huge",)), 0.006, "USD", ("huge",)),
            "USD 0.00 -> USD 0.006 an hour, USD 0.00 -> USD 4.38 a month, and more: no price for size huge",
        ),
    ],
)
def test_a_change_of_cost(change: CostChange, words: str) -> None:
    assert money.change_words(change) == words


def status(site: str, cost: Cost | None, *, hosts: bool = True) -> SiteStatus:
    return SiteStatus(
        site,
        Phase.READY,
        AT,
        hosts=(HOST,) if hosts else (),
        provider="lab",
        cost=cost,
        currency="EUR" if cost else "",
    )


@pytest.mark.parametrize(
    ("one", "words"),
    [
        (status("a", Cost(0.018)), "EUR 0.018 an hour, EUR 13.14 a month"),
        (status("a", None), "unknown: no price table for lab"),
        (status("a", None, hosts=False), ""),
    ],
)
def test_a_site(one: SiteStatus, words: str) -> None:
    assert money.site_words(one) == words


def test_all_sites_together() -> None:
    sites = [status("a", Cost(0.1)), status("b", Cost(0.2)), status("gone", None, hosts=False)]
    assert money.fleet_words(sites) == "EUR 0.30 an hour, EUR 219.00 a month"
    more = [*sites, status("c", None), status("d", Cost(0.0, ("huge",)))]
    assert money.fleet_words(more) == "EUR 0.30 an hour, EUR 219.00 a month; not known in full of c, d"
    assert money.fleet_words([status("c", None)]) == money.fleet_words([]) == ""


def test_status_shows_what_each_site_and_all_of_them_cost(stage: Stage) -> None:
    stage.world.push(site_spec(), site_spec("shop"))
    assert stage.otto("reconcile", "acme", "shop").exit_code == 0
    for name, hourly in (("acme", 0.018), ("shop", 0.03)):
        known = asyncio.run(stage.world.store.status(name))
        assert known is not None
        asyncio.run(stage.world.store.save_status(replace(known, cost=Cost(hourly), currency="EUR")))
    assert "cost of all: EUR 0.048 an hour, EUR 35.04 a month" in stage.otto("status").stdout
    one = stage.otto("status", "acme").stdout
    assert "EUR 0.018 an hour, EUR 13.14 a month" in one
    assert "cost of all" not in one


async def shown(about: Circumstances, verdict: Allowed | Refused) -> str:
    world = World()
    world.push(site_spec())
    inspector = Inspector(world.kit())
    await inspector.load()
    seen = await inspector.differences("acme")
    plan = Plan("acme", seen.desired.digest, (Step(StepKind.VERIFY),), about)
    inspection = Inspection(seen.desired, seen.observed, seen.differences, plan, verdict)
    console = Console(file=StringIO(), width=200)
    for part in inspecting.plan(inspection):
        console.print(part)
    assert isinstance(console.file, StringIO)
    return console.file.getvalue()


async def test_a_plan_shows_its_cost_and_what_is_warned_of() -> None:
    about = Circumstances(cost=CostChange(Cost(0.018), Cost(0.024), 0.006))
    warning = Reason("guard.budget.warn", "84% of the budget is used", effect=Effect.WARN)
    told = await shown(about, Allowed((warning,)))
    assert "cost: EUR 0.018 -> EUR 0.024 an hour, EUR 13.14 -> EUR 17.52 a month" in told
    assert "84% of the budget is used  [guard.budget.warn]" in told
    assert "to go on" not in told


async def test_a_refused_plan_shows_what_stands_behind() -> None:
    first = Reason("guard.protect", "the site is protected", "two commits", Effect.REFUSE)
    then = Reason("guard.window", "the window is closed", "wait", Effect.WAIT)
    lines = (await shown(Circumstances(), Refused((first,), (then,)))).splitlines()
    assert "cost:" not in "".join(lines)
    assert [line.strip() for line in lines[-5:]] == [
        "guard: refused",
        "the site is protected  [guard.protect]",
        "to go on: two commits",
        "after that:",
        "the window is closed  [guard.window]",
    ]
