"""Processes a run left behind.

Ansible's workers, and the ssh processes they start, each make a session of their own (ansible-core
2.19), so killing the command's process group misses them. They are found by an environment variable
that names the run, which every one of them inherits.

They fork while we look: what a worker starts after its number was read is missed, and survives the
worker. So all of them are stopped first, which ends the forking, and looked for again until nobody
new is found; only then are they killed.
"""

import contextlib
import os
import signal
import time
from dataclasses import dataclass
from pathlib import Path

from otto.model.errors import TransientError

MARK = "OTTO_ANSIBLE_RUN"
_PROC = Path("/proc")
_SECONDS = 10.0
_PAUSE_SECONDS = 0.01
# On a machine where something ends all the time, no look is sure of everything.
_MOST_LOOKS = 10
# Fields of proc(5)'s `stat` after the name in parentheses, and the flag of the kernel's own threads.
_STATE, _PARENT, _FLAGS = 0, 1, 6
_KERNEL_THREAD = 0x00200000
_DEAD = ("Z", "X")


@dataclass(frozen=True, slots=True)
class _Sight:
    """One look at all processes: the run's, and those that could not be told yet."""

    ours: frozenset[int]
    unsure: frozenset[int]


def kill_strays(workspace: Path, seconds: float = _SECONDS) -> int:
    """Kill what still runs for a workspace and wait until it is gone; how many processes that was.

    Connections that ssh keeps for the next run belong to no run and are left alone.

    Args:
        workspace: the run's folder.
        seconds: how long they may take to go.

    Raises:
        TransientError: some do not go, such as processes that wait for a dead disk.
    """
    mark = f"{MARK}={workspace}".encode()
    deadline = time.monotonic() + seconds
    killed: set[int] = set()
    while True:
        frozen = _freeze(mark, deadline)
        for pid in frozen:
            _send(pid, signal.SIGKILL)
        killed |= frozen
        if not frozen:
            return len(killed)
        if time.monotonic() > deadline:
            numbers = ", ".join(str(pid) for pid in sorted(frozen)[:10])
            raise TransientError(
                f"{len(frozen)} processes of a run of ansible do not end {seconds:g} s after they were"
                f" killed: {numbers}",
                mend="see what they wait for: ps -o pid,stat,wchan,cmd -p " + numbers.replace(" ", ""),
            )
        time.sleep(_PAUSE_SECONDS)


def _freeze(mark: bytes, deadline: float) -> frozenset[int]:
    """Stop the run's living processes until a look finds no other; all that were stopped.

    What was stopped is never let go, even if it looks like another's by now: an ssh that was about to
    become a kept connection would stay stopped for ever.
    """
    frozen: frozenset[int] = frozenset()
    unsure: frozenset[int] = frozenset()
    looks = 0
    while True:
        sight, looks = _look(mark), looks + 1
        new = sight.ours - frozen
        for pid in new:
            _send(pid, signal.SIGSTOP)
        sure = sight.unsure <= unsure or looks >= _MOST_LOOKS
        if (sure and not new) or time.monotonic() > deadline:
            return frozen | new
        frozen, unsure = frozen | new, sight.unsure
        if unsure:
            time.sleep(_PAUSE_SECONDS)


def _look(mark: bytes) -> _Sight:
    ours: set[int] = set()
    unsure: set[int] = set()
    for pid in _pids():
        belongs = _belongs(pid, mark, ours)
        if belongs is None:
            unsure.add(pid)
        elif belongs:
            ours.add(pid)
    return _Sight(frozenset(ours), frozenset(unsure))


def _pids() -> list[int]:
    try:
        return sorted(int(path.name) for path in _PROC.iterdir() if path.name.isdecimal())
    except OSError:  # no /proc here: there is no way to find them
        return []


def _belongs(pid: int, mark: bytes, ours: set[int]) -> bool | None:
    """Whether a process lives and is the run's; None when that cannot be told at this moment.

    One that ended while we looked may have started another before, whether or not its parent has taken note
    yet; one that is just becoming another program shows no environment for a moment, and is the run's if the
    process that started it is.
    """
    if pid == os.getpid():
        return False
    try:
        environment = (_PROC / str(pid) / "environ").read_bytes()
    except PermissionError:  # somebody else's
        return False
    except OSError:  # it ended, or has none
        environment = b""
    if environment:
        marked = mark in environment.split(b"\0") and not _kept_connection(pid)
        return None if marked and _dead(_status(pid)) else marked
    fields = _status(pid)
    if _dead(fields):
        return None
    if int(fields[_FLAGS]) & _KERNEL_THREAD:
        return False
    return True if int(fields[_PARENT]) in ours else None


def _dead(fields: list[str]) -> bool:
    """Whether it has ended; its parent may not have taken note yet."""
    return not fields or fields[_STATE] in _DEAD


def _status(pid: int) -> list[str]:
    """Fields of its `stat` from the state on; none when it is gone."""
    return _read(pid, "stat").decode("ascii", "replace").rpartition(")")[2].split()


def _kept_connection(pid: int) -> bool:
    # ssh names such a process "ssh: /path/of/socket [mux]".
    command = _read(pid, "cmdline").rstrip(b"\0 ")
    return command.startswith(b"ssh: ") and command.endswith(b"[mux]")


def _read(pid: int, name: str) -> bytes:
    try:
        return (_PROC / str(pid) / name).read_bytes()
    except OSError:  # it ended, or is somebody else's
        return b""


def _send(pid: int, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.kill(pid, number)
