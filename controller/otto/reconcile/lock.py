"""One controller per OTTO_HOME, held by the kernel so that no kill leaves it stuck."""

import contextlib
import fcntl
import os
from collections.abc import Iterator
from pathlib import Path

from otto.model.errors import UsageError


@contextlib.contextmanager
def home_lock(home: Path) -> Iterator[None]:
    """Hold the home.

    Raises:
        UsageError: another controller holds it; named by its process id.
    """
    home.mkdir(parents=True, exist_ok=True, mode=0o700)
    with (home / "controller.lock").open("a+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            owner = file.read().strip() or "an unknown process"
            raise UsageError(
                f"a controller already runs over {home} (process {owner})",
                mend="stop it first, or give this one another OTTO_HOME",
            ) from None
        file.truncate(0)
        file.write(f"{os.getpid()}\n")
        file.flush()
        yield
