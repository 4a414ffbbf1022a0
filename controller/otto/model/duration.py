"""Lengths of time as people write them: `90s`, `15m`, `8h`, `4h30m`, `2d`, `1w`."""

import re

from otto.model.errors import UsageError

_SECONDS = {"w": 604_800, "d": 86_400, "h": 3600, "m": 60, "s": 1}
_PART = re.compile(r"(\d{1,9})([wdhms])")
_WHOLE = re.compile(r"(?:\d{1,9}[wdhms]){1,5}")


def seconds_of(text: str) -> float:
    """Seconds of a length of time.

    Raises:
        UsageError: it is not written that way.
    """
    if not _WHOLE.fullmatch(text):
        raise UsageError(f"{text[:40]!r} is no length of time", mend="write it like 30m, 8h, 4h30m or 2d")
    return float(sum(int(number) * _SECONDS[unit] for number, unit in _PART.findall(text)))


def in_words(seconds: float) -> str:
    """A length of time as `seconds_of` reads it, its two largest parts: `2d`, `4h30m`, `0s`."""
    left, parts = max(0, round(seconds)), []
    for unit, size in _SECONDS.items():
        if unit != "w" and left >= size:
            parts.append(f"{left // size}{unit}")
            left %= size
    return "".join(parts[:2]) or "0s"
