"""Words for people: text of others made harmless, times and counts made short.

What a spec, a commit or a host says is never read as Rich markup (it goes into `rich.text.Text`) nor as
an escape sequence of the terminal (every character that does not print is shown as its code).
"""

from datetime import datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from otto.model.verdict import Reason

_MINUTE = 60
_HOUR = 60 * _MINUTE
_DAY = 24 * _HOUR


def clean(text: str) -> str:
    """One line without control characters, bidirectional overrides or line breaks."""
    if text.isprintable():
        return text
    return "".join(_visible(character) for character in text)


def clean_lines(text: str) -> str:
    """As `clean`, with line breaks and tabs kept as they are meant."""
    return "\n".join(clean(line.replace("\t", "    ")) for line in text.splitlines())


def _visible(character: str) -> str:
    if character.isprintable():
        return character
    if character.isspace():
        return " "
    code = ord(character)
    return f"\\x{code:02x}" if code <= 0xFF else f"\\u{code:04x}"  # noqa: PLR2004  (Latin-1's last)


def lasting(seconds: float) -> str:
    """A length of time in at most two units: `8s`, `3m05s`, `2h14m`, `5d03h`."""
    whole = max(0, int(seconds))
    if whole < _MINUTE:
        return f"{whole}s"
    if whole < _HOUR:
        return f"{whole // _MINUTE}m{whole % _MINUTE:02d}s"
    if whole < _DAY:
        return f"{whole // _HOUR}h{whole % _HOUR // _MINUTE:02d}m"
    return f"{whole // _DAY}d{whole % _DAY // _HOUR:02d}h"


def took(start: datetime, end: datetime | None, now: datetime) -> str:
    """How long something lasted, or has lasted until now."""
    seconds = ((end or now) - start).total_seconds()
    return seconds_taken(seconds) if end else lasting(seconds)


def seconds_taken(seconds: float) -> str:
    """How long something took that is over: with a decimal while that says something."""
    return f"{seconds:.1f}s" if seconds < 10 else lasting(seconds)  # noqa: PLR2004  (seconds worth a decimal)


def clock_time(at: datetime) -> str:
    """A time of day where the reader is."""
    return at.astimezone().strftime("%H:%M:%S")


def date_time(at: datetime) -> str:
    """A date and time where the reader is."""
    return at.astimezone().strftime("%Y-%m-%d %H:%M:%S")


def counted(count: int, one: str, many: str = "") -> str:
    """`1 site`, `2 sites`."""
    return f"{count} {one if count == 1 else many or one + 's'}"


def figures(reason: "Reason") -> str:
    """What a rule of the guard counted, in one line: `hosts 3, limit 2`; "" for nothing."""
    return ", ".join(f"{name} {value}" for name, value in sorted(reason.figures.items()))
