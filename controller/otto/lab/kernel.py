"""Limits of the kernel that many hosts on one machine run into."""

from dataclasses import dataclass
from pathlib import Path

# Every systemd and sshd takes some; with the default of 128, 4 of 30 hosts failed to come up.
INSTANCES = 1024
_INOTIFY = Path("/proc/sys/fs/inotify/max_user_instances")


@dataclass(frozen=True, slots=True)
class Inotify:
    """inotify instances one user may have; `warning` tells when they are too few and stay so."""

    instances: int
    raised: bool = False
    warning: str = ""


def ensure_inotify(path: Path = _INOTIFY) -> Inotify:
    """Raise the limit where it is too low and we may; lasts until the machine restarts."""
    now = inotify(path)
    if now.instances >= INSTANCES or not path.exists():
        return Inotify(now.instances)
    try:
        path.write_text(f"{INSTANCES}\n")
    except OSError:
        return now
    return Inotify(INSTANCES, raised=True)


def inotify(path: Path = _INOTIFY) -> Inotify:
    """The limit as it is."""
    try:
        instances = int(path.read_text())
    except (OSError, ValueError):
        return Inotify(0, warning=f"{path} cannot be read: not a Linux machine of ours?")
    if instances >= INSTANCES:
        return Inotify(instances)
    mend = f"as root: sysctl -w fs.inotify.max_user_instances={INSTANCES}"
    warning = f"fs.inotify.max_user_instances is {instances}: more than a few hosts fail to boot ({mend})"
    return Inotify(instances, warning=warning)
