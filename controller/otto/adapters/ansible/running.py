"""One run of Ansible: in a thread of its own, its events handed over as they happen.

`ansible_runner` blocks, and runs the command in a session of its own, which it kills when its cancel
callback says so; what is left is killed after it. Were we killed ourselves, the kernel kills the command
(`setpriv --pdeathsig`) and the next controller the rest: roles are idempotent, so a run may be cut off.
"""

import asyncio
import contextlib
import json
import os
import threading
from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ansible_runner.interface import init_runner

from otto.adapters.ansible.command import PIPE, Command, arguments, environment, prelude, wrapped
from otto.adapters.ansible.processes import kill_strays
from otto.adapters.ansible.scrub import scrub
from otto.adapters.cancellation import unbroken
from otto.model.errors import OttoError, TerminalError, TransientError

Event = Mapping[str, Any]

_STOP_SECONDS = 30.0
# What Ansible may take to put its things away after its last word.
_TIDY_SECONDS = 5.0
_FIRST_WORD, _LAST_WORD = "playbook_on_start", "playbook_on_stats"


@dataclass(slots=True)
class Ending:
    """How a run ended.

    Attributes:
        code: exit status of Ansible.
        output: what it said outside of events, for a run that never began.
    """

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
        self._began = self._told_all = False
        self._left: TransientError | None = None
        self.ending = Ending()
        self._pipe = _pipe(command.workspace) if command.held else None
        self._thread.start()

    @property
    def ended(self) -> bool:
        """Whether it is over, processes and all."""
        return self._ended.is_set()

    @property
    def began(self) -> bool:
        """Whether its playbook has begun, and may have done something."""
        return self._began

    @property
    def told_all(self) -> bool:
        """Whether its playbook is done with all hosts: what is left is Ansible's to put away."""
        return self._told_all

    def release(self, tags: Sequence[str]) -> None:
        """Tell a run that was held the tags it is to play. It need not have come to its pipe yet, or live."""
        if self._pipe is not None:
            os.write(self._pipe, f"{json.dumps(list(tags))}\n".encode())

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
        """Kill what still runs, and wait until it is gone. Ansible that has told all may end by itself.

        Raises:
            TransientError: it does not go (a process the kernel cannot end).
        """
        if self._pipe is not None:
            os.close(self._pipe)
            self._pipe = None
        if self._told_all:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._ended.wait(), _TIDY_SECONDS)
        self._stop.set()
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
                **arguments(self._command),
                event_handler=self._take,
                cancel_callback=self._stop.is_set,
            )
            runner.config.env = environment(self._command, runner.config.env)
            runner.config.command = wrapped(runner.config.command, prelude(self._command))
            runner.run()
            self.ending.code = runner.rc
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
        self._began = self._began or event.get("event") == _FIRST_WORD
        self._told_all = self._told_all or event.get("event") == _LAST_WORD
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


@contextlib.asynccontextmanager
async def running(command: Command) -> AsyncGenerator[Running, None]:
    """A run that is stopped, processes and all, when the block is left in whatever way."""
    run = Running(command)
    try:
        yield run
    finally:
        await unbroken(run.stop())


def _pipe(workspace: Path) -> int:
    """A named pipe for what a held run is to play.

    It is open both ways here: so opening it waits for nobody, and the line waits for its reader.
    """
    os.mkfifo(workspace / PIPE, mode=0o600)
    return os.open(workspace / PIPE, os.O_RDWR | os.O_CLOEXEC)


def breakdown(run: Running) -> OttoError:
    """The error for a run that ended without its last word."""
    detail = scrub("\n".join(run.ending.output))
    if run.began:
        return TransientError(
            f"ansible broke off in the middle of a play (exit status {run.ending.code})", detail=detail
        )
    return TerminalError(
        f"ansible cannot run the playbook (exit status {run.ending.code})",
        mend="see the detail; roles and playbook come with OttO",
        detail=detail,
    )


def _translated(error: BaseException) -> BaseException:
    if isinstance(error, TerminalError | TransientError):
        return error
    if not isinstance(error, Exception):
        return error
    translated = TransientError(f"ansible could not be run: {scrub(f'{type(error).__name__}: {error}')}")
    translated.__cause__ = error
    return translated
