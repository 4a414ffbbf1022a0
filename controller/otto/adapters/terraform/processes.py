"""Processes as Linux knows them (proc(5)): who they are, whether they still live, how to signal them.

A process is named by its id together with its start time, because ids are used again.
"""

import os
import signal
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

_PROC = Path("/proc")
_DEAD = frozenset("ZXx")
# Places in /proc/PID/stat after the command, which is in parentheses and may hold anything.
_STATE, _SESSION, _START = 0, 3, 19


@dataclass(frozen=True, slots=True, order=True)
class Process:
    """One process: its id and its start time, in clock ticks since boot."""

    pid: int
    start: int


def identify(pid: int) -> Process | None:
    """The living process with that id; None when there is none, or only its zombie."""
    fields = _stat(pid)
    return Process(pid, int(fields[_START])) if fields and fields[_STATE] not in _DEAD else None


def alive(process: Process) -> bool:
    """Whether that very process still runs."""
    return identify(process.pid) == process


def boot() -> str:
    """Names the time since the machine was started: after a restart, ids and start times mean others."""
    try:
        return (_PROC / "sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        return ""


def members(session: int) -> list[Process]:
    """Living processes of a session (setsid(2)), named by the id of the process that began it."""
    wanted = str(session)
    return [
        Process(pid, int(fields[_START]))
        for pid in _pids()
        if (fields := _stat(pid)) and fields[_SESSION] == wanted and fields[_STATE] not in _DEAD
    ]


def marked(variable: str, prefix: str) -> list[Process]:
    """Our own user's living processes whose environment has a variable that begins so."""
    wanted = f"{variable}={prefix}".encode()
    return [process for pid in _pids() if _has(pid, wanted) and (process := identify(pid))]


def session(process: Process) -> int:
    """Id of the session it belongs to (setsid(2)), 0 when it is gone."""
    fields = _stat(process.pid)
    return int(fields[_SESSION]) if fields else 0


def holders(path: Path) -> list[int]:
    """Ids of processes that have the file open, as far as we may look."""
    try:
        wanted = path.stat()
    except OSError:
        return []
    return [pid for pid in _pids() if _has_open(pid, wanted)]


def send(process: Process, number: signal.Signals) -> None:
    """Signal that very process; nothing happens when it is gone.

    The id is pinned by a file descriptor first (pidfd_open(2)), so that it cannot name another process
    by the time the signal arrives.
    """
    try:
        pinned = os.pidfd_open(process.pid)
    except ProcessLookupError:
        return
    try:
        if alive(process):
            signal.pidfd_send_signal(pinned, number)
    except ProcessLookupError:
        return
    finally:
        os.close(pinned)


def _pids() -> Iterator[int]:
    return (int(name) for name in os.listdir(_PROC) if name.isdigit())  # noqa: PTH208  (names suffice)


def _stat(pid: int) -> list[str]:
    try:
        content = (_PROC / str(pid) / "stat").read_text(errors="replace")
    except OSError:
        return []
    return content.rpartition(")")[2].split()


def _has(pid: int, assignment: bytes) -> bool:
    try:
        environment = (_PROC / str(pid) / "environ").read_bytes()
    except OSError:
        return False
    return any(entry.startswith(assignment) for entry in environment.split(b"\0"))


def _has_open(pid: int, wanted: os.stat_result) -> bool:
    try:
        entries = list((_PROC / str(pid) / "fd").iterdir())
    except OSError:
        return False
    return any(_is(entry, wanted) for entry in entries)


def _is(entry: Path, wanted: os.stat_result) -> bool:
    try:
        return os.path.samestat(entry.stat(), wanted)
    except OSError:  # closed since it was listed
        return False
