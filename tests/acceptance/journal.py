"""What a controller's log tells, read as it is written."""

import json
import time
from collections import deque
from collections.abc import Callable
from pathlib import Path

from .harness import Json

_POLL = 0.002

Wanted = Callable[[Json], bool]


class Journal:
    """Follows a log of JSON lines from where it ends now; each line is told once.

    Args:
        path: the log, which need not be there yet. Lines that are no JSON objects are passed over.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._at = path.stat().st_size if path.exists() else 0
        self._rest = b""
        self._untold: deque[Json] = deque()

    def line(self) -> Json | None:
        """The next line, None when there is none yet."""
        if not self._untold:
            self._untold.extend(self._read())
        return self._untold.popleft() if self._untold else None

    def all(self) -> list[Json]:
        """All lines that have come and were not told yet."""
        found = []
        while (line := self.line()) is not None:
            found.append(line)
        return found

    def skip(self) -> None:
        """Pass over what has come until now."""
        self.all()

    def _read(self) -> list[Json]:
        try:
            with self._path.open("rb") as file:
                file.seek(self._at)
                data = file.read()
        except FileNotFoundError:
            return []
        self._at += len(data)
        *whole, self._rest = (self._rest + data).split(b"\n")
        return [line for line in map(_parsed, whole) if line is not None]

    def wait(self, what: str, wanted: Wanted, seconds: float) -> Json:
        """Wait for a line, not a moment longer: whoever waits may want to kill who wrote it."""
        end = time.monotonic() + seconds
        last: list[Json] = []
        while time.monotonic() < end:
            if (line := self.line()) is None:
                time.sleep(_POLL)
                continue
            if wanted(line):
                return line
            last = [*last[-20:], line]
        told = "\n".join(json.dumps(line) for line in last)
        raise AssertionError(f"not within {seconds:g} s: {what}; the log's last lines:\n{told}")


def _parsed(line: bytes) -> Json | None:
    try:
        found = json.loads(line)
    except ValueError:
        return None
    return found if isinstance(found, dict) else None
