"""Processes a run left behind.

Ansible's workers, and the ssh processes they start, each make a session of their own (ansible-core
2.19), so killing the command's process group misses them. They are found by an environment variable
that names the run, which every one of them inherits.
"""

import contextlib
import os
import signal
from pathlib import Path

MARK = "OTTO_ANSIBLE_RUN"
_PROC = Path("/proc")


def kill_strays(workspace: Path) -> int:
    """Kill what still runs for a workspace; how many processes that was.

    Connections that ssh keeps for the next run belong to no run and are left alone.
    """
    mark = f"{MARK}={workspace}".encode()
    killed = 0
    for pid in _pids():
        if _marked(pid, mark) and not _kept_connection(pid):
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(pid, signal.SIGKILL)
                killed += 1
    return killed


def _pids() -> list[int]:
    try:
        return [int(path.name) for path in _PROC.iterdir() if path.name.isdecimal()]
    except OSError:  # no /proc here: there is no way to find them
        return []


def _marked(pid: int, mark: bytes) -> bool:
    return pid != os.getpid() and mark in _read(pid, "environ").split(b"\0")


def _kept_connection(pid: int) -> bool:
    # ssh names such a process "ssh: /path/of/socket [mux]".
    command = _read(pid, "cmdline").rstrip(b"\0 ")
    return command.startswith(b"ssh: ") and command.endswith(b"[mux]")


def _read(pid: int, name: str) -> bytes:
    try:
        return (_PROC / str(pid) / name).read_bytes()
    except OSError:  # it ended, or is somebody else's
        return b""
