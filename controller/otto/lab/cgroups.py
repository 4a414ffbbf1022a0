"""What the kernel holds a container to, read from its control groups.

Podman before 5 changes a running container's limits without remembering it: what it reports afterwards
are the limits of the container's making. The kernel knows better, where we can ask it.
"""

from pathlib import Path

from otto.lab.sizes import Limits

# cgroups(7): version 1 shows "no limit" as the largest multiple of the page size.
_UNLIMITED = 1 << 60


def limits(pid: int, container: str, root: Path = Path("/")) -> Limits | None:
    """Limits of a running container; None when its processes are not on this machine, or not ours to see.

    Args:
        pid: the container's first process.
        container: the container's id, which its control groups are named after.
        root: where `proc` and `sys` are.
    """
    try:
        lines = (root / "proc" / str(pid) / "cgroup").read_text().splitlines()
    except OSError:
        return None
    groups = {names: path for _, names, path in (line.split(":", 2) for line in lines)}
    try:
        return _version_1(groups, container, root) or _version_2(groups, container, root)
    except (OSError, ValueError):
        return None


def _version_1(groups: dict[str, str], container: str, root: Path) -> Limits | None:
    memory, cpu = (_folder(groups, name, container, root) for name in ("memory", "cpu"))
    if memory is None or cpu is None:
        return None
    limit = int((memory / "memory.limit_in_bytes").read_text())
    quota = int((cpu / "cpu.cfs_quota_us").read_text())
    period = int((cpu / "cpu.cfs_period_us").read_text())
    return Limits(quota / period if quota > 0 else 0.0, limit if limit < _UNLIMITED else 0)


def _version_2(groups: dict[str, str], container: str, root: Path) -> Limits | None:
    path = _own_part(groups.get("", ""), container)
    if not path:
        return None
    folder = root / "sys/fs/cgroup" / path
    memory = (folder / "memory.max").read_text().strip()
    quota, period = (folder / "cpu.max").read_text().split()
    cpus = 0.0 if quota == "max" else int(quota) / int(period)
    return Limits(cpus, 0 if memory == "max" else int(memory))


def _folder(groups: dict[str, str], controller: str, container: str, root: Path) -> Path | None:
    for names, path in groups.items():
        own = _own_part(path, container)
        if controller in names.split(",") and own:
            return root / "sys/fs/cgroup" / names / own
    return None


def _own_part(path: str, container: str) -> str:
    """The container's own group: systemd inside it moves its processes further down."""
    parts = path.strip("/").split("/")
    for depth, part in enumerate(parts, 1):
        if container in part:
            return "/".join(parts[:depth])
    return ""
