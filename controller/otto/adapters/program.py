"""Somebody's program, asked once: JSON in, text out, and nothing of it left behind.

It is run without a shell, in a session of its own, in an empty temporary folder, with a small environment,
and never for longer, nor with more output, than it is allowed. What it started ends with it: its process
group, and by a mark in the environment also what left the group.
"""

import asyncio
import contextlib
import os
import secrets
import signal
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from otto.adapters.cancellation import unbroken

MARK = "OTTO_PROGRAM"
_PROC = Path("/proc")
_CHUNK = 64 * 1024
_LAST = 4096
# A process that forks while we look is found by the next look.
_MOST_LOOKS = 20


@dataclass(frozen=True, slots=True)
class Ended:
    """How a program ended.

    Attributes:
        status: its exit status, negative for a signal; None when it was stopped, or never ran.
        output: what it wrote to standard output, up to the limit.
        errors: the end of what it wrote to standard error.
        trouble: why it was stopped or never ran, in words; "" when it ended by itself.
    """

    status: int | None
    output: bytes = field(default=b"", repr=False)
    errors: bytes = field(default=b"", repr=False)
    trouble: str = ""

    @property
    def last_words(self) -> str:
        """The last line of its errors, "" for none."""
        lines = self.errors.decode(errors="replace").strip().splitlines()
        return lines[-1] if lines else ""


async def run(
    command: Sequence[str],
    given: bytes,
    *,
    seconds: float,
    most: int = 1024 * 1024,
    environ: Mapping[str, str] | None = None,
) -> Ended:
    """Run a program to its end, or to the end of what it may take; raises for nothing that it does.

    Args:
        command: the executable and its arguments.
        given: what it finds on standard input.
        seconds: how long it may take.
        most: bytes it may write to standard output.
        environ: variables it gets besides PATH, HOME, TMPDIR and LANG.
    """
    if not command:
        return Ended(None, trouble="it cannot be run: no executable is named")
    mark = secrets.token_hex(16)
    with tempfile.TemporaryDirectory(prefix="otto-program-", ignore_cleanup_errors=True) as folder:
        small = {
            "PATH": os.environ.get("PATH", os.defpath),
            "HOME": folder,
            "TMPDIR": folder,
            "LANG": "C.UTF-8",
            **(environ or {}),
            MARK: mark,
        }
        try:
            return await _run(_Call(tuple(command), given, seconds, most, small, folder))
        except (OSError, ValueError) as error:
            words = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
            return Ended(None, trouble=f"it cannot be run: {words}")
        finally:
            # It reads of every process of the machine: the others do not wait for that.
            await unbroken(asyncio.to_thread(end_strays, f"{MARK}={mark}".encode()))


@dataclass(frozen=True, slots=True)
class _Call:
    command: tuple[str, ...]
    given: bytes
    seconds: float
    most: int
    environ: Mapping[str, str]
    folder: str


async def _run(call: _Call) -> Ended:
    # Pipes of our own, not asyncio's: its `wait` would also wait for grandchildren that hold them open.
    with tempfile.TemporaryFile() as standard_input, _Outlet(call.most) as out, _Outlet(None) as err:
        standard_input.write(call.given)
        standard_input.seek(0)
        process = await asyncio.create_subprocess_exec(
            *call.command,
            stdin=standard_input,
            stdout=out.end,
            stderr=err.end,
            cwd=call.folder,
            env=call.environ,
            start_new_session=True,
        )
        try:
            trouble = await _wait(process, out, call)
        finally:
            await _kill(process)
        out.drain()
        err.drain()
        if out.full.is_set() and not trouble:
            trouble = f"it wrote more than {call.most} bytes"
    return Ended(None if trouble else process.returncode, bytes(out.kept), bytes(err.kept), trouble)


async def _wait(process: asyncio.subprocess.Process, out: "_Outlet", call: _Call) -> str:
    """Wait until it has ended, or written more than it may; why it has to be stopped otherwise."""
    ending = asyncio.ensure_future(process.wait())
    filling = asyncio.ensure_future(out.full.wait())
    try:
        done, _ = await asyncio.wait(
            (ending, filling), timeout=call.seconds, return_when=asyncio.FIRST_COMPLETED
        )
    finally:
        ending.cancel()
        filling.cancel()
    return "" if done else f"it did not end within {call.seconds:g} s"


async def _kill(process: asyncio.subprocess.Process) -> None:
    """Kill it with its process group, when it lives, and see it gone."""
    if process.returncode is None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        await unbroken(process.wait())


class _Outlet:
    """A pipe that is emptied as it fills: the first bytes are kept up to a limit, or else the last ones.

    Attributes:
        end: where the program writes.
        kept: what is kept of that.
        full: set when more came than may.
    """

    def __init__(self, most: int | None) -> None:
        self._most = most
        self.kept = bytearray()
        self.full = asyncio.Event()
        self._mouth, self.end = os.pipe2(os.O_CLOEXEC)
        os.set_blocking(self._mouth, False)

    def __enter__(self) -> Self:
        asyncio.get_running_loop().add_reader(self._mouth, self._read)
        return self

    def __exit__(self, *_: object) -> None:
        asyncio.get_running_loop().remove_reader(self._mouth)
        os.close(self._mouth)
        os.close(self.end)

    def drain(self) -> None:
        """Take what is still in the pipe."""
        while self._read():
            pass

    def _read(self) -> bool:
        """Take one piece; whether there may be more."""
        try:
            piece = os.read(self._mouth, _CHUNK)
        except BlockingIOError:
            return False
        self.kept += piece
        if self._most is None:
            del self.kept[:-_LAST]
        elif len(self.kept) > self._most:
            del self.kept[self._most :]
            self.full.set()
        return bool(piece) and not self.full.is_set()


def end_strays(mark: bytes, *, spared: frozenset[str] = frozenset()) -> None:
    """Kill every process that has this variable, as `NAME=value`, in the environment it was started with.

    Args:
        mark: the variable.
        spared: names of programs that are left alone.
    """
    for _ in range(_MOST_LOOKS):
        strays = [pid for pid in _pids() if _marked(pid, mark) and _name(pid) not in spared]
        if not strays:
            return
        for pid in strays:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(pid, signal.SIGKILL)


def _pids() -> Iterator[int]:
    try:
        return (int(name) for name in os.listdir(_PROC) if name.isdecimal())  # noqa: PTH208  (names suffice)
    except OSError:  # no /proc here: there is no way to find them
        return iter(())


def _marked(pid: int, mark: bytes) -> bool:
    # A zombie has no environment any more.
    try:
        return mark in (_PROC / str(pid) / "environ").read_bytes().split(b"\0")
    except OSError:  # it ended, or is somebody else's
        return False


def _name(pid: int) -> str:
    try:
        return (_PROC / str(pid) / "comm").read_text(encoding="utf-8", errors="replace").strip()
    except OSError:  # it ended
        return ""
