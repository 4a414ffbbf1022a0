"""Files of secrets: theirs who runs OttO, and nobody else's."""

import os
import stat
from pathlib import Path

from otto.model.errors import UsageError

LARGEST = 64 * 1024
"""Bytes that are read at most."""


def content(what: str, path: Path, *, private: bool = True) -> str:
    """The text of a file.

    Args:
        what: what needs it, for messages.
        path: where it is.
        private: whether others may not read it; encrypted ones may be seen.

    Raises:
        UsageError: there is none, others may read it, or it is far too big.
    """
    try:
        with open(path, "rb", opener=_opened) as stream:
            mode = os.fstat(stream.fileno()).st_mode
            if not stat.S_ISREG(mode):
                raise UsageError(f"{what}: {path} is no file", mend="name a file of mode 0600")
            if private and mode & 0o077:
                raise UsageError(f"{what}: others may read {path}", mend=f"chmod 600 {path}")
            data = stream.read(LARGEST + 1)
    except IsADirectoryError as error:
        raise UsageError(f"{what}: {path} is no file", mend="name a file of mode 0600") from error
    except OSError as error:
        mend = "create it, mode 0600"
        raise UsageError(f"{what}: {path} cannot be read: {error.strerror}", mend=mend) from error
    if len(data) > LARGEST:
        raise UsageError(f"{what}: {path} has more than {LARGEST} bytes", mend="name a file of one secret")
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise UsageError(f"{what}: {path} is not UTF-8", mend="write it as text") from error


def _opened(path: str, flags: int) -> int:
    # A pipe that nobody writes to must not stop us: what is no file is refused once it is open.
    return os.open(path, flags | os.O_NONBLOCK)
