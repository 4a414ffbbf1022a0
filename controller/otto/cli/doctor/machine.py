"""The machine as the doctor sees it: a protocol, so that checks are tested as tables, and the real one."""

import contextlib
import importlib.metadata
import os
import re
import resource
import shutil
import socket
import subprocess
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

from otto.lab import engine
from otto.lab.api import Api
from otto.model.errors import OttoError

_TIMEOUT = 10.0


class Outside(Protocol):
    """What the checks may ask. Nothing here raises for what is missing, and nothing changes anything."""

    def environ(self, name: str) -> str:
        """An environment variable; empty when it is not set."""

    def which(self, program: str) -> str | None:
        """Where a program lies."""

    def run(self, *command: str) -> str | None:
        """Standard output of a command; None when it is missing, fails or takes over ten seconds."""

    def read(self, path: Path) -> str | None:
        """Text of a file; None when it cannot be read."""

    def exists(self, path: Path) -> bool:
        """Whether there is something at a path."""

    def children(self, path: Path) -> list[Path]:
        """What a folder holds, sorted; nothing when it is not there."""

    def mode(self, path: Path) -> int | None:
        """Permission bits; None when nothing is there."""

    def writable(self, path: Path) -> bool:
        """Whether a file could be made at a path: its nearest existing folder lets us write."""

    def free(self, path: Path) -> int:
        """Free bytes on the file system of a path, or of its nearest existing folder."""

    def engine(self, folder: Path, setting: str) -> tuple[str, str]:
        """Where a container engine answers, and what is wrong with the one named; each may be empty."""

    def image(self, url: str, reference: str) -> bool:
        """Whether the engine that answers at a URL has an image."""

    def port_free(self, address: str, port: int) -> bool:
        """Whether a TCP port can be listened on."""

    def user(self) -> int:
        """Our effective user id."""

    def hard_limit(self, name: str) -> int:
        """A hard resource limit (`nofile`, `nproc`); the largest of integers when there is none."""

    def python(self) -> tuple[int, int, int]:
        """Python's version."""

    def installed(self) -> Mapping[str, str]:
        """Installed distributions: normalized name -> version."""

    def requirements(self) -> list[str]:
        """What OttO's own distribution asks for."""

    def now(self) -> datetime:
        """The time of day."""

    def installed_at(self) -> datetime:
        """When OttO's own files were put here."""


class Machine:
    """The real one."""

    def environ(self, name: str) -> str:
        """See `Outside`."""
        return os.environ.get(name, "")

    def which(self, program: str) -> str | None:
        """See `Outside`; looks beside our Python and in the system's folders too."""
        folders = [str(Path(sys.executable).parent), os.environ.get("PATH", ""), "/usr/sbin", "/sbin"]
        return shutil.which(program, path=os.pathsep.join(folders))

    def run(self, *command: str) -> str | None:
        """See `Outside`."""
        program = self.which(command[0])
        if program is None:
            return None
        try:
            done = subprocess.run(
                [program, *command[1:]],
                capture_output=True,
                text=True,
                errors="replace",
                timeout=_TIMEOUT,
                stdin=subprocess.DEVNULL,
                check=False,
            )
        except (OSError, subprocess.TimeoutExpired):
            return None
        return done.stdout if done.returncode == 0 else None

    def read(self, path: Path) -> str | None:
        """See `Outside`."""
        try:
            return path.read_text(encoding="utf-8", errors="replace")
        except OSError:
            return None

    def exists(self, path: Path) -> bool:
        """See `Outside`."""
        return os.path.lexists(path)

    def children(self, path: Path) -> list[Path]:
        """See `Outside`."""
        try:
            return sorted(path.iterdir())
        except OSError:
            return []

    def mode(self, path: Path) -> int | None:
        """See `Outside`."""
        try:
            return path.stat().st_mode & 0o7777
        except OSError:
            return None

    def writable(self, path: Path) -> bool:
        """See `Outside`."""
        return os.access(_nearest(path), os.W_OK | os.X_OK)

    def free(self, path: Path) -> int:
        """See `Outside`."""
        return shutil.disk_usage(_nearest(path)).free

    def engine(self, folder: Path, setting: str) -> tuple[str, str]:
        """See `Outside`."""
        try:
            found = engine.find(folder, setting)
        except OttoError as error:
            return "", str(error)
        return (found.url if found else ""), ""

    def image(self, url: str, reference: str) -> bool:
        """See `Outside`."""
        try:
            with contextlib.closing(Api(url, _TIMEOUT)) as api:
                return api.image(reference) is not None
        except OttoError:
            return False

    def port_free(self, address: str, port: int) -> bool:
        """See `Outside`."""
        try:
            family, kind, *_, where = socket.getaddrinfo(address, port, type=socket.SOCK_STREAM)[0]
            with socket.socket(family, kind) as server:
                server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                server.bind(where)
        except OSError:
            return False
        return True

    def user(self) -> int:
        """See `Outside`."""
        return os.geteuid()

    def hard_limit(self, name: str) -> int:
        """See `Outside`."""
        limits = {"nofile": resource.RLIMIT_NOFILE, "nproc": resource.RLIMIT_NPROC}
        hard = resource.getrlimit(limits[name])[1]
        return sys.maxsize if hard == resource.RLIM_INFINITY else hard

    def python(self) -> tuple[int, int, int]:
        """See `Outside`."""
        return sys.version_info[:3]

    def installed(self) -> Mapping[str, str]:
        """See `Outside`."""
        found = importlib.metadata.distributions()
        return {re.sub(r"[-_.]+", "-", item.name).lower(): item.version for item in found}

    def requirements(self) -> list[str]:
        """See `Outside`."""
        try:
            return importlib.metadata.requires("otto-controller") or []
        except importlib.metadata.PackageNotFoundError:
            return []

    def now(self) -> datetime:
        """See `Outside`."""
        return datetime.now(UTC)

    def installed_at(self) -> datetime:
        """See `Outside`."""
        return datetime.fromtimestamp(Path(__file__).stat().st_mtime, UTC)


def _nearest(path: Path) -> Path:
    """The path, or the first of the folders above it that exists."""
    absolute = path.absolute()
    return next(place for place in (absolute, *absolute.parents) if place.exists())
