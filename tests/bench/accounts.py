"""What we ourselves spend, told apart from all else the machine does, by control groups (v2, cpu.stat)."""

import os
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

_PATIENCE = 5.0


class Accounts:
    """CPU seconds of what this process has started since, and of hosts.

    Args:
        group: the control group of this process and of all it starts; None where there is none to be had.
    """

    def __init__(self, group: Path | None) -> None:
        self._group = group
        self._hosts: tuple[Path, ...] = ()

    def follow(self, pids: Sequence[int]) -> None:
        """Count the hosts whose first processes these are, too."""
        root = _root()
        self._hosts = tuple(_group_of(pid, root) for pid in pids) if root else ()

    @property
    def there(self) -> bool:
        """Whether anything can be told."""
        return self._group is not None

    def control(self) -> float:
        """CPU seconds of this process, of all it started, and of all that those started."""
        return _used(self._group) if self._group else 0.0

    def hosts(self) -> float:
        """CPU seconds of the hosts."""
        return sum(_used(group) for group in self._hosts)


@contextmanager
def accounts() -> Iterator[Accounts]:
    """Put this process into a control group of its own for as long as the block lasts."""
    root = _root()
    group = root / f"otto-bench-{os.getpid()}" if root else None
    if root is None or group is None or not _enter(group):
        yield Accounts(None)
        return
    before = _group_of(os.getpid(), root)
    (group / "cgroup.procs").write_text(str(os.getpid()))
    try:
        yield Accounts(group)
    finally:
        (before / "cgroup.procs").write_text(str(os.getpid()))
        _leave(group, before)


def _enter(group: Path) -> bool:
    try:
        group.mkdir()
    except OSError:
        return False
    return True


def _leave(group: Path, before: Path) -> None:
    """Remove the group once it is empty; who is still in it goes where we came from."""
    end = time.monotonic() + _PATIENCE
    while time.monotonic() < end:
        for pid in (group / "cgroup.procs").read_text().split():
            try:
                (before / "cgroup.procs").write_text(pid)
            except OSError:  # it has ended
                continue
        try:
            group.rmdir()
        except OSError:
            time.sleep(0.1)
        else:
            return


def _root() -> Path | None:
    """Where the unified hierarchy is mounted."""
    mounts = (line.split() for line in Path("/proc/self/mounts").read_text().splitlines())
    return next((Path(fields[1]) for fields in mounts if fields[2] == "cgroup2"), None)


def _group_of(pid: int, root: Path) -> Path:
    lines = Path(f"/proc/{pid}/cgroup").read_text().splitlines()
    path = next(line.removeprefix("0::/") for line in lines if line.startswith("0::"))
    # A host's first process is systemd, which puts itself into a group inside the host's.
    return root / path.removesuffix("/init.scope")


def _used(group: Path) -> float:
    lines = (group / "cpu.stat").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("usage_usec")) / 1_000_000
