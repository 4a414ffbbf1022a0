"""Room to work in: OTTO_HOME, disk, memory, the port, the clock."""

import re
from pathlib import Path

from otto.cli.doctor.check import Check, State, good, judge
from otto.cli.doctor.machine import Outside
from otto.config import Settings

GIB = 1024**3
DISK, DISK_LEAST = 5 * GIB, 2 * GIB
MEMORY, MEMORY_LEAST = 2 * GIB, GIB // 2
_OURS = frozenset({"otto", "python", "python3", "python3.11", "python3.12", "python3.13"})
SOCKET_PATH = 107  # sun_path of unix(7) holds 108 bytes, the last one a zero


def home(outside: Outside, settings: Settings) -> Check:
    """OTTO_HOME can be written."""
    return judge(
        "OTTO_HOME",
        ok=outside.writable(settings.home),
        found=str(settings.home),
        needed="a folder we may write",
        mend=f"chown it to the user who runs OttO, or set OTTO_HOME to another folder than {settings.home}",
    )


def sockets(_outside: Outside, settings: Settings) -> Check:
    """Unix sockets live under OTTO_HOME, and the kernel allows them short paths only."""
    longest = len(str(settings.home / "lab" / "podman.sock").encode())
    return judge(
        "Socket paths",
        ok=longest <= SOCKET_PATH,
        found=f"{longest} bytes",
        needed=f"at most {SOCKET_PATH} bytes",
        mend="set OTTO_HOME to a folder with a shorter path",
    )


def secrets(outside: Outside, settings: Settings) -> Check:
    """What is secret is ours alone."""
    home = settings.home
    files = [home, home / "otto.db", home / "keys" / "id_ed25519", home / "control.sock"]
    folders = outside.children(home / "sites")
    open_ones = [path for path in [*files, *folders] if (outside.mode(path) or 0) & 0o077]
    return judge(
        "Private files",
        ok=not open_ones,
        found=", ".join(f"{path} has mode {outside.mode(path):o}" for path in open_ones)
        or "closed to others",
        needed="OTTO_HOME, keys, states, the database and the control socket closed to others",
        mend=" ".join(["chmod go=", *map(str, open_ones)]),
    )


def disk(outside: Outside, settings: Settings) -> Check:
    """Room for the base image, its building, and the sites."""
    places = (settings.home, Path("/var/lib/containers"), Path("/var/tmp"))  # noqa: S108  (mmdebstrap's)
    least, where = min((outside.free(path), path) for path in places)
    return judge(
        "Disk space",
        ok=least >= DISK,
        found=f"{least / GIB:.1f} GiB free for {where}",
        needed=f"{DISK // GIB} GiB",
        mend="make room; podman image prune removes old images",
        or_else=State.WARN if least >= DISK_LEAST else State.FAIL,
    )


def memory(outside: Outside, _settings: Settings) -> Check:
    """A host takes about 45 MiB, Terraform and Ansible some hundred for a moment."""
    match = re.search(r"^MemAvailable:\s*(\d+) kB", outside.read(Path("/proc/meminfo")) or "", re.MULTILINE)
    needed = f"{MEMORY // GIB} GiB"
    if match is None:
        return good("Memory", "cannot be told on this system", needed)
    available = int(match.group(1)) * 1024
    return judge(
        "Memory",
        ok=available >= MEMORY,
        found=f"{available / GIB:.1f} GiB available",
        needed=needed,
        mend="end other programs, or give this machine more",
        or_else=State.WARN if available >= MEMORY_LEAST else State.FAIL,
    )


def port(outside: Outside, settings: Settings) -> Check:
    """The API's port is free, or our own controller holds it."""
    address, number = settings.api.address, settings.api.port
    name, needed = "API port", f"{address}:{number} free, or ours"
    if outside.port_free(address, number):
        return good(name, "free", needed)
    holder = outside.run("ss", "-Hltnp", f"sport = :{number}") or ""
    match = re.search(r'users:\(\("([^"]+)",pid=(\d+)', holder)
    if outside.exists(settings.home / "control.sock") and (match is None or match.group(1) in _OURS):
        return good(name, "held by the controller of this OTTO_HOME", needed)
    who = f"process {match.group(2)} ({match.group(1)})" if match else "another process"
    return Check(
        name, State.FAIL, f"held by {who}", needed, "end that process, or set OTTO_API_PORT to a free port"
    )


def clock(outside: Outside, _settings: Settings) -> Check:
    """Certificates, tokens and schedules all need the time."""
    needed = "right, and kept so"
    now, installed = outside.now(), outside.installed_at()
    if now < installed:
        found = f"{now:%Y-%m-%d %H:%M} UTC, before OttO's own files were written ({installed:%Y-%m-%d %H:%M})"
        return Check("Clock", State.FAIL, found, needed, "set the clock: timedatectl set-ntp true")
    kept = (outside.run("timedatectl", "show", "--property=NTPSynchronized", "--value") or "").strip()
    return judge(
        "Clock",
        ok=kept != "no",
        found=f"{now:%Y-%m-%d %H:%M} UTC{', not synchronized' if kept == 'no' else ''}",
        needed=needed,
        mend="timedatectl set-ntp true",
        or_else=State.WARN,
    )
