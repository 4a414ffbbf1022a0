"""A private folder for one run, removed with all it holds when the run ends."""

import fcntl
import os
import shutil
import stat
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

import structlog

from otto.adapters.ansible.processes import kill_strays
from otto.model.errors import TransientError

_LOCK = "lock"
# Between a folder and its lock lie milliseconds; one without a lock after this will never get it.
_UNLOCKED_SECONDS = 60.0

log = structlog.get_logger("otto.ansible")


@contextmanager
def workspace(runs: Path, files: Mapping[str, str]) -> Iterator[Path]:
    """Make a folder only we may enter, with these files in it.

    The folder is locked while it is in use, so that `sweep` of a later process knows it as abandoned
    when its owner was killed.

    Args:
        runs: where such folders are made.
        files: name -> text, written with mode 0600.
    """
    runs.mkdir(mode=0o700, parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix="run-", dir=runs))
    try:
        with (folder / _LOCK).open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            for name, text in files.items():
                write_private(folder / name, text)
            yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def write_private(path: Path, text: str) -> None:
    """Write a file that is its owner's alone from the start."""
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(text)


def sweep(runs: Path, now: datetime) -> int:
    """End runs whose owner is gone, and remove their folders; how many there were."""
    if not runs.is_dir():
        return 0
    return sum(_removed(folder, now) for folder in runs.glob("run-*"))


def _removed(folder: Path, now: datetime) -> bool:
    try:
        with (folder / _LOCK).open("r+") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return _end(folder)
    except FileNotFoundError:  # its owner was killed before it made the lock, or after it removed it
        return _left(folder, now) and _end(folder)
    except OSError:  # in use, or no folder of a run
        return False


def _left(folder: Path, now: datetime) -> bool:
    try:
        status = folder.lstat()
    except OSError:  # gone by itself
        return False
    return stat.S_ISDIR(status.st_mode) and now.timestamp() - status.st_mtime > _UNLOCKED_SECONDS


def _end(folder: Path) -> bool:
    """End a run; False, and its folder stays for the next sweep, when its processes do not go."""
    try:
        kill_strays(folder)
    except TransientError as error:
        log.warning("run.survived", folder=folder.name, error=str(error))
        return False
    shutil.rmtree(folder, ignore_errors=True)
    return True
