"""The folder of the provider's socket: its owner's alone, never left behind for good.

A provider that is killed cannot remove its folder. The name says whose it is, so the next provider does.
"""

import os
import re
import shutil
import stat
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

_PREFIX = "otto-lab-provider-"
# As tempfile names it: eight characters after our own part.
_NAME = re.compile(rf"{_PREFIX}(?P<pid>[1-9][0-9]{{0,9}})-[a-z0-9_]{{8}}")


def running(pid: int) -> bool:
    """Whether there is a process of this id."""
    try:
        os.kill(pid, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:
        return True
    return True


@contextmanager
def socket_folder(parent: Path | None = None) -> Iterator[Path]:
    """A folder only we may enter, gone when the block is left; those of dead providers are removed first.

    Args:
        parent: where it is made, by default where the system keeps temporary files.
    """
    place = parent or Path(tempfile.gettempdir())
    sweep(place)
    folder = Path(tempfile.mkdtemp(prefix=f"{_PREFIX}{os.getpid()}-", dir=place))
    try:
        yield folder
    finally:
        remove(folder)


def sweep(place: Path, alive: Callable[[int], bool] = running) -> int:
    """Remove the folders of providers that are gone; how many there were.

    Args:
        place: where to look.
        alive: whether a process is there.
    """
    try:
        found = list(place.iterdir())
    except OSError:
        return 0
    left = [folder for folder in found if _abandoned(folder, alive)]
    for folder in left:
        remove(folder)
    return len(left)


def remove(folder: Path) -> None:
    """Remove a folder, or what can be removed of it."""
    shutil.rmtree(folder, ignore_errors=True)


def _abandoned(folder: Path, alive: Callable[[int], bool]) -> bool:
    named = _NAME.fullmatch(folder.name)
    if not named or alive(int(named["pid"])):
        return False
    try:
        status = folder.lstat()
    except OSError:
        return False
    return stat.S_ISDIR(status.st_mode) and status.st_uid == os.geteuid()
