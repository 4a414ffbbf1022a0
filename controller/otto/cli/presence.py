"""Whether a controller runs over an OTTO_HOME. Imports nothing that takes its time."""

import json
import os
import socket
from pathlib import Path

from otto.desk.seen import Around, Presence

_LIMIT = 2.0
_LINE = 4096


def find(home: Path, limit: float = _LIMIT) -> Presence | None:
    """The controller of a home, None when none answers within `limit` seconds."""
    try:
        answer = _info(home, limit)
        return Presence(int(answer["pid"]), str(answer["version"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None


def around(home: Path) -> Around:
    """Who is at work over a home."""
    controller = find(home)
    return Around(controller, controller is None and held(home))


def held(home: Path, locks: Path = Path("/proc/locks")) -> bool:
    """Whether a process holds the home's lock: a controller, or a command that works as one (proc(5)).

    The lock itself is not tried: that would bar a controller which starts at this very moment.
    """
    try:
        inode = (home / "controller.lock").stat().st_ino
        lines = locks.read_text(encoding="ascii").splitlines()
    except (OSError, ValueError):
        return False
    return any("FLOCK" in line and f":{inode} " in line for line in lines)


def _info(home: Path, limit: float) -> dict[str, str]:
    # A path over 107 bytes does not fit into sockaddr_un; a descriptor's name always does.
    folder = os.open(home, os.O_RDONLY | os.O_DIRECTORY)
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as client:
            client.settimeout(limit)
            client.connect(f"/proc/self/fd/{folder}/control.sock")
            client.sendall(b'{"op": "info"}\n')
            answer: dict[str, str] = json.loads(client.makefile("rb").readline(_LINE))
            return answer
    finally:
        os.close(folder)
