"""The controller's log, read: the newest entries, filtered, and what came since a place in it.

A place is an inode and an offset, so that it holds when the file is turned over.
"""

import json
import os
from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_BLOCK = 64 * 1024
_MOST = 4 * 1024 * 1024  # bytes that are looked at in one go by who follows
NOWHERE = "0-0"
"""The place in a log that is not there."""

_LEVELS = ("debug", "info", "warning", "error", "critical")

Entry = Mapping[str, Any]


def file_of(home: Path) -> Path:
    """The log of a home's controller."""
    return home / "logs" / "otto.jsonl"


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which entries.

    Attributes:
        site: of one site, "" for all.
        sites: of these sites alone, None for all, and for what concerns no site.
        run: of one run, "" for all; a prefix will do.
        level: least level.
    """

    site: str = ""
    run: str = ""
    level: str = "debug"
    sites: frozenset[str] | None = None

    def holds(self, entry: Entry) -> bool:
        """Whether an entry is wanted."""
        if self.site and entry.get("site") != self.site:
            return False
        if self.sites is not None and entry.get("site") not in self.sites:
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


def newest(path: Path, count: int, wanted: Wanted) -> tuple[list[Entry], str]:
    """The newest wanted entries, oldest first, from the file and those it turned over into.

    With the place where they end: what comes later is found `since` then.
    """
    place = end(path)
    inode, upto = _place(place)
    found: deque[Entry] = deque()
    for file in _generations(path):
        for line in _backwards(file, upto if _inode(file) == inode else None):
            if len(found) >= count:
                return list(found), place
            entry = parse(line)
            if entry is not None and wanted.holds(entry):
                found.appendleft(entry)
    return list(found), place


def end(path: Path) -> str:
    """The place behind the last whole line."""
    try:
        with path.open("rb") as file:
            size = at = file.seek(0, os.SEEK_END)
            while at > 0:
                at = max(0, at - _BLOCK)
                file.seek(at)
                last = file.read(min(_BLOCK, size - at)).rfind(b"\n")
                if last >= 0:
                    return f"{os.fstat(file.fileno()).st_ino}-{at + last + 1}"
            return f"{os.fstat(file.fileno()).st_ino}-0"
    except FileNotFoundError:
        return NOWHERE


def since(path: Path, place: str, wanted: Wanted) -> tuple[list[Entry], str]:
    """Wanted entries that came since a place, oldest first, and the place where they end.

    Some of them, should it be much. What was turned over so often that it is gone is left out.
    """
    inode, offset = _place(place)
    newer: list[Path] = []
    for file in _generations(path):
        newer.insert(0, file)
        if _inode(file) == inode:
            break
    else:
        newer, offset = [path], 0
    for file in newer:
        lines, now = _forwards(file, offset)
        if lines or file == path:
            entries = [entry for entry in map(parse, lines) if entry is not None and wanted.holds(entry)]
            return entries, now or place
        offset = 0
    return [], place


def _forwards(path: Path, offset: int) -> tuple[list[bytes], str]:
    """Whole lines from an offset on, and the place behind them; "" where there is no file."""
    try:
        with path.open("rb") as file:
            inode, size = os.fstat(file.fileno()).st_ino, file.seek(0, os.SEEK_END)
            file.seek(min(offset, size))
            text = file.read(_MOST)
    except FileNotFoundError:
        return [], ""
    whole = text.rfind(b"\n") + 1
    lines = [line for line in text[:whole].split(b"\n") if line]
    return lines, f"{inode}-{min(offset, size) + whole}"


def _place(text: str) -> tuple[int, int]:
    inode, _, offset = text.partition("-")
    return (int(inode), int(offset)) if inode.isdecimal() and offset.isdecimal() else (0, 0)


def _inode(path: Path) -> int:
    try:
        return path.stat().st_ino
    except FileNotFoundError:
        return -1


def _generations(path: Path) -> Iterator[Path]:
    """The file, then `.1`, `.2`, … as far as there are any."""
    yield path
    number = 1
    while (older := path.with_name(f"{path.name}.{number}")).exists():
        yield older
        number += 1


def _backwards(path: Path, upto: int | None = None) -> Iterator[bytes]:
    """A file's lines from the last to the first, without reading more of it than is asked for."""
    try:
        file = path.open("rb")
    except FileNotFoundError:
        return
    with file:
        size = file.seek(0, os.SEEK_END)
        position = size if upto is None else min(upto, size)
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
