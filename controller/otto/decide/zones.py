"""From what a clock on the wall shows to the moment it shows it."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

_SECOND = timedelta(seconds=1)


def moment(wall: datetime, zone: ZoneInfo) -> datetime:
    """The first moment at which a clock in that zone shows this time, or has passed it.

    A time that the clock shows twice (in autumn) is the first of the two; one that it skips (in spring) is
    the moment of the jump. So a later time is never an earlier moment.

    Args:
        wall: what the clock shows, without a zone.
        zone: where it hangs.
    """
    first = wall.replace(tzinfo=zone, fold=0).astimezone(UTC)
    return _jump(wall, zone) if skipped(wall, zone) else first


def skipped(wall: datetime, zone: ZoneInfo) -> bool:
    """Whether a clock in that zone never shows this time, as it is put forward over it."""
    return shown(wall.replace(tzinfo=zone, fold=0).astimezone(UTC), zone) != wall


def shown(at: datetime, zone: ZoneInfo) -> datetime:
    """What a clock in that zone shows at a moment; `fold` is 1 when it shows it for the second time."""
    return at.astimezone(zone).replace(tzinfo=None)


def _jump(wall: datetime, zone: ZoneInfo) -> datetime:
    """The moment, to the second, at which the clock jumps over this time.

    In a gap `fold` 0 reckons with the offset before the jump and 1 with that after it (PEP 495), so the two
    readings lie after and before the jump.
    """
    after = wall.replace(tzinfo=zone, fold=0, microsecond=0).astimezone(UTC)
    before = wall.replace(tzinfo=zone, fold=1, microsecond=0).astimezone(UTC)
    new = after.astimezone(zone).utcoffset()
    while after - before > _SECOND:
        middle = before + (after - before) // 2
        middle = middle.replace(microsecond=0)
        if middle.astimezone(zone).utcoffset() == new:
            after = middle
        else:
            before = middle
    return after
