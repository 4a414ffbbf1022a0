"""What hosts cost, what a plan makes of it, and what was spent in a month."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta, timezone
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from otto.decide.costing import (
    change,
    cost_of,
    cost_of_live,
    month,
    sized,
    spending,
    total,
    used,
    wanted_sizes,
)
from otto.model.cost import Cost, CostChange, PriceTable
from otto.model.history import Charge
from otto.model.host import HostState, LiveHost
from otto.model.plan import Action, ActionKind
from otto.model.policy import Budget
from otto.model.spec import HostGroup
from otto.testing import site_spec

TABLE = PriceTable("lab", "EUR", {"small": 0.006, "medium": 0.012, "large": 0.024})
MAY = datetime(2026, 5, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)


def at(hours: float, start: datetime = MAY) -> datetime:
    return start + hours * HOUR


@pytest.mark.parametrize(
    ("hosts", "hourly", "unknown"),
    [
        ({}, 0.0, ()),
        ({"small": 2, "large": 1}, 0.036, ()),
        ({"small": 0, "huge": 0}, 0.0, ()),
        ({"small": 1, "huge": 2, "": 1}, 0.006, ("?", "huge")),
    ],
)
def test_what_hosts_cost(hosts: dict[str, int], hourly: float, unknown: tuple[str, ...]) -> None:
    cost = cost_of(hosts, TABLE)
    assert cost.hourly == pytest.approx(hourly)
    assert cost.unknown == unknown


def test_without_a_table_no_price_is_known() -> None:
    assert cost_of({"small": 1}, None) == Cost(0.0, ("small",))


def test_ten_times_a_tenth_is_one() -> None:
    assert total([Cost(0.1)] * 10) == Cost(1.0)


def test_orphans_of_several_providers() -> None:
    hosts = [
        LiveHost("1", "a-web-1", "a", "web", HostState.STOPPED, size="small", provider="lab"),
        LiveHost("2", "a-web-2", "a", "web", HostState.RUNNING, size="small", provider="aws"),
        LiveHost("3", "a-web-3", "a", "web", HostState.RUNNING, provider="lab"),
    ]
    assert cost_of_live(hosts, {"lab": TABLE}) == Cost(0.006, ("?", "small"))


def test_sizes_of_hosts() -> None:
    spec = site_spec("a", web=HostGroup(2, "large", "base"))
    wanted = {"a-web-1": "large", "a-web-2": "large", "a-balancer-1": "small"}
    assert wanted_sizes(spec) == wanted
    roles = {"a-web-1": "web", "a-web-2": "web", "a-balancer-1": "balancer"}
    assert sized(roles, {"web": "large", "balancer": "small"}) == wanted
    assert sized({"a-web-1": "web"}, {}) == {"a-web-1": ""}


THERE = {"a-web-1": "small", "a-web-2": "small", "a-balancer-1": "small"}


def act(kind: ActionKind, host: str) -> Action:
    return Action(f"lab_host.hosts[{host!r}]", kind, host=host)


@pytest.mark.parametrize(
    ("kind", "host", "size", "added", "after"),
    [
        pytest.param(ActionKind.CREATE, "a-web-3", "medium", 0.012, 0.030, id="one more"),
        pytest.param(ActionKind.UPDATE, "a-web-1", "large", 0.018, 0.036, id="enlarged"),
        pytest.param(ActionKind.REPLACE, "a-web-1", "large", 0.018, 0.036, id="replaced by a larger one"),
        pytest.param(ActionKind.UPDATE, "a-web-1", "small", 0.0, 0.018, id="changed otherwise"),
        pytest.param(ActionKind.REPLACE, "a-web-1", "small", 0.0, 0.018, id="replaced by the same"),
        pytest.param(ActionKind.REPAIR, "a-web-1", "small", 0.0, 0.018, id="repaired"),
        pytest.param(ActionKind.REPAIR, "a-web-1", "medium", 0.006, 0.024, id="repaired and enlarged"),
        pytest.param(ActionKind.REPAIR, "a-web-9", "small", 0.0, 0.024, id="repaired though forgotten"),
        pytest.param(ActionKind.IMPORT, "a-web-9", "large", 0.0, 0.042, id="taken into the state"),
        pytest.param(ActionKind.SCALE_IN, "a-web-2", "", 0.0, 0.012, id="one fewer"),
        pytest.param(ActionKind.DESTROY, "a-web-2", "small", 0.0, 0.012, id="destroyed"),
        pytest.param(ActionKind.DESTROY, "never-there", "", 0.0, 0.018, id="destroyed though not there"),
        pytest.param(ActionKind.UPDATE, "", "", 0.0, 0.018, id="no host"),
    ],
)
def test_what_a_plan_adds(kind: ActionKind, host: str, size: str, added: float, after: float) -> None:
    wanted = THERE | ({host: size} if size else {})
    found = change(THERE, wanted, [act(kind, host)], TABLE)
    assert found.before.hourly == pytest.approx(0.018)
    assert found.after.hourly == pytest.approx(after)
    assert found.added == pytest.approx(added)
    assert (found.unknown, found.currency) == ((), "EUR")


def test_a_smaller_host_makes_no_room_for_a_new_one() -> None:
    there = {"a-web-1": "large"}
    wanted = {"a-web-1": "small", "a-web-2": "small"}
    actions = [act(ActionKind.UPDATE, "a-web-1"), act(ActionKind.CREATE, "a-web-2")]
    found = change(there, wanted, actions, TABLE)
    assert found.added == pytest.approx(0.006)
    assert found.after.hourly == pytest.approx(0.012)


def test_only_what_the_plan_adds_has_to_have_a_price() -> None:
    there = {"a-web-1": "odd", "a-web-2": ""}
    assert change(there, there, [], TABLE) == CostChange(Cost(0.0, ("?", "odd")), Cost(0.0, ("?", "odd")))
    found = change(there, there | {"a-web-3": "huge"}, [act(ActionKind.CREATE, "a-web-3")], TABLE)
    assert (found.added, found.unknown) == (0.0, ("huge",))
    assert found.after.unknown == ("?", "huge", "odd")


def test_from_an_unknown_price_to_a_known_one_all_of_it_is_added() -> None:
    found = change({"a-web-1": "odd"}, {"a-web-1": "small"}, [act(ActionKind.UPDATE, "a-web-1")], TABLE)
    assert (found.added, found.unknown) == (0.006, ())


HOSTS = st.sampled_from([f"a-web-{n}" for n in range(6)])
SIZES = st.sampled_from(["small", "medium", "large", "odd"])
ACTIONS = st.lists(st.builds(act, st.sampled_from(ActionKind), HOSTS), unique_by=lambda a: a.host)


@given(st.dictionaries(HOSTS, SIZES), st.dictionaries(HOSTS, SIZES), ACTIONS, HOSTS)
def test_deleting_more_never_costs_less(
    there: dict[str, str], wanted: dict[str, str], actions: list[Action], host: str
) -> None:
    found = change(there, wanted, actions, TABLE)
    others = [action for action in actions if action.host != host]
    fewer = change(there, wanted, others, TABLE)
    more = change(there, wanted, [*others, act(ActionKind.DESTROY, host)], TABLE)
    assert more.added == fewer.added <= found.added
    assert set(more.unknown) <= set(found.unknown)


def test_what_is_spent() -> None:
    charges = [
        Charge("a", at(-100), 1.0),
        Charge("a", at(10), 3.0),
        Charge("b", at(5), 0.5),
        Charge("gone", at(-5), 2.0),
        Charge("gone", at(1), 0.0),
    ]
    found = spending(charges, "a", at(12), "USD")
    assert found.spent == 10 * 1.0 + 2 * 3.0
    assert found.hourly == 3.0
    assert found.fleet_spent == 16 + 7 * 0.5 + 1 * 2.0
    assert found.fleet_hourly == 3.5
    assert (found.hours_left, found.currency, found.unknown) == (31 * 24 - 12, "USD", ())


def test_a_site_that_was_never_charged_spends_nothing() -> None:
    found = spending([Charge("a", at(0), 1.0)], "b", at(2))
    assert (found.spent, found.hourly, found.fleet_spent) == (0, 0, 2)


def test_what_nobody_knows_counts_nothing_and_is_named() -> None:
    charges = [
        Charge("now", at(1), None),
        Charge("earlier", at(1), None),
        Charge("earlier", at(2), 1.0),
        Charge("last-month", at(-9), None),
        Charge("last-month", at(-1), 1.0),
        Charge("just-now", at(4), None),
        Charge("for-no-time", at(2), None),
        Charge("for-no-time", at(2), 1.0),
    ]
    found = spending(charges, "now", at(4))
    assert (found.spent, found.hourly) == (0, 0)
    assert found.unknown == ("earlier", "just-now", "now")
    assert found.fleet_spent == 2 + 4 + 2


def test_what_lies_ahead_does_not_count_yet() -> None:
    found = spending([Charge("a", at(0), 1.0), Charge("a", at(3), 9.0), Charge("b", at(3), None)], "a", at(2))
    assert (found.spent, found.hourly, found.unknown) == (2.0, 1.0, ())


@pytest.mark.parametrize(
    ("now", "begin", "end"),
    [
        (MAY, (2026, 5), (2026, 6)),
        (MAY - timedelta(microseconds=1), (2026, 4), (2026, 5)),
        (datetime(2026, 12, 31, 23, 59, tzinfo=UTC), (2026, 12), (2027, 1)),
        (datetime(2028, 2, 29, 12, tzinfo=UTC), (2028, 2), (2028, 3)),
        (datetime(2026, 5, 1, 1, tzinfo=timezone(2 * HOUR)), (2026, 4), (2026, 5)),
    ],
)
def test_months_are_those_of_utc(now: datetime, begin: tuple[int, int], end: tuple[int, int]) -> None:
    assert month(now) == (datetime(*begin, 1, tzinfo=UTC), datetime(*end, 1, tzinfo=UTC))


@pytest.mark.parametrize(("year", "days"), [(2027, 28), (2028, 29), (2100, 28)])
def test_a_leap_day_is_paid_for(year: int, days: int) -> None:
    last = datetime(year, 3, 1, tzinfo=UTC) - HOUR
    found = spending([Charge("a", datetime(year, 1, 1, tzinfo=UTC), 1.0)], "a", last)
    assert (found.spent, found.hours_left) == (days * 24 - 1, 1)


def test_the_month_begins_with_nothing_spent() -> None:
    assert spending([Charge("a", at(-100), 1.0)], "a", MAY).spent == 0


@pytest.mark.parametrize(
    ("spent", "budget", "ratio"),
    [
        (5.0, None, None),
        (5.0, Budget(20.0), 0.25),
        (30.0, Budget(20.0), 1.5),
        (0.0, Budget(0.0), 1.0),
        (0.1, Budget(0.0), float("inf")),
    ],
)
def test_how_much_of_a_budget_is_used(spent: float, budget: Budget | None, ratio: float | None) -> None:
    assert used(spent, budget) == ratio


PRICES = st.sampled_from([0.006, 0.1, 1 / 3, 7.0, None])
CHARGES = st.lists(
    st.builds(
        Charge,
        st.sampled_from(["a", "b"]),
        st.floats(-2000, 2000).map(at),
        PRICES,
    ),
    max_size=8,
    unique_by=lambda charge: charge.at,
)
TIMES = st.floats(-500, 2000).map(at)


@given(CHARGES, TIMES, st.lists(st.floats(-2000, 2000).map(at), max_size=6))
def test_splitting_an_interval_changes_nothing(
    charges: Sequence[Charge], now: datetime, cuts: Sequence[datetime]
) -> None:
    split = list(charges)
    for cut in cuts:
        for site in ("a", "b"):
            before = [item for item in split if item.site == site and item.at <= cut]
            if before:
                latest = max(before, key=lambda item: item.at)
                split.append(Charge(site, cut, latest.hourly))
    assert spending(split, "a", now) == spending(charges, "a", now)


@given(CHARGES, TIMES, st.floats(0, 700))
def test_time_only_adds(charges: Sequence[Charge], now: datetime, hours: float) -> None:
    begin, end = month(now)
    later = min(now + hours * HOUR, end - timedelta(microseconds=1))
    first, second = spending(charges, "a", now), spending(charges, "a", later)
    assert first.spent <= second.spent + 1e-9
    assert first.hours_left >= second.hours_left > 0
    assert second.fleet_spent >= second.spent - 1e-9
    assert second.spent <= 7.0 * ((later - begin) / HOUR) + 1e-9


@given(st.lists(st.floats(0.001, 743), min_size=1, max_size=200, unique=True))
def test_hundreds_of_intervals_do_not_drift(hours: list[float]) -> None:
    times = [MAY, *sorted(at(hour) for hour in hours), at(743.5)]
    charges = [Charge("a", time, (0.1, 0.3)[n % 2]) for n, time in enumerate(times[:-1])]
    exact = sum(
        Fraction(charge.hourly or 0.0) * Fraction((end - charge.at) / timedelta.resolution)
        for charge, end in zip(charges, times[1:], strict=True)
    ) / Fraction(HOUR / timedelta.resolution)
    assert spending(charges, "a", times[-1]).spent == pytest.approx(float(exact), rel=1e-15, abs=0)
