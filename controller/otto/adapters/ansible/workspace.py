"""A private folder for one run, removed with all it holds when the run ends."""

import contextlib
import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import structlog

from otto.adapters.ansible.processes import kill_strays
from otto.model.errors import TransientError

# A run's folder, and one that is about to become one.
_RUN, _BEGUN = "run-", "new-"
_TRIES = 100

log = structlog.get_logger("otto.ansible")


@contextmanager
def workspace(runs: Path, files: Mapping[str, str]) -> Iterator[Path]:
    """Make a folder only we may enter, with these files in it.

    The folder is locked as long as it is there, so that `sweep` of a later process knows it as abandoned
    when its owner was killed, at whatever moment.

    Args:
        runs: where such folders are made.
        files: name -> text, written with mode 0600.

    Raises:
        TransientError: others swept away what was being made, time and again.
    """
    runs.mkdir(mode=0o700, parents=True, exist_ok=True)
    folder, lock = _made(runs)
    try:
        for name, text in files.items():
            write_private(folder / name, text)
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        os.close(lock)


def _made(runs: Path) -> tuple[Path, int]:
    """A locked folder. It gets the name of a run's only then: no run's folder was ever there unlocked."""
    for _ in range(_TRIES):
        begun = Path(tempfile.mkdtemp(prefix=_BEGUN, dir=runs))
        lock = _lock(begun)
        folder = runs / (_RUN + begun.name.removeprefix(_BEGUN))
        if lock is not None:
            with contextlib.suppress(FileNotFoundError):  # swept before it was locked
                return begun.rename(folder), lock
            os.close(lock)
    raise TransientError(f"no folder for a run can be made in {runs}", mend="see who else works there")


def _lock(folder: Path) -> int | None:
    """Lock a folder; None when it is in use, gone, or no folder."""
    try:
        lock = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(lock)
        return None
    return lock


def write_private(path: Path, text: str) -> None:
    """Write a file that is its owner's alone from the start."""
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(text)


def sweep(runs: Path) -> int:
    """End runs whose owner is gone, and remove their folders; how many there were."""
    if not runs.is_dir():
        return 0
    for begun in runs.glob(_BEGUN + "*"):
        with contextlib.suppress(OSError):  # only what is empty goes: a run's folder by now is not
            begun.rmdir()
    return sum(_removed(folder) for folder in runs.glob(_RUN + "*"))


def _removed(folder: Path) -> bool:
    lock = _lock(folder)
    if lock is None:
        return False
    try:
        return _end(folder)
    finally:
        os.close(lock)


def _end(folder: Path) -> bool:
    """End a run; False, and its folder stays for the next sweep, when its processes do not go."""
    try:
        kill_strays(folder)
    except TransientError as error:
        log.warning("run.survived", folder=folder.name, error=str(error))
        return False
    shutil.rmtree(folder, ignore_errors=True)
    return True
