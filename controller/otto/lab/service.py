"""A Podman API service of our own: started when no engine answers, detached, found again later.

It outlives the controller on purpose, because a Terraform that outlives it still needs an engine. Ending it
ends no container.
"""

import hashlib
import json
import os
import shutil
import stat
import tempfile
from collections.abc import Mapping
from contextlib import AbstractContextManager
from pathlib import Path

from otto import resources
from otto.lab import processes
from otto.lab.deadline import Deadline
from otto.lab.files import locked, write
from otto.lab.ping import answers
from otto.lab.processes import Process
from otto.model.errors import TerminalError, TransientError

# unix(7): sun_path has room for 108 bytes, the last of them zero.
_LONGEST = 107
_START = 20.0
_LOCK = 60.0
_TAIL = 2000
_PASSED_ON = ("HOME", "LANG", "PATH", "TMPDIR", "USER", "XDG_RUNTIME_DIR")


class Service:
    """The Podman service of one lab folder.

    Args:
        folder: `OTTO_HOME/lab`.
        environ: of the controller; Podman gets a few variables of it.
    """

    def __init__(self, folder: Path, environ: Mapping[str, str] = os.environ) -> None:
        self._folder = folder.absolute()
        self._environ = environ
        self._record = self._folder / "podman.json"
        self._log = self._folder / "podman.log"
        self.socket = socket_path(self._folder, environ)

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"unix://{self.socket}"

    def process(self) -> Process | None:
        """The service's process, None when it does not run."""
        try:
            told = json.loads(self._record.read_text(encoding="utf-8"))
            process = Process(int(told["pid"]), int(told["started"]))
        except (OSError, ValueError, KeyError, TypeError):
            return None
        return process if processes.alive(process) else None

    def ensure(self) -> bool:
        """Have it run and answer; whether it had to be started.

        Raises:
            TerminalError: there is no Podman.
            TransientError: it does not come up in time.
        """
        if answers(self.url):
            return False
        with self._locked():
            if answers(self.url):  # whoever held the lock has started it
                return False
            self._stop()
            self._start()
            return True

    def stop(self) -> bool:
        """End it; containers go on. Whether it ran."""
        if not self._folder.is_dir():
            return False
        with self._locked():
            return self._stop()

    def _locked(self) -> AbstractContextManager[int]:
        return locked(self._folder / "podman.lock", _LOCK, "starting or stopping Podman")

    def _stop(self) -> bool:
        running = [*processes.matching("system", "service", self.url)]
        recorded = self.process()
        if recorded and recorded not in running:
            running.append(recorded)
        for process in running:
            processes.end(process)
        self.socket.unlink(missing_ok=True)
        self._record.unlink(missing_ok=True)
        if self.socket.parent != self._folder:
            shutil.rmtree(self.socket.parent, ignore_errors=True)
        return bool(running)

    def _start(self) -> None:
        program = shutil.which("podman", path=self._environ.get("PATH"))
        if program is None:
            raise TerminalError(
                "no container engine answers and Podman is not installed", mend="apt-get install podman"
            )
        settings = self._prepare()
        arguments = [program, "--log-level=warn", "system", "service", "--time=0", self.url]
        process = self._spawn(arguments, self._environment(settings))
        write(self._record, json.dumps({"pid": process.pid, "started": process.started}) + "\n")
        self._wait(process)

    def _prepare(self) -> Path:
        self._folder.mkdir(parents=True, exist_ok=True)
        if self.socket.parent != self._folder:
            _private(self.socket.parent)
        settings = self._folder / "containers.conf"
        write(settings, resources.path("infra", "lab", "containers.conf").read_text(encoding="utf-8"))
        return settings

    def _environment(self, settings: Path) -> dict[str, str]:
        passed = {name: self._environ[name] for name in _PASSED_ON if name in self._environ}
        return passed | {"CONTAINERS_CONF": str(settings)}

    def _spawn(self, arguments: list[str], environment: dict[str, str]) -> Process:
        """Start it in a session of its own, its output in a file: it needs nothing of ours to live."""
        actions = [
            (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
            (os.POSIX_SPAWN_OPEN, 1, str(self._log), os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600),
            (os.POSIX_SPAWN_DUP2, 1, 2),
        ]
        pid = os.posix_spawn(arguments[0], arguments, environment, file_actions=actions, setsid=True)
        process = processes.identify(pid)
        if process is None:
            raise self._failed("ended at once")
        return process

    def _wait(self, process: Process) -> None:
        for _ in Deadline.after(_START).every(0.02):
            if answers(self.url):
                return
            if not processes.alive(process):
                raise self._failed("ended at once")
        processes.end(process)
        raise self._failed(f"did not answer within {_START:.0f} s")

    def _failed(self, how: str) -> TransientError:
        try:
            said = self._log.read_text(encoding="utf-8", errors="replace")[-_TAIL:]
        except OSError:
            said = ""
        return TransientError(f"Podman's API service {how}", mend=f"see {self._log}", detail=said)


def socket_path(folder: Path, environ: Mapping[str, str]) -> Path:
    """Where the service of a lab folder listens: inside it, or in a short place when that is too long."""
    inside = folder / "podman.sock"
    if len(os.fsencode(inside)) <= _LONGEST:
        return inside
    key = hashlib.sha256(os.fsencode(folder)).hexdigest()[:12]
    return _runtime_folder(environ) / f"otto-{os.getuid()}-{key}" / "podman.sock"


def _runtime_folder(environ: Mapping[str, str]) -> Path:
    if os.getuid() == 0:
        return Path("/run")
    return Path(environ.get("XDG_RUNTIME_DIR") or tempfile.gettempdir())


def _private(folder: Path) -> None:
    """Make a folder nobody else can enter; in a shared place someone may have been there before."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    found = folder.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid() or found.st_mode & 0o077:
        raise TerminalError(f"{folder} is not ours alone", mend=f"remove {folder}")
