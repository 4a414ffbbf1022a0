"""Cron expressions: five fields, read strictly, turned into the days and the times of day they name.

The library croniter does the reading. Its own arithmetic with time zones is not used (see
`otto.decide.windows`), and of its many extensions nothing: `R` draws lots, `5-5` means every value, `0-5`
lets the day 0 through and then falls on the last day of a month (croniter 7.0, `_expand`), a sixth field is
seconds. What people write in a spec is minutes, hours and days, so the form is checked here first.
"""

import copy
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import lru_cache
from typing import Any

from croniter import croniter

from otto.model.errors import UsageError

MINUTE = 60
HOUR = 3600
_EXAMPLE = "write it like 0 22 * * mon-fri: minute, hour, day of the month, month, day of the week"
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_DAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
_ITEM = re.compile(r"(?:\*|(\d{1,2}|[a-z]{3})(?:-(\d{1,2}|[a-z]{3}))?)(?:/(\d{1,2}))?", re.ASCII)
_LONGEST = 100
# 29 February comes back after eight years at the most (1896, 1904; 2096, 2104).
_YEARS = 9
_BASE = date(2000, 1, 1)


@dataclass(frozen=True, slots=True)
class _Field:
    name: str
    low: int
    high: int
    words: Sequence[str] = ()

    def number(self, text: str) -> int:
        """The value a number or a name stands for, -1 for none."""
        if text.isdigit():
            value = int(text)
        else:
            value = self.words.index(text) + self.low if text in self.words else -1
        return value if self.low <= value <= self.high else -1


_FIELDS = (
    _Field("minute", 0, 59),
    _Field("hour", 0, 23),
    _Field("day of the month", 1, 31),
    _Field("month", 1, 12, _MONTHS),
    _Field("day of the week", 0, 7, _DAYS),
)


class Cron:
    """When something begins, by a clock on the wall: on some days, at the same times of each.

    Attributes:
        times: seconds since midnight, ascending.
        daily: whether it is every day.
    """

    def __init__(self, text: str) -> None:
        _check(text)
        fields = text.lower().split()
        expanded, _ = croniter.expand(text)
        minutes, hours = _values(expanded[0], MINUTE), _values(expanded[1], 24)
        self.times = tuple(HOUR * hour + MINUTE * minute for hour in hours for minute in minutes)
        self.daily = all(expanded[field] == ["*"] for field in (2, 3, 4))
        days = " ".join(("0", "0", *fields[2:]))
        self._days = croniter(days, _midnight(_BASE), max_years_between_matches=_YEARS)
        next(self.days(_BASE))

    def days(self, start: date) -> Iterator[date]:
        """Its days from `start` on."""
        return self._walk(start - timedelta(days=1), "get_next")

    def days_before(self, end: date) -> Iterator[date]:
        """Its days up to `end`, backwards."""
        return self._walk(end + timedelta(days=1), "get_prev")

    def _walk(self, start: date, step: str) -> Iterator[date]:
        # A croniter remembers where it is, so each walk has one of its own.
        walker: Any = copy.copy(self._days)
        walker.set_current(_midnight(start))
        while True:
            yield getattr(walker, step)(datetime).date()


@lru_cache(maxsize=1024)
def read(text: str) -> Cron:
    """Read an expression; the same text is read once.

    Raises:
        UsageError: it is none; the message says which field, and how to write it.
    """
    try:
        return Cron(text)
    except ValueError as error:  # croniter's errors are ValueErrors
        raise UsageError(f"{text[:_LONGEST]!r} never comes", mend="name a day that its month has") from error


def following(cron: Cron, now: datetime) -> datetime:
    """The next time after `now` that an expression names, by the clock of UTC."""
    for day in cron.days(now.date()):
        for seconds in cron.times:
            at = datetime.combine(day, time(), now.tzinfo) + timedelta(seconds=seconds)
            if at > now:
                return at
    raise UsageError("a cron expression never comes")  # none does: `read` has looked


def _midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day)  # noqa: DTZ001  (by a clock on a wall)


def _values(field: Sequence[Any], count: int) -> Sequence[int]:
    return range(count) if field == ["*"] else sorted(field)


def _check(text: str) -> None:
    fields = [field for field in text.lower().split(" ") if field]
    if len(fields) != len(_FIELDS) or len(text) > _LONGEST:
        raise UsageError("a cron expression has five fields", mend=_EXAMPLE)
    for known, written in zip(_FIELDS, fields, strict=True):
        for item in written.split(","):
            wrong = _wrong(known, item)
            if wrong:
                raise UsageError(f"{item[:20]!r} is no {known.name}: {wrong}", mend=_EXAMPLE)


def _wrong(field: _Field, item: str) -> str:
    """What is wrong with one item of a field, "" when nothing is."""
    match = _ITEM.fullmatch(item)
    if match is None:
        return "a number, a range as 1-5, * for all, each with a step as */2 if you like"
    first, last, step = match.groups()
    numbers = [field.number(part) for part in (first, last) if part]
    if -1 in numbers:
        names = f", or {field.words[0]} to {field.words[-1]}" if field.words else ""
        return f"{field.low} to {field.high}{names}"
    if len(set(numbers)) < len(numbers):
        return "a range has two ends"
    if step is None:
        return ""
    # croniter reads 7/2 as every second day from Sunday on, others as Sunday alone.
    return "a step follows * or a range, and is at least 1" if len(numbers) == 1 or int(step) == 0 else ""
