"""One run of Ansible: in a thread of its own, its events handed over as they happen.

`ansible_runner` blocks, and runs the command in a session of its own, which it kills when its cancel
callback says so; what is left is killed after it. Were we killed ourselves, the kernel kills the command
(`setpriv --pdeathsig`) and the next controller the rest: roles are idempotent, so a run may be cut off.
"""

import asyncio
import json
import os
import shutil
import sys
import threading
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ansible_runner.interface import init_runner

from otto.adapters.ansible.processes import MARK, kill_strays
from otto.adapters.ansible.scrub import scrub
from otto.model.errors import TerminalError, TransientError

Event = Mapping[str, Any]

# How long the runner waits for output before it asks whether to stop.
_POLL_SECONDS = 0.2
_STOP_SECONDS = 30.0
_COMMANDS = ("ansible", "ansible-playbook")
_PRELUDE = Path(__file__).with_name("prelude.py")
_PIPE = "play"
# What ansible_runner sets for its own callback plugin; nothing else of its environment, which begins as
# a copy of ours, reaches Ansible.
_RUNNERS_OWN = (
    "AD_HOC_COMMAND_ID",
    "ANSIBLE_CALLBACK_PLUGINS",
    "ANSIBLE_LOAD_CALLBACK_PLUGINS",
    "ANSIBLE_STDOUT_CALLBACK",
    "AWX_ISOLATED_DATA_DIR",
    "RUNNER_OMIT_EVENTS",
    "RUNNER_ONLY_FAILED_EVENTS",
)


@dataclass(frozen=True, slots=True)
class Command:
    """What to run: a playbook with tags, or one module on every host.

    Attributes:
        folder: `infra/ansible`.
        workspace: private folder, holding `inventory.yml`.
        forks: hosts worked on at once.
        playbook: file in the folder.
        tags: tags of the playbook's tasks to run.
        module: module to run instead of a playbook.
        arguments: its arguments.
        held: whether it waits, loaded, until `Running.release` says what to play.
    """

    folder: Path
    workspace: Path
    forks: int
    playbook: str = ""
    tags: str = ""
    module: str = ""
    arguments: str = ""
    held: bool = False


@dataclass(slots=True)
class Ending:
    """How a run ended.

    Attributes:
        status: `successful`, `failed`, `canceled` or `timeout`, as ansible_runner names them.
        code: exit status of Ansible.
        output: what it said outside of events, for a run that never began.
    """

    status: str = "unstarted"
    code: int = -1
    output: list[str] = field(default_factory=list)


class Running:
    """A run that is under way. `events` yields until it has ended; then `ending` says how."""

    def __init__(self, command: Command) -> None:
        self._loop = asyncio.get_running_loop()
        self._queue: asyncio.Queue[Event | BaseException | None] = asyncio.Queue()
        self._stop = threading.Event()
        self._command = command
        self._thread = threading.Thread(target=self._work, name="otto-ansible", daemon=True)
        self._ended = asyncio.Event()
        self._left: TransientError | None = None
        self.ending = Ending()
        self._pipe = _pipe(command.workspace) if command.held else None
        self._thread.start()

    @property
    def ended(self) -> bool:
        """Whether it is over, processes and all."""
        return self._ended.is_set()

    def release(self, tags: str) -> None:
        """Tell a run that was held the tags it is to play."""
        if self._pipe is not None:
            os.write(self._pipe, f"{json.dumps(['--tags', tags])}\n".encode())

    async def events(self) -> AsyncGenerator[Event, None]:
        """Yield events as they happen.

        Raises:
            TerminalError: Ansible could not be started.
            TransientError: it broke down before it had begun.
        """
        while (item := await self._queue.get()) is not None:
            if isinstance(item, BaseException):
                raise _translated(item)
            yield item

    async def stop(self) -> None:
        """Kill what still runs, and wait until it is gone.

        Raises:
            TransientError: it does not go (a process the kernel cannot end).
        """
        self._stop.set()
        if self._pipe is not None:
            os.close(self._pipe)
            self._pipe = None
        try:
            async with asyncio.timeout(_STOP_SECONDS):
                await self._ended.wait()
        except TimeoutError:
            raise TransientError(f"ansible does not end {_STOP_SECONDS:g} s after it was killed") from None
        if self._left is not None:
            raise self._left

    def _work(self) -> None:
        try:
            runner = init_runner(
                **_arguments(self._command),
                event_handler=self._take,
                cancel_callback=self._stop.is_set,
            )
            runner.config.env = _environment(self._command, runner.config.env)
            runner.config.command = _wrapped(runner.config.command, _held(self._command))
            runner.run()
            self.ending.status, self.ending.code = runner.status, runner.rc
            self._put(None)
        except BaseException as error:  # noqa: BLE001  (handed to the waiting coroutine)
            self._put(error)
        finally:
            self._clear_up()
            self._call(self._ended.set)

    def _clear_up(self) -> None:
        try:
            kill_strays(self._command.workspace)
        except TransientError as error:
            self._left = error

    def _take(self, event: Event) -> bool:
        if event.get("event") in ("verbose", "error") and event.get("stdout"):
            self.ending.output.append(str(event["stdout"]))
        else:
            self._put(event)
        return False  # keeps ansible_runner from writing the event to a file

    def _put(self, item: Event | BaseException | None) -> None:
        self._call(self._queue.put_nowait, item)

    def _call(self, function: Any, *arguments: object) -> None:  # noqa: ANN401
        try:
            self._loop.call_soon_threadsafe(function, *arguments)
        except RuntimeError:  # the loop is closed: nobody listens any more
            self._stop.set()


@asynccontextmanager
async def running(command: Command) -> AsyncGenerator[Running, None]:
    """A run that is stopped, processes and all, when the block is left in whatever way."""
    run = Running(command)
    try:
        yield run
    finally:
        await asyncio.shield(run.stop())


def _arguments(command: Command) -> dict[str, object]:
    common: dict[str, object] = {
        "private_data_dir": str(command.workspace),
        "project_dir": str(command.folder),
        "inventory": str(command.workspace / "inventory.yml"),
        "forks": command.forks,
        "quiet": True,
        "fact_cache_type": "",
        "envvars": {"ANSIBLE_CALLBACK_PLUGINS": "", "ANSIBLE_STDOUT_CALLBACK": ""},
        "settings": {
            "pexpect_timeout": _POLL_SECONDS,
            "suppress_ansible_output": True,
            "suppress_output_file": True,
        },
    }
    if command.module:
        own = {"module": command.module, "module_args": command.arguments, "host_pattern": "all"}
    else:
        own = {"playbook": str(command.folder / command.playbook), "tags": command.tags}
    return common | own


def _environment(command: Command, runners: Mapping[str, str]) -> dict[str, str]:
    binaries = Path(sys.executable).parent
    return {name: runners[name] for name in _RUNNERS_OWN if name in runners} | {
        MARK: str(command.workspace),
        "PATH": f"{binaries}:{os.environ.get('PATH', os.defpath)}",
        "HOME": str(command.workspace),
        "LANG": "C.UTF-8",
        "LC_ALL": "C.UTF-8",
        "TERM": "dumb",
        "PYTHONDONTWRITEBYTECODE": "1",
        "ANSIBLE_CONFIG": str(command.folder / "ansible.cfg"),
        "ANSIBLE_HOME": str(command.workspace / "ansible"),
        "ANSIBLE_LOCAL_TEMP": str(command.workspace / "tmp"),
        "ANSIBLE_HOST_KEY_CHECKING": "True",
        "ANSIBLE_NOCOLOR": "1",
    }


def _pipe(workspace: Path) -> int:
    """A named pipe for what a held run is to play.

    It is open both ways here: so opening it waits for nobody, and the line waits for its reader.
    """
    os.mkfifo(workspace / _PIPE, mode=0o600)
    return os.open(workspace / _PIPE, os.O_RDWR | os.O_CLOEXEC)


def _wrapped(line: list[str], held: Sequence[str] = ()) -> list[str]:
    """The command by its full path, dying with the thread that started it where the system can do that."""
    name = line[0]
    if name not in _COMMANDS:
        raise TerminalError(f"ansible_runner wants to run {name!r}, which OttO never asks for")
    beside = Path(sys.executable).parent / name
    path = str(beside) if beside.exists() else shutil.which(name)
    if path is None:
        raise TerminalError(
            f"{name} is not installed", mend="make run (or infra/setup/setup run) installs it"
        )
    guard = shutil.which("setpriv")
    prefix = [guard, "--pdeathsig", "KILL", "--"] if guard else []
    return [*prefix, *(held or [path]), *line[1:]]


def _held(command: Command) -> Sequence[str]:
    """What is started in the command's place when it is to wait."""
    if not command.held:
        return ()
    return (sys.executable, "-P", str(_PRELUDE), str(command.workspace / _PIPE))


def _translated(error: BaseException) -> BaseException:
    if isinstance(error, TerminalError | TransientError):
        return error
    if not isinstance(error, Exception):
        return error
    translated = TransientError(f"ansible could not be run: {scrub(f'{type(error).__name__}: {error}')}")
    translated.__cause__ = error
    return translated
