"""Which deliveries came before: remembered for a day, over restarts too."""

import hashlib
import os
from collections import OrderedDict
from collections.abc import Callable, Iterable
from datetime import datetime
from pathlib import Path

import structlog

log = structlog.get_logger("otto.webhook")

FORGOTTEN = 86_400.0
"""Seconds after which a delivery is not known any more."""

_MOST = 40_000  # known ones, the newest; a delivery has two names at most
_LINE = 44  # bytes of a line: ten digits, a blank, 32 hexadecimal digits, the end


class Seen:
    """Names of deliveries, by digest; a file that cannot be written costs the memory over restarts alone.

    Args:
        now: the time of day.
        path: where they are kept, None for nowhere.
    """

    def __init__(self, now: Callable[[], datetime], path: Path | None = None) -> None:
        self._now = now
        self._path = path
        self._times: OrderedDict[str, float] = OrderedDict()
        self._lines = 0
        if path is not None:
            self._guarded(self._load)

    def any(self, names: Iterable[str]) -> bool:
        """Whether one of these came within a day."""
        least = self._now().timestamp() - FORGOTTEN
        return any(self._times.get(_digest(name), least) > least for name in names)

    def add(self, names: Iterable[str]) -> None:
        """Remember these."""
        at, digests = self._now().timestamp(), [_digest(name) for name in names]
        for digest in digests:
            self._times[digest] = at
            self._times.move_to_end(digest)
        while len(self._times) > _MOST:
            self._times.popitem(last=False)
        if self._path is not None:
            self._guarded(lambda: self._append("".join(_line(at, digest) for digest in digests)))

    def _guarded(self, work: Callable[[], None]) -> None:
        try:
            work()
        except OSError as error:
            log.warning("webhook.unremembered", path=str(self._path), error=str(error))
            self._path = None

    def _load(self) -> None:
        path = self._file()
        if not path.exists():
            return
        with path.open("rb") as stream:
            stream.seek(max(0, path.stat().st_size - 2 * _MOST * _LINE))
            found = stream.read().decode("ascii", "replace").splitlines()
        least = self._now().timestamp() - FORGOTTEN
        for line in found:
            at, _, digest = line.partition(" ")
            # A line that a kill cut off is none.
            if len(line) == _LINE - 1 and at.isdigit() and int(at) > least:
                self._times[digest] = float(at)
        self._rewrite()

    def _append(self, lines: str) -> None:
        path = self._file()
        if self._lines > 2 * _MOST:
            self._rewrite()
            return
        if not self._lines:
            path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("a", encoding="ascii") as stream:
            stream.write(lines)
        self._lines += lines.count("\n")

    def _rewrite(self) -> None:
        """Write the file anew, whole, without what is forgotten."""
        path = self._file()
        made = path.with_name(f".{path.name}.{os.getpid()}")
        made.write_text("".join(_line(at, digest) for digest, at in self._times.items()), encoding="ascii")
        made.replace(path)
        self._lines = len(self._times)

    def _file(self) -> Path:
        if self._path is None:
            raise FileNotFoundError("there is no file to remember deliveries in")
        return self._path


def _digest(name: str) -> str:
    return hashlib.sha256(name.encode()).hexdigest()[:32]


def _line(at: float, digest: str) -> str:
    return f"{int(at):010d} {digest}\n"
