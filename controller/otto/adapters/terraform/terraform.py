"""Terraform's command line: python-terraform builds it, this class owns the process.

python-terraform 0.10.1 reads through pipes, knows no time limit and loses the child when its caller
dies. Here a child gets a session of its own and writes to a file, which is tailed. When the controller
is killed, Terraform therefore goes on and writes its state.
"""

import asyncio
import contextlib
import os
import subprocess
from asyncio.subprocess import Process as AsyncProcess
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import python_terraform

from otto.adapters.cancellation import unbroken
from otto.adapters.terraform import children, ending, messages, processes
from otto.adapters.terraform.folder import Folder, new_token, write
from otto.adapters.terraform.messages import Diagnostic, Message, Text
from otto.adapters.terraform.redaction import holds_secret, redact
from otto.adapters.terraform.rootmodule import values
from otto.adapters.terraform.settings import Settings
from otto.adapters.terraform.tail import Tail
from otto.model.canonical import Data
from otto.model.errors import TerminalError, TransientError
from otto.ports import Clock

FLAG = python_terraform.IsFlagged
Watch = Callable[[Message], None]
Options = Mapping[str, object]
NO_OPTIONS: Options = {}
_KEPT_LINES = 200


@dataclass(slots=True)
class Outcome:
    """How a command ended: its exit status and what it said."""

    status: int = -1
    diagnostics: list[Diagnostic] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)

    def add(self, message: Message) -> None:
        """Keep what tells why, not every line."""
        if isinstance(message, Diagnostic):
            self.diagnostics.append(message)
        elif isinstance(message, Text):
            self.lines = [*self.lines[1 - _KEPT_LINES :], message.line]

    @property
    def output(self) -> str:
        """The last lines that were no messages."""
        return "\n".join(self.lines)


class VariableFile:
    """Where python-terraform puts variables: one private file of the working folder.

    It would otherwise leave one in the system's temporary folder for each command.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    def create(self, variables: Mapping[str, Data]) -> str:
        """Write the values; the file's name."""
        write(self._path, values(variables))
        return str(self._path)

    def clean_up(self) -> None:
        """Keep the file: the next destroy needs its values."""


class Terraform(python_terraform.Terraform):  # type: ignore[misc]
    """Runs commands in one site's folder, whose lock the caller holds.

    Args:
        folder: the working folder.
        environment: all that a child is given.
        settings: binary and limits.
        clock: time.
        lock: the open file that holds the site's lock, for children to inherit.
        secrets: values that must not stay in a log.
    """

    def __init__(
        self,
        folder: Folder,
        environment: Mapping[str, str],
        *,
        settings: Settings,
        clock: Clock,
        lock: int,
        secrets: frozenset[str] = frozenset(),
    ) -> None:
        super().__init__(
            working_dir=str(folder.path), terraform_bin_path=settings.binary, is_env_vars_included=False
        )
        self.temp_var_files = VariableFile(folder.variables)
        self.folder = folder
        self.environment = dict(environment)
        self.settings = settings
        self.clock = clock
        self.lock = lock
        self.secrets = secrets

    def __getattr__(self, item: str) -> Any:  # noqa: ANN401
        """No command by accident: the parent turns every unknown name into one."""
        raise AttributeError(f"{type(self).__name__} has no {item}")

    def read_state_file(self, file_path: str | None = None) -> None:
        """Nothing: the parent would read the whole state, and fail where it is damaged."""

    async def run(
        self,
        command: str,
        *arguments: str,
        limit: float,
        watch: Watch | None = None,
        into: Path | None = None,
        options: Options = NO_OPTIONS,
    ) -> Outcome:
        """Run one command to its end.

        Args:
            command: the command's name.
            arguments: what follows the options.
            limit: seconds it may take.
            watch: told every message as it comes; what it raises ends the command.
            into: file for standard output, the log when None.
            options: as python-terraform takes them: `out`, `json` (`FLAG`), `var` (an object).

        Raises:
            TransientError: it took too long and was interrupted.
            TerminalError: the binary cannot be started.
        """
        token = new_token()
        line = self.generate_cmd_string(command, *arguments, **options)
        log = self.folder.log(self.clock.now(), command, token)
        process = await self._start(line, log, into, children.marker(self.folder, token))
        outcome = Outcome()
        try:
            children.start(self.folder, process.pid, command, self.clock.now())
            outcome.status = await self._follow(process, command, log, limit, _watching(outcome, watch))
        except BaseException:  # whatever it is, cancellation included: never leave the child running
            await unbroken(self._stop(process))
            raise
        finally:
            await unbroken(self._tidy(process, log))
        return outcome

    async def _start(self, line: list[str], log: Path, into: Path | None, mark: str) -> AsyncProcess:
        with contextlib.ExitStack() as files:
            errors = files.enter_context(log.open("ab"))
            output = files.enter_context(_private(into)) if into else errors
            try:
                return await asyncio.create_subprocess_exec(
                    *line,
                    cwd=self.folder.path,
                    env=self.environment | {children.VARIABLE: mark},
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=errors,
                    start_new_session=True,
                    pass_fds=(self.lock,),
                    umask=0o077,
                )
            except OSError as error:
                raise unusable(self.settings.binary, error) from error

    async def _follow(
        self, process: AsyncProcess, command: str, log: Path, limit: float, watch: Watch
    ) -> int:
        deadline = self.clock.monotonic() + limit
        ended = asyncio.ensure_future(process.wait())
        try:
            with Tail(log) as tail:
                while not ended.done():
                    await asyncio.wait({ended}, timeout=self.settings.poll)
                    _tell(tail.lines(), watch)
                    if self.clock.monotonic() > deadline and not ended.done():
                        raise self._too_slow(command, limit)
                _tell(tail.remainder(), watch)
            return ended.result()
        finally:
            ended.cancel()

    def _too_slow(self, command: str, limit: float) -> TransientError:
        return TransientError(
            f"terraform {command} of site {self.folder.site} took over {limit:g} s and was interrupted",
            mend="what it made until then is in the state; raise the limit if it needs more",
        )

    async def _stop(self, process: AsyncProcess) -> None:
        def send(number: int) -> None:
            with contextlib.suppress(ProcessLookupError):
                process.send_signal(number)

        async def gone(patience: float) -> bool:
            try:
                await asyncio.wait_for(process.wait(), patience)
            except TimeoutError:
                return False
            return True

        await ending.interrupt(send, gone, self.settings)

    async def _tidy(self, process: AsyncProcess, log: Path) -> None:
        # A Terraform that ended by itself has ended its providers; one that was killed has not, and
        # they may be in the middle of something.
        killed = process.returncode is None or process.returncode < 0
        patience = self.settings.grace if killed else ending.LINGER
        await ending.reap(lambda: processes.members(process.pid), patience, self.clock)
        children.forget(self.folder)
        self._scrub(log)
        self.folder.keep_logs(self.settings.keep_logs)

    def _scrub(self, log: Path) -> None:
        content = log.read_text(encoding="utf-8", errors="replace")
        if holds_secret(content, self.secrets):
            write(log, redact(content, self.secrets, limit=None))


def unusable(binary: str, error: OSError) -> TerminalError:
    """The error for a binary that cannot be started."""
    return TerminalError(
        f"{binary} cannot be started: {error.strerror}",
        mend="install Terraform or OpenTofu, or name its path in the setting terraform.binary",
    )


def _watching(outcome: Outcome, watch: Watch | None) -> Watch:
    def both(message: Message) -> None:
        outcome.add(message)
        if watch is not None:
            watch(message)

    return both


def _tell(lines: list[bytes], watch: Watch) -> None:
    for line in lines:
        if message := messages.read(line):
            watch(message)


def _private(path: Path) -> Any:  # noqa: ANN401  (an open binary file)
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600), "wb")
