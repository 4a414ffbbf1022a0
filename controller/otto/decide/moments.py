"""Times as people type them."""

from datetime import UTC, datetime, timedelta

from otto.model.duration import seconds_of
from otto.model.errors import UsageError

_FARTHEST = timedelta(days=3660)
_HOW = "write it like 2h, 3d, 2031-05-01T18:00 (local time) or 2031-05-01T18:00+02:00"


def moment(text: str, now: datetime) -> datetime:
    """A time to come, given as ISO 8601 or as a length of time from now on; in UTC.

    A time without a zone is one where the reader is, a date alone its first moment.

    Args:
        text: as typed.
        now: the time.

    Raises:
        UsageError: it cannot be read, is past, or more than ten years away.
    """
    text = text.strip()
    at = _written(text)
    if at is None:
        at = after(now, length(text, _HOW), text)
    if at <= now:
        raise UsageError(f"{text[:40]!r} is past", mend=_HOW)
    return _not_too_far(at, now, text)


def length(text: str, how: str = "") -> float:
    """Seconds of a length of time, more than none.

    Raises:
        UsageError: it cannot be read, or is none.
    """
    try:
        seconds = seconds_of(text.strip())
    except UsageError as error:
        if not how:
            raise
        raise UsageError(f"{text[:40]!r} is neither a time nor a length of time", mend=how) from error
    if not seconds:
        raise UsageError(f"{text[:40]!r} is no time at all", mend=how or "write it like 30m, 8h or 2d")
    return seconds


def after(start: datetime, seconds: float, text: str) -> datetime:
    """The time so many seconds later.

    Args:
        start: from when on.
        seconds: how many.
        text: as it was typed, for the error.

    Raises:
        UsageError: that is more than ten years.
    """
    if seconds > _FARTHEST.total_seconds():
        raise _too_far(text)
    return start + timedelta(seconds=seconds)


def _written(text: str) -> datetime | None:
    """A time as ISO 8601, None when it is not one."""
    try:
        return datetime.fromisoformat(text).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def _not_too_far(at: datetime, now: datetime, text: str) -> datetime:
    if at - now > _FARTHEST:
        raise _too_far(text)
    return at


def _too_far(text: str) -> UsageError:
    return UsageError(f"{text[:40]!r} is more than ten years away", mend="give a nearer time, or none")
