"""Change windows: tables with the nights of the clock change, and properties against a plain reading."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from otto.decide.windows import all_open_at, next_change, next_change_of_all, open_at
from otto.model.policy import Window, Windows

MINUTE = timedelta(minutes=1)
BERLIN = "Europe/Berlin"


def allow(cron: str, lasts: float, zone: str = "UTC") -> Window:
    return Window(allow=True, cron=cron, lasts=lasts, timezone=zone)


def deny(cron: str, lasts: float, zone: str = "UTC") -> Window:
    return Window(allow=False, cron=cron, lasts=lasts, timezone=zone)


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def stretches(windows: Windows, start: str, end: str) -> list[tuple[str, str]]:
    """Within that time, the stretches in which changes are allowed, found minute by minute."""
    at, found, begun = utc(start), [], ""
    while at <= utc(end):
        here = f"{at:%dT%H:%M}"
        if open_at(windows, at) and not begun:
            begun = here
        elif not open_at(windows, at) and begun:
            found.append((begun, here))
            begun = ""
        at += MINUTE
    return [*found, (begun, "")] if begun else found


HOUR, DAY = 3600.0, 86400.0
NIGHT = allow("0 22 * * *", 8 * HOUR, BERLIN)
# (windows, from, to, stretches in which changes are allowed), all in UTC
TABLE = [
    ((), "2026-01-01T00:00", "2026-01-01T03:00", [("01T00:00", "")]),
    ((allow("0 1 * * *", HOUR),), "2026-01-01T00:00", "2026-01-01T05:00", [("01T01:00", "01T02:00")]),
    (
        (deny("0 1 * * *", HOUR),),
        "2026-01-01T00:30",
        "2026-01-01T03:00",
        [("01T00:30", "01T01:00"), ("01T02:00", "")],
    ),
    # a deny window cuts a piece out of an allow window
    (
        (allow("0 1 * * *", 3 * HOUR), deny("30 1 * * *", HOUR)),
        "2026-01-01T00:00",
        "2026-01-01T05:00",
        [("01T01:00", "01T01:30"), ("01T02:30", "01T04:00")],
    ),
    # overlapping and back to back
    (
        (allow("0 1 * * *", HOUR), allow("30 1 * * *", HOUR), allow("30 2 * * *", HOUR)),
        "2026-01-01T00:00",
        "2026-01-01T05:00",
        [("01T01:00", "01T03:30")],
    ),
    # longer than its period
    (
        (allow("0 0 * * 1-5", 2 * DAY),),
        "2026-01-03T20:00",
        "2026-01-05T02:00",
        [("03T20:00", "04T00:00"), ("05T00:00", "")],
    ),
    ((allow("* * * * *", 60),), "2026-03-29T00:00", "2026-03-29T03:00", [("29T00:00", "")]),
    # a window over midnight, and one that began before the day on which it is asked
    ((allow("0 22 31 12 *", 4 * HOUR),), "2026-12-31T21:00", "2027-01-01T03:00", [("31T22:00", "01T02:00")]),
    # either day will do when both are named
    ((allow("0 3 13 * fri", HOUR),), "2026-02-13T02:00", "2026-02-13T05:00", [("13T03:00", "13T04:00")]),
    ((allow("0 3 13 * fri", HOUR),), "2026-02-20T02:00", "2026-02-20T05:00", [("20T03:00", "20T04:00")]),
    # the night in which clocks are put forward at 01:00 UTC: 22:00 to 06:00 on the wall is seven hours
    ((NIGHT,), "2026-03-28T20:00", "2026-03-29T08:00", [("28T21:00", "29T04:00")]),
    # the night in which they are put back at 01:00 UTC: nine hours
    ((NIGHT,), "2026-10-24T18:00", "2026-10-25T08:00", [("24T20:00", "25T05:00")]),
    # 02:30 does not come: at the jump, for its whole length
    (
        (allow("30 2 * * *", 0.5 * HOUR, BERLIN),),
        "2026-03-29T00:00",
        "2026-03-29T04:00",
        [("29T01:00", "29T01:30")],
    ),
    (
        (deny("30 2 * * *", 0.5 * HOUR, BERLIN),),
        "2026-03-29T00:00",
        "2026-03-29T02:00",
        [("29T00:00", "29T01:00"), ("29T01:30", "")],
    ),
    # a window that ends in the hour that does not come ends at the jump
    (
        (allow("30 1 * * *", HOUR, BERLIN),),
        "2026-03-29T00:00",
        "2026-03-29T04:00",
        [("29T00:30", "29T01:00")],
    ),
    # 02:30 comes twice: the first one counts
    ((allow("30 2 * * *", 600, BERLIN),), "2026-10-25T00:00", "2026-10-25T04:00", [("25T00:30", "25T00:40")]),
    (
        (allow("30 1 * * *", HOUR, BERLIN),),
        "2026-10-24T23:00",
        "2026-10-25T04:00",
        [("24T23:30", "25T00:30")],
    ),
    # from hour to hour there is no gap, whatever the clocks do
    ((deny("0 * * * *", HOUR, BERLIN),), "2026-03-28T22:00", "2026-03-29T06:00", []),
    ((deny("0 * * * *", HOUR, BERLIN),), "2026-10-24T22:00", "2026-10-25T06:00", []),
    ((deny("0 0 * * *", DAY, BERLIN),), "2026-10-24T20:00", "2026-10-26T02:00", []),
    # a zone whose clocks move by half an hour, at 15:00 UTC
    (
        (allow("10 2 * * *", HOUR, "Australia/Lord_Howe"),),
        "2026-10-03T14:00",
        "2026-10-03T18:00",
        [("03T15:30", "03T16:30")],
    ),
    # a zone that left out a whole day, the 30th: it opens when the 31st begins, with that day's own window
    (
        (allow("0 12 30 12 *", HOUR, "Pacific/Apia"),),
        "2011-12-30T08:00",
        "2011-12-30T13:00",
        [("30T10:00", "30T11:00")],
    ),
]


@pytest.mark.parametrize(("windows", "start", "end", "wanted"), TABLE)
def test_open_as_the_clock_on_the_wall_says(
    windows: tuple[Window, ...], start: str, end: str, wanted: list[tuple[str, str]]
) -> None:
    assert stretches(Windows(windows), start, end) == wanted


CHANGES = [
    ((), "2026-01-01T00:00", None),
    ((allow("* * * * *", 60),), "2026-01-01T00:00", None),
    ((allow("0 0 * * *", DAY, BERLIN),), "2026-01-01T00:00", None),
    ((deny("0 0 * * *", DAY, BERLIN),), "2026-01-01T00:00", None),
    ((allow("0 0 1 1 *", DAY),), "2026-01-02T00:00", "2027-01-01T00:00"),
    ((allow("0 0 29 2 *", DAY),), "2026-01-02T00:00", None),
    ((allow("0 0 29 2 *", DAY),), "2028-02-01T00:00", "2028-02-29T00:00"),
    ((allow("0 22 * * mon-fri", 8 * HOUR),), "2026-11-28T12:00", "2026-11-30T22:00"),
    ((allow("0 22 * * mon-fri", 8 * HOUR),), "2026-11-30T22:00", "2026-12-01T06:00"),
    ((deny("0 0 20 12 *", 14 * DAY),), "2026-12-21T12:00", "2027-01-03T00:00"),
    # touching windows are one
    ((allow("0 0 * * 1-5", DAY),), "2026-11-30T12:00", "2026-12-05T00:00"),
    ((allow("* * * * 1-5", 60),), "2026-11-30T12:00", "2026-12-05T00:00"),
    # an allow window that is open makes nothing of a deny window which is open longer
    ((allow("*/2 * * * *", 60), deny("0 0 1 1 *", 30 * DAY)), "2026-01-01T00:00", "2026-01-31T00:00"),
]


@pytest.mark.parametrize(("windows", "now", "wanted"), CHANGES)
def test_the_next_change(windows: tuple[Window, ...], now: str, wanted: str | None) -> None:
    assert next_change(Windows(windows), utc(now)) == (utc(wanted) if wanted else None)


def test_several_policies_have_to_agree() -> None:
    site, fleet = Windows((allow("0 1 * * *", 3 * HOUR),)), Windows((allow("0 3 * * *", 3 * HOUR),))
    assert not all_open_at((site, fleet), utc("2026-01-01T02:00"))
    assert all_open_at((site, fleet), utc("2026-01-01T03:30"))
    assert next_change_of_all((site, fleet), utc("2026-01-01T02:00")) == utc("2026-01-01T03:00")
    assert next_change_of_all((site, fleet), utc("2026-01-01T03:00")) == utc("2026-01-01T04:00")
    assert all_open_at((), utc("2026-01-01T02:00"))
    assert next_change_of_all((), utc("2026-01-01T02:00")) is None


def test_windows_that_flip_for_ever_are_not_followed_to_the_end() -> None:
    even, odd = allow("*/2 * * * *", 60), allow("1-59/2 * * * *", 60)
    now = utc("2026-01-01T00:00")
    found = next_change(Windows((even, odd)), now)
    assert found is not None
    assert found > now + timedelta(minutes=30)
    assert open_at(Windows((even, odd)), found)


def test_seconds_count() -> None:
    windows = Windows((allow("0 1 * * *", 90),))
    assert open_at(windows, utc("2026-01-01T01:01:29"))
    assert not open_at(windows, utc("2026-01-01T01:01:30"))
    assert next_change(windows, utc("2026-01-01T01:00:30.5")) == utc("2026-01-01T01:01:30")


# Clocks that stand still through the year, so that a window is easily read another way: minute by minute.
minutes = st.sampled_from(["0", "*/15", "5,35", "10-20/5"])
hours = st.sampled_from(["*", "2", "0-6", "22-2", "*/6", "1,13"])
month_days = st.sampled_from(["*", "1", "31", "28-31", "*/7", "13"])
months = st.sampled_from(["*", "2", "nov-jan", "*/3"])
weekdays = st.sampled_from(["*", "mon-fri", "sat,sun", "6-7", "3-7/2", "5"])
expressions = (
    st.tuples(minutes, hours, month_days, months, weekdays)
    .filter(lambda fields: fields[2:] != ("31", "2", "*"))  # which never comes
    .map(" ".join)
)
lengths = st.sampled_from([300.0, 1800.0, HOUR, 5 * HOUR, DAY, 2.5 * DAY])
zones = st.sampled_from(["UTC", BERLIN, "America/St_Johns", "Australia/Lord_Howe"])
windows_of = st.builds(Window, st.booleans(), expressions, lengths, zones)
policies_of = st.lists(windows_of, max_size=3).map(lambda found: Windows(tuple(found)))
moments = st.datetimes(datetime(2026, 1, 1), datetime(2027, 12, 31), timezones=st.just(UTC))  # noqa: DTZ001
in_autumn = st.datetimes(datetime(2026, 10, 24), datetime(2026, 10, 26), timezones=st.just(UTC))  # noqa: DTZ001
in_spring = st.datetimes(datetime(2026, 3, 28), datetime(2026, 3, 30), timezones=st.just(UTC))  # noqa: DTZ001


@given(st.lists(policies_of, min_size=1, max_size=2), moments | in_autumn | in_spring, st.data())
@settings(deadline=None, max_examples=60)
def test_the_next_change_is_the_first_one(
    policies: list[Windows], now: datetime, data: st.DataObject
) -> None:
    was, change = all_open_at(policies, now), next_change_of_all(policies, now)
    if change is not None:
        assert change > now
        # What flips for ever under the cover of something else is not followed to the end.
        assert all_open_at(policies, change) != was or change - now > timedelta(hours=6)
    end = change or now + timedelta(days=366)
    within = st.floats(0, (end - now).total_seconds(), exclude_max=change is not None)
    near = st.floats(0, min(3 * HOUR, (end - now).total_seconds()), exclude_max=change is not None)
    for share in data.draw(st.lists(within | near, max_size=20)):
        at = now + timedelta(seconds=share)
        assert at >= end or all_open_at(policies, at) == was


NAMES = {"mon": 1, "fri": 5, "sat": 6, "sun": 0, "nov": 11, "jan": 1}


def _number(text: str) -> int:
    return NAMES[text] if text in NAMES else int(text)


def _values(field: str, low: int, high: int) -> set[int]:
    found = set()
    for item in field.split(","):
        body, _, step = item.partition("/")
        first, _, last = body.partition("-")
        begin, end = (low, high) if body == "*" else (_number(first), _number(last or first))
        run = [*range(begin, end + 1)] if begin <= end else [*range(begin, high + 1), *range(low, end + 1)]
        found |= set(run[:: int(step or 1)])
    return found


def _begins(expression: str, wall: datetime) -> bool:
    minute, hour, day, month, weekday = expression.split()
    on_day = wall.day in _values(day, 1, 31)
    on_weekday = {wall.isoweekday(), wall.isoweekday() % 7} & _values(weekday, 0, 6)
    days = on_day or on_weekday if "*" not in (day, weekday) else on_day and on_weekday
    right = wall.minute in _values(minute, 0, 59) and wall.hour in _values(hour, 0, 23)
    return bool(right and wall.month in _values(month, 1, 12) and days)


@given(expressions, st.sampled_from([300.0, 1800.0, 5 * HOUR]), moments)
@settings(deadline=None, max_examples=60)
def test_open_is_what_a_plain_reading_of_the_expression_says(cron: str, lasts: float, now: datetime) -> None:
    at, plain = now.replace(second=0, microsecond=0), False
    while now - at < timedelta(seconds=lasts) and not plain:
        plain = _begins(cron, at)
        at -= MINUTE
    assert open_at(Windows((allow(cron, lasts),)), now) == plain


@given(expressions, lengths, moments | in_autumn | in_spring)
@settings(deadline=None, max_examples=60)
def test_denied_is_what_is_not_allowed(cron: str, lasts: float, now: datetime) -> None:
    allowed, denied = Windows((allow(cron, lasts, BERLIN),)), Windows((deny(cron, lasts, BERLIN),))
    assert open_at(allowed, now) != open_at(denied, now)
    assert next_change(allowed, now) == next_change(denied, now)


@given(
    st.sampled_from(["0 22 * * *", "15 1 * * *", "30 2 * * sun"]), lengths, moments | in_autumn | in_spring
)
@settings(deadline=None, max_examples=60)
def test_away_from_the_clock_change_a_window_goes_by_the_wall(cron: str, lasts: float, now: datetime) -> None:
    wall = now.astimezone(ZoneInfo(BERLIN)).replace(tzinfo=None)
    offsets = {(now + timedelta(hours=h)).astimezone(ZoneInfo(BERLIN)).utcoffset() for h in range(-85, 5)}
    assume(len(offsets) == 1)
    here, there = Windows((allow(cron, lasts, BERLIN),)), Windows((allow(cron, lasts),))
    assert open_at(here, now) == open_at(there, wall.replace(tzinfo=UTC))
