"""Read the controller's log: newest entries first to be found, filtered, followed while it grows."""

import json
import os
from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

_BLOCK = 64 * 1024
_LEVELS = ("debug", "info", "warning", "error", "critical")

Entry = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which entries.

    Attributes:
        site: of one site, "" for all.
        run: of one run, "" for all; a prefix will do.
        level: least level.
    """

    site: str = ""
    run: str = ""
    level: str = "debug"

    def holds(self, entry: Entry) -> bool:
        """Whether an entry is wanted."""
        if self.site and entry.get("site") != self.site:
            return False
        if self.run and not str(entry.get("run", "")).startswith(self.run):
            return False
        return rank(str(entry.get("level", "info"))) >= rank(self.level)


def rank(level: str) -> int:
    """A level's place; an unknown one counts as info."""
    return _LEVELS.index(level) if level in _LEVELS else 1


def parse(line: bytes) -> Entry | None:
    """One entry; None for a line that a kill cut off."""
    try:
        entry = json.loads(line)
    except ValueError:
        return None
    return entry if isinstance(entry, dict) else None


def newest(path: Path, count: int, wanted: Wanted) -> list[Entry]:
    """The newest wanted entries, oldest first, from the file and those it turned over into."""
    found: deque[Entry] = deque()
    for file in _generations(path):
        for line in _backwards(file):
            entry = parse(line)
            if entry is not None and wanted.holds(entry):
                found.appendleft(entry)
                if len(found) >= count:
                    return list(found)
    return list(found)


def _generations(path: Path) -> Iterator[Path]:
    """The file, then `.1`, `.2`, … as far as there are any."""
    yield path
    number = 1
    while (older := path.with_name(f"{path.name}.{number}")).exists():
        yield older
        number += 1


def _backwards(path: Path) -> Iterator[bytes]:
    """A file's lines from the last to the first, without reading more of it than is asked for."""
    try:
        file = path.open("rb")
    except FileNotFoundError:
        return
    with file:
        position = file.seek(0, os.SEEK_END)
        rest = b""
        while position > 0:
            size = min(_BLOCK, position)
            position -= size
            file.seek(position)
            lines = (file.read(size) + rest).split(b"\n")
            rest = lines[0]
            yield from (line for line in reversed(lines[1:]) if line)
        if rest:
            yield rest


class Follower:
    """Reads what is appended to a file, also across its turning over.

    Args:
        path: the file; it need not be there yet.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: BinaryIO | None = None
        self._rest = b""
        self._open(at_end=True)

    def more(self) -> list[Entry]:
        """Entries that came since the last call."""
        lines = self._read()
        if self._turned_over():
            self._open(at_end=False)
            lines += self._read()
        return [entry for entry in map(parse, lines) if entry is not None]

    def close(self) -> None:
        """Let go of the file."""
        if self._file is not None:
            self._file.close()

    def _open(self, *, at_end: bool) -> None:
        self.close()
        self._rest = b""
        try:
            self._file = self._path.open("rb")
        except FileNotFoundError:
            self._file = None
            return
        if at_end:
            self._file.seek(0, os.SEEK_END)

    def _read(self) -> list[bytes]:
        if self._file is None:
            return []
        *lines, self._rest = (self._rest + self._file.read()).split(b"\n")
        return [line for line in lines if line]

    def _turned_over(self) -> bool:
        try:
            now = self._path.stat()
        except FileNotFoundError:
            return False
        return self._file is None or os.fstat(self._file.fileno()).st_ino != now.st_ino
