"""Change windows: whether one is open, and when that changes.

A window goes by the clock on the wall of its time zone: it begins when the clock first shows the time that
`cron` names, and is open until the clock shows that time plus `lasts`. A window from 22:00 for 8 hours ends
at 06:00 in the night in which the clock is put forward or back, too. Where the clock jumps over the
beginning, the window opens at the jump and is open for its whole length. A time that the clock shows twice
counts the first time.
"""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from otto.decide import cron
from otto.decide.zones import moment, shown, skipped
from otto.model.policy import Window, Windows

HORIZON = timedelta(days=366)
_DAY = timedelta(days=1)
# Windows that flip every few minutes while others keep the whole as it is: looked into so often at most.
_MOST_STEPS = 40


def open_at(windows: Windows, now: datetime) -> bool:
    """Whether changes may be made.

    A deny window that is open denies; where there are allow windows, one of them has to be open.
    """
    return _allows(windows, now)


def all_open_at(policies: Sequence[Windows], now: datetime) -> bool:
    """Whether changes may be made by all of these: the windows of a site, those of its fleet, …."""
    return all(_allows(policy, now) for policy in policies)


def next_change(windows: Windows, now: datetime) -> datetime | None:
    """When `open_at` next becomes what it is not now; see `next_change_of_all`."""
    return next_change_of_all((windows,), now)


def next_change_of_all(policies: Sequence[Windows], now: datetime) -> datetime | None:
    """When `all_open_at` next becomes what it is not now; None when that is not within a year.

    Windows that open and close dozens of times before the whole changes are not followed to the end: the
    answer is then a time up to which nothing changes.
    """
    was, at = all_open_at(policies, now), now
    for _ in range(_MOST_STEPS):
        later = _may_close(at, policies) if was else _may_open(at, policies)
        if later is None or later - now > HORIZON:
            return None
        at = later
        if all_open_at(policies, at) != was:
            break
    return at


def _allows(policy: Windows, now: datetime) -> bool:
    denied = any(_span(window).open(now) for window in policy.windows if not window.allow)
    allows = [window for window in policy.windows if window.allow]
    return not denied and (not allows or any(_span(window).open(now) for window in allows))


def _may_close(now: datetime, policies: Sequence[Windows]) -> datetime | None:
    """The first time after now at which what is open could be closed."""
    closings: list[datetime | None] = []
    for policy in policies:
        closings += [_span(window).opens(now) for window in policy.windows if not window.allow]
        allows = [_span(window) for window in policy.windows if window.allow]
        if allows:
            # Closed at the earliest when the last of those that are open now has ended.
            closings.append(_latest([span.closes(now) for span in allows if span.open(now)]))
    return min((at for at in closings if at is not None), default=None)


def _may_open(now: datetime, policies: Sequence[Windows]) -> datetime | None:
    """The first time after now at which what is closed could be open: everything in the way has ended."""
    obstacles: list[datetime | None] = []
    for policy in policies:
        spans = [_span(window) for window in policy.windows if not window.allow]
        obstacles += [span.closes(now) for span in spans if span.open(now)]
        allows = [_span(window) for window in policy.windows if window.allow]
        if allows and not any(span.open(now) for span in allows):
            openings = [at for span in allows if (at := span.opens(now)) is not None]
            obstacles.append(min(openings, default=None))
    return _latest(obstacles)


def _latest(times: Sequence[datetime | None]) -> datetime | None:
    """The last of these times; None, which is never, when one of them is."""
    known = [at for at in times if at is not None]
    return max(known) if known and len(known) == len(times) else None


@dataclass(frozen=True, slots=True)
class _Span:
    """One window, ready to be asked.

    Attributes:
        when: its expression.
        zone: whose clock it goes by.
        lasts: how long it is open.
        parts: when it is open on one of its days, from midnight on: beginnings whose windows touch are one.
    """

    when: cron.Cron
    zone: ZoneInfo
    lasts: timedelta
    parts: tuple[tuple[timedelta, timedelta], ...]

    def open(self, now: datetime) -> bool:
        """Whether it is open."""
        last = self._last(now)
        return last is not None and last[1] > now

    def opens(self, now: datetime) -> datetime | None:
        """When it next begins, whether or not it is open; None when that is not within a year."""
        for day in self.when.days(shown(now, self.zone).date() - _DAY):
            begun = self._begun(day, now)
            if begun < len(self.parts):
                found, _ = self._place(day, self.parts[begun])
                return found if found - now <= HORIZON else None
        return None

    def closes(self, now: datetime) -> datetime | None:
        """When it ends that is open now, those counted that begin before it does; None for not in a year."""
        end = now
        while not self._always and end - now <= HORIZON:
            last = self._last(end)
            if last is None or last[1] <= end:
                return end
            end = last[1]
        return None

    @property
    def _always(self) -> bool:
        begin, end = self.parts[0]
        return self.when.daily and end - begin >= _DAY

    def _last(self, now: datetime) -> tuple[datetime, datetime] | None:
        """The last part that has begun. None of those before it ends later, as all are equally long."""
        for day in self.when.days_before(shown(now, self.zone).date() + _DAY):
            begun = self._begun(day, now)
            if begun:
                return self._place(day, self.parts[begun - 1])
        return None

    def _begun(self, day: date, now: datetime) -> int:
        """How many parts of a day have begun."""
        return bisect_right(self.parts, now, key=lambda part: moment(_wall(day, part[0]), self.zone))

    def _place(self, day: date, part: tuple[timedelta, timedelta]) -> tuple[datetime, datetime]:
        """A part on one of its days: the moments at which it begins and ends."""
        begin, end = _wall(day, part[0]), _wall(day, part[1])
        opens, closes = moment(begin, self.zone), moment(end, self.zone)
        return opens, max(closes, opens + self.lasts) if skipped(begin, self.zone) else closes


def _wall(day: date, since_midnight: timedelta) -> datetime:
    return datetime(day.year, day.month, day.day) + since_midnight  # noqa: DTZ001  (by a clock on a wall)


@lru_cache(maxsize=1024)
def _span(window: Window) -> _Span:
    when = cron.read(window.cron)
    lasts = timedelta(seconds=window.lasts)
    return _Span(when, ZoneInfo(window.timezone), lasts, _parts(when.times, lasts))


def _parts(times: Sequence[int], lasts: timedelta) -> tuple[tuple[timedelta, timedelta], ...]:
    parts: list[tuple[timedelta, timedelta]] = []
    for seconds in times:
        begin = timedelta(seconds=seconds)
        if parts and begin <= parts[-1][1]:
            parts[-1] = (parts[-1][0], begin + lasts)
        else:
            parts.append((begin, begin + lasts))
    return tuple(parts)
