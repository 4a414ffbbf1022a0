"""Files of ours: whole or not there, and locks between processes."""

import fcntl
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from otto.lab.deadline import Deadline
from otto.model.errors import TransientError


def write(path: Path, text: str, mode: int = 0o644) -> None:
    """Write a file so that it is seen whole or not at all, even after a crash."""
    path.parent.mkdir(parents=True, exist_ok=True)
    number, temporary = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        with os.fdopen(number, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).chmod(mode)
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


@contextmanager
def locked(path: Path, seconds: float, what: str) -> Iterator[int]:
    """Hold a lock that other processes respect; it goes with the process, however that ends.

    Args:
        path: the lock file; made when missing, never removed.
        seconds: how long to wait for whoever holds it.
        what: what the lock guards, for the error.

    Yields:
        The lock's file descriptor; a child that inherits it holds the lock too.

    Raises:
        TransientError: it was held all the time.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    number = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        _take(number, Deadline.after(seconds), f"another process has been {what} for {seconds:.0f} s", path)
        yield number
    finally:
        os.close(number)


def _take(number: int, deadline: Deadline, message: str, path: Path) -> None:
    for _ in deadline.every(0.05):
        try:
            fcntl.flock(number, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            continue
        return
    raise TransientError(message, mend=f"wait for it, or end what holds {path} (fuser -v {path})")
