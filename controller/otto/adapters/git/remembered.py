"""What was found out of files and trees, kept on disk by their ids: nothing is looked through twice.

A cache: it may be deleted at any time, and what cannot be read or written is found out anew.
"""

import json
import sqlite3
import zlib
from collections.abc import Iterable, Mapping
from contextlib import closing, suppress
from functools import cache
from hashlib import sha256
from importlib import metadata
from pathlib import Path
from typing import Any

from otto.decide import content

_KEPT = 200_000
_WAIT = 10.0
_AT_ONCE = 500
_SCHEMA = "CREATE TABLE IF NOT EXISTS known (key TEXT PRIMARY KEY, used INTEGER NOT NULL, data BLOB NOT NULL)"


class Remembered:
    """A file of answers by key.

    Args:
        path: where it lies; made when it is missing.
        keep: answers kept at most; the least lately used go first.
    """

    def __init__(self, path: Path, keep: int = _KEPT) -> None:
        self._path = path
        self._keep = keep

    def find(self, keys: Iterable[str]) -> dict[str, Any]:
        """What is known, by key."""
        found: dict[str, Any] = {}
        if not self._path.exists():
            return found
        wanted = list(keys)
        with suppress(sqlite3.Error, OSError, zlib.error, ValueError), closing(self._open()) as base:
            for place in range(0, len(wanted), _AT_ONCE):
                part = wanted[place : place + _AT_ONCE]
                marks = ",".join("?" * len(part))
                rows = base.execute(f"SELECT key, data FROM known WHERE key IN ({marks})", part)  # noqa: S608
                found |= {key: json.loads(zlib.decompress(data)) for key, data in rows}
        return found

    def keep(self, answers: Mapping[str, object], used: Iterable[str] = ()) -> None:
        """Keep answers, and count others as used once more."""
        rows = [(key, zlib.compress(json.dumps(data).encode(), 1)) for key, data in answers.items()]
        try:
            self._write(rows, list(used))
        except sqlite3.DatabaseError as error:
            # Locked for long, or no room: it is done without. A damaged file is made anew by the next one.
            if not isinstance(error, sqlite3.OperationalError):
                self._path.unlink(missing_ok=True)
        except OSError:
            return

    def _write(self, rows: list[tuple[str, bytes]], used: list[str]) -> None:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        with closing(self._open()) as base, base:
            base.execute(_SCHEMA)
            turn = base.execute("SELECT COALESCE(MAX(used), 0) + 1 FROM known").fetchone()[0]
            base.executemany(
                "INSERT OR REPLACE INTO known (key, used, data) VALUES (?, ?, ?)",
                [(key, turn, data) for key, data in rows],
            )
            base.executemany("UPDATE known SET used = ? WHERE key = ?", [(turn, key) for key in used])
            base.execute(
                "DELETE FROM known WHERE key IN (SELECT key FROM known ORDER BY used DESC LIMIT -1 OFFSET ?)",
                (self._keep,),
            )

    def _open(self) -> sqlite3.Connection:
        return sqlite3.connect(self._path, timeout=_WAIT)


@cache
def rules() -> str:
    """Names what files are judged by: with other rules, nothing that was found out holds any more."""
    seen = sha256(metadata.version("tinyhtml5").encode())
    for folder in content.__path__:
        for path in sorted(Path(folder).glob("*.py")):
            seen.update(path.read_bytes())
    return seen.hexdigest()[:12]
