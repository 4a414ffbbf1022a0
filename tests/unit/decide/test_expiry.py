"""When a site ends, as tables."""

from datetime import UTC, datetime, timedelta

import pytest

from otto.decide.expiry import Ending, Expiry, due_warnings, expiry, may_end
from otto.model.history import Grant, GrantKind
from otto.model.policy import FleetPolicy, LabelDefault, Policy
from otto.testing import site_spec

BORN = datetime(2026, 1, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)
FLEET = FleetPolicy(
    labels=(
        LabelDefault({"env": "test", "team": "web"}, 2 * 3600.0),
        LabelDefault({"env": "test"}, 8 * 3600.0),
        LabelDefault({"keep": "yes"}),
    )
)
TTL, UNTIL = Policy(ttl=4 * 3600.0), Policy(until=BORN + 30 * HOUR)
TEST = {"env": "test"}
# (policy, labels, born, hours after birth, where it comes from)
ENDS = [
    (Policy(), {}, BORN, None, None),
    (Policy(), {"keep": "yes"}, BORN, None, None),
    (TTL, {}, BORN, 4, Ending.TTL),
    (TTL, {}, None, None, None),
    (UNTIL, {}, BORN, 30, Ending.UNTIL),
    (UNTIL, {}, None, 30, Ending.UNTIL),
    (Policy(), TEST, BORN, 8, Ending.LABEL),
    (Policy(), TEST | {"team": "web"}, BORN, 2, Ending.LABEL),
    (Policy(), TEST | {"team": "shop"}, BORN, 8, Ending.LABEL),
    (Policy(), TEST, None, None, None),
    (TTL, TEST, BORN, 4, Ending.TTL),
    (UNTIL, TEST, BORN, 30, Ending.UNTIL),
    (UNTIL, TEST, None, 30, Ending.UNTIL),
]


def extend(hours: float, *, site: str = "acme", at: float = 0, by: str = "ada") -> Grant:
    return Grant(GrantKind.EXTEND, site, by, BORN + at * HOUR, BORN + hours * HOUR, "a demo")


@pytest.mark.parametrize(("policy", "labels", "born", "hours", "source"), ENDS)
def test_where_the_end_comes_from(
    policy: Policy, labels: dict[str, str], born: datetime | None, hours: int | None, source: Ending | None
) -> None:
    spec = site_spec("acme", policy=policy, labels=labels)
    end = expiry(spec, FLEET, born, (), BORN)
    assert (end and (end.at, end.source)) == (None if hours is None else (BORN + hours * HOUR, source))
    assert may_end(spec, FLEET) == (hours is not None or policy == TTL or labels == TEST)


# (grants, hours after birth at which the site ends, by whom moved)
EXTENSIONS = [
    ((), 4, ""),
    ((extend(6),), 6, "ada"),
    ((extend(3),), 4, ""),  # never to sooner
    ((extend(4),), 4, ""),
    ((extend(6), extend(5, by="bob", at=1)), 6, "ada"),
    ((extend(6), extend(7, by="bob", at=1)), 7, "bob"),
    ((extend(9, site="other"),), 4, ""),
    ((extend(9, site=""),), 4, ""),
    ((extend(9, at=3),), 4, ""),  # not said yet
    ((Grant(GrantKind.OVERRIDE, "acme", "ada", BORN, BORN + 9 * HOUR),), 4, ""),
    ((Grant(GrantKind.EXTEND, "acme", "ada", BORN),), 4, ""),
]


@pytest.mark.parametrize(("grants", "hours", "by"), EXTENSIONS)
def test_an_extension_moves_the_end_to_later(grants: tuple[Grant, ...], hours: int, by: str) -> None:
    end = expiry(site_spec("acme", policy=TTL), FLEET, BORN, grants, BORN + 2 * HOUR)
    assert end is not None
    assert (end.at, end.by) == (BORN + hours * HOUR, by)
    assert (end.source is Ending.EXTENDED) == bool(by)
    assert end.why.startswith("policy.ttl: 4h since 2026-01-01 00:00 UTC")
    assert (f"by {by}: a demo" in end.why) == bool(by)


def test_a_site_without_an_end_is_not_given_one_by_an_extension() -> None:
    assert expiry(site_spec("acme"), FLEET, BORN, (extend(6),), BORN) is None


def test_an_extension_counts_after_its_own_time_too() -> None:
    end = expiry(site_spec("acme", policy=TTL), FLEET, BORN, (extend(6),), BORN + 7 * HOUR)
    assert end is not None
    assert end.at == BORN + 6 * HOUR


WARNINGS = [
    (-7200, ()),
    (-3601, ()),
    (-3600, (3600.0,)),
    (-601, (3600.0,)),
    (-600, (3600.0, 600.0)),
    (-1, (3600.0, 600.0)),
    (0, ()),
    (60, ()),
]


@pytest.mark.parametrize(("seconds", "due"), WARNINGS)
def test_warnings_come_before_the_end(seconds: float, due: tuple[float, ...]) -> None:
    end = Expiry(BORN, Ending.TTL, "")
    assert (
        due_warnings(end, FleetPolicy(ttl_warnings=(600.0, 3600.0, 600.0)), BORN + timedelta(seconds=seconds))
        == due
    )
