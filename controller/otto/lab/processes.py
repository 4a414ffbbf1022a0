"""Processes of this machine, told apart from later ones that got the same number."""

import contextlib
import os
import signal
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from otto.lab.deadline import Deadline

_PROC = Path("/proc")
# proc(5): fields of /proc/PID/stat after the parenthesized name: 3 is the state, 22 the start time.
_STATE, _START = 0, 19


@dataclass(frozen=True, slots=True)
class Process:
    """One process: its number and its start, in clock ticks since the machine's."""

    pid: int
    started: int


def identify(pid: int) -> Process | None:
    """The process that has this number now, None when none lives. A zombie lives no more."""
    with contextlib.suppress(OSError):  # a child of ours that ended is waited for on this occasion
        os.waitpid(pid, os.WNOHANG)
    try:
        fields = (_PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()
    except (OSError, ValueError):
        return None
    if len(fields) <= _START or fields[_STATE] in "ZX":
        return None
    return Process(pid, int(fields[_START]))


def alive(process: Process) -> bool:
    """Whether that very process still runs."""
    return identify(process.pid) == process


def matching(*words: str) -> Iterator[Process]:
    """Processes, other than this one, whose command line holds all the words."""
    needles = [word.encode() for word in words]
    for entry in _PROC.iterdir():
        if not entry.name.isdigit() or int(entry.name) == os.getpid():
            continue
        try:
            line = (entry / "cmdline").read_bytes()
        except OSError:
            continue
        found = identify(int(entry.name)) if all(needle in line for needle in needles) else None
        if found:
            yield found


def end(process: Process, patience: float = 5.0) -> bool:
    """Ask a process to end, and make it when it does not; whether it is gone.

    Args:
        process: which.
        patience: seconds it gets after each signal.
    """
    for number in (signal.SIGTERM, signal.SIGKILL):
        if not alive(process):
            return True
        with contextlib.suppress(ProcessLookupError):
            os.kill(process.pid, number)
        for _ in Deadline.after(patience).every(0.02):
            if not alive(process):
                return True
    return False
