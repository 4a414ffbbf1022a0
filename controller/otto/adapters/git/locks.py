"""Locks that a killed process left in a repository. Nothing in one says whose it is: only its age tells."""

import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

# Seconds. A lock on a ref is held for milliseconds. Our own refs are written by nobody but us; people push to
# the others, whose hooks may run meanwhile.
OURS, THEIRS = 10.0, 60.0


def free_stale(repository: Path) -> tuple[Path, ...]:
    """Take away locks on refs that are too old to be held; those that were.

    Args:
        repository: the bare repository.
    """
    return tuple(lock for lock in _locks(repository) if _freed(lock, _limit(repository, lock)))


def _locks(repository: Path) -> Iterator[Path]:
    """Git lets no ref end in `.lock` (git-check-ref-format(1))."""
    yield from (repository / name for name in ("HEAD.lock", "packed-refs.lock"))
    yield from (repository / "refs").rglob("*.lock")


def _limit(repository: Path, lock: Path) -> float:
    return OURS if lock.is_relative_to(repository / "refs" / "otto") else THEIRS


def _freed(lock: Path, limit: float) -> bool:
    with suppress(OSError):
        # The file's time is the file system's: the time of day is what it can be compared with.
        if time.time() - lock.stat().st_mtime >= limit:
            lock.unlink()
            return True
    return False
