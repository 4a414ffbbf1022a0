"""What a person is told while measurements take their minutes."""

import sys
import time

_BEGAN = time.monotonic()


def say(words: str) -> None:
    """One line on standard error, with the seconds since the beginning."""
    print(f"{time.monotonic() - _BEGAN:6.1f} s  {words}", file=sys.stderr, flush=True)  # noqa: T201
