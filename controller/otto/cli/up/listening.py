"""Take the API's port, or say who has it."""

import errno
import os
import socket
from pathlib import Path

from otto.config import ApiSettings
from otto.model.errors import UsageError

_BACKLOG = 2048
_LISTEN = "0A"
_BUSY = frozenset({errno.EADDRINUSE, errno.EACCES, errno.EADDRNOTAVAIL})


def listen(settings: ApiSettings) -> socket.socket:
    """A socket that listens where the settings say.

    Raises:
        UsageError: the port is taken, barred, or the address is not ours.
    """
    try:
        family, kind, protocol, _, where = socket.getaddrinfo(
            settings.address, settings.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
    except OSError as error:
        raise UsageError(
            f"address {settings.address!r} cannot be listened on: {error.strerror or error}",
            mend="correct the setting api.address (OTTO_API_ADDRESS)",
        ) from error
    # Named, since asyncio switches Nagle's algorithm off only for what it surely knows to be TCP: the second
    # piece of an answer would wait for the first one's delayed acknowledgement, 40 ms.
    server = socket.socket(family, kind, protocol)
    try:
        server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        server.bind(where)
        server.listen(_BACKLOG)
        server.setblocking(False)  # noqa: FBT003  (the standard library's own)
    except OSError as error:
        server.close()
        raise _refused(settings, error) from error
    return server


def url_of(server: socket.socket, *, tls: bool = False) -> str:
    """The URL of a listening socket; one that listens everywhere is reached on loopback."""
    address, port = server.getsockname()[:2]
    host = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(address)  # noqa: S104  (compared with, not bound)
    return f"http{'s' if tls else ''}://{host or (f'[{address}]' if ':' in address else address)}:{port}"


def _refused(settings: ApiSettings, error: OSError) -> UsageError:
    where = f"{settings.address}:{settings.port}"
    if error.errno == errno.EADDRINUSE:
        owner = owner_of(settings.port)
        return UsageError(
            f"port {settings.port} on {settings.address} is taken{f' by {owner}' if owner else ''}",
            mend="end that, or take another port: OTTO_API_PORT=7071 (0 takes any free one)",
        )
    mend = "choose another with OTTO_API_ADDRESS and OTTO_API_PORT" if error.errno in _BUSY else ""
    return UsageError(f"{where} cannot be listened on: {error.strerror}", mend=mend)


def owner_of(port: int, proc: Path = Path("/proc")) -> str:
    """Who listens on a TCP port, as `name (process 42)`; "" when that cannot be seen (proc(5))."""
    inodes = {
        f"socket:[{inode}]" for table in ("tcp", "tcp6") for inode in _inodes(proc / "net" / table, port)
    }
    if not inodes:
        return ""
    for folder in proc.glob("[0-9]*"):
        if inodes & set(_links(folder / "fd")):
            name = _text(folder / "comm").strip() or "a process"
            return f"{name} (process {folder.name})"
    return ""


def _inodes(table: Path, port: int) -> list[str]:
    found = []
    for line in _text(table).splitlines()[1:]:
        fields = line.split()
        local, state, inode = fields[1], fields[3], fields[9]
        if state == _LISTEN and int(local.rpartition(":")[2], 16) == port:
            found.append(inode)
    return found


def _links(folder: Path) -> list[str]:
    try:
        return [_link(item) for item in folder.iterdir()]
    except OSError:
        return []


def _link(path: Path) -> str:
    try:
        return os.readlink(path)  # noqa: PTH115  (a socket's link is no path)
    except OSError:
        return ""


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
