"""One command at a time on a site, and a name for whoever is at it.

The lock is flock(2) on a file of the working folder. Terraform inherits the open file, and so does
whatever it starts: the lock is free when the last of them is gone, whoever was killed in between, and
never before.
"""

import fcntl
import json
import os
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path

from otto.adapters.terraform import processes
from otto.adapters.terraform.document import mapping, text, whole
from otto.adapters.terraform.folder import MODE, Folder
from otto.adapters.terraform.processes import Process
from otto.model.errors import WaitingError
from otto.ports import Clock


@dataclass(frozen=True, slots=True)
class Owner:
    """Who holds a lock, since when and for what. The command may run on in a child when it is gone."""

    pid: int
    start: int
    boot: str
    machine: str
    command: str
    since: str

    @classmethod
    def this_process(cls, command: str, now: datetime) -> "Owner":
        """The owner that this process is."""
        me = processes.identify(os.getpid())
        start = me.start if me else 0
        return cls(os.getpid(), start, processes.boot(), socket.gethostname(), command, now.isoformat())

    @property
    def lives(self) -> bool:
        """Whether it still runs; what runs on another machine is taken to."""
        if self.machine != socket.gethostname():
            return bool(self.machine)
        return self.boot == processes.boot() and processes.alive(Process(self.pid, self.start))

    def __str__(self) -> str:
        if not self.command:
            return "somebody unknown"
        return f"`{self.command}` of process {self.pid} on {self.machine} since {self.since}"


NOBODY = Owner(0, 0, "", "", "", "")


def owner(path: Path) -> Owner:
    """Who took the lock last, as recorded; `NOBODY` when that cannot be read."""
    try:
        content = mapping(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError):
        return NOBODY
    numbers = {name: whole(content.get(name)) for name in ("pid", "start")}
    words = {name: text(content.get(name)) for name in ("boot", "machine", "command", "since")}
    return Owner(**numbers, **words)  # type: ignore[arg-type]


def attempt(folder: Folder, me: Owner) -> int | None:
    """Take the lock if it is free.

    Returns:
        The open file that holds it, None when somebody else does or the folder has just gone.
    """
    try:
        descriptor = os.open(folder.lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, MODE)
    except FileNotFoundError:
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if _is_current(descriptor, folder.lock):
            _record(descriptor, me)
            return descriptor
    except BlockingIOError:
        pass
    os.close(descriptor)
    return None


def is_taken(folder: Folder) -> bool:
    """Whether anybody holds the lock now."""
    try:
        descriptor = os.open(folder.lock, os.O_RDWR | os.O_CLOEXEC)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False


@asynccontextmanager
async def held(folder: Folder, command: str, clock: Clock, patience: float) -> AsyncIterator[int]:
    """Hold the site's lock, making its folder if need be.

    Yields:
        The open file, for children to inherit.

    Raises:
        WaitingError: somebody else still holds it after `patience` seconds; says who.
    """
    deadline = clock.monotonic() + patience
    me = Owner.this_process(command, clock.now())
    folder.create()
    while (descriptor := attempt(folder, me)) is None:
        if clock.monotonic() >= deadline:
            raise busy(folder)
        await clock.sleep(min(0.1, patience))
        folder.create()
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def busy(folder: Folder) -> WaitingError:
    """The error that names who holds a site."""
    return WaitingError(
        f"site {folder.site} is being worked on by {owner(folder.lock)}", mend="it goes on when that ends"
    )


def _is_current(descriptor: int, path: Path) -> bool:
    """Whether the locked file is still the one at the path: a removed folder takes its lock along."""
    try:
        return os.path.samestat(os.fstat(descriptor), path.stat())
    except FileNotFoundError:
        return False


def _record(descriptor: int, me: Owner) -> None:
    os.ftruncate(descriptor, 0)
    os.pwrite(descriptor, json.dumps(asdict(me)).encode(), 0)
