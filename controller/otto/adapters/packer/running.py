"""Packer itself: its version, its verdict on a template, and a build, line by line as it talks.

It runs in a process group of its own. Interrupted, it removes what it made; what it does not end in time is
killed with all it started, found by a mark in the environment. Should we be killed, the kernel interrupts it.
"""

import asyncio
import contextlib
import os
import re
import shutil
import signal
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from otto.adapters import program
from otto.adapters.cancellation import unbroken
from otto.adapters.packer.telling import Story, Word, word
from otto.model.errors import TerminalError, TransientError
from otto.model.text import one_line
from otto.telemetry.redaction import Redactor

MARK = "OTTO_PACKER_BUILD"
# From this version on builders come as plugins, and `packer init` fetches them.
PLUGINS_SINCE = (1, 7)
INSTALL = "apt-get install packer"
_VERSION = re.compile(rb"Packer v(\d+)\.(\d+)")
_QUICK = 60.0
_INIT = 300.0
_PATIENCE = 20.0
_LONGEST_LINE = 1 << 20
_DRAIN = 1.0
_LONGEST_REASON = 400
# Podman's name server: one for all containers of the machine, whoever's command happened to start it.
_SHARED = frozenset({"aardvark-dns"})


@dataclass(frozen=True, slots=True)
class Job:
    """What Packer is run on.

    Attributes:
        binary: Packer, by name or path.
        folder: private; holds the template in `template`, its variables in `variables.json`.
        only: the source to build, as `docker.lab`.
        environment: all that Packer gets.
        seconds: how long a build may take.
    """

    binary: str
    folder: Path
    only: str
    environment: Mapping[str, str]
    seconds: float

    def command(self, verb: str, *options: str) -> list[str]:
        """A command line over the template."""
        given = (f"-only={self.only}", f"-var-file={self.folder / 'variables.json'}")
        return [self.binary, verb, *options, *given, str(self.folder / "template")]


def find(binary: str) -> str:
    """Packer's path.

    Raises:
        TerminalError: it is not installed.
    """
    found = shutil.which(binary)
    if found is None:
        raise TerminalError(f"{binary} is not installed, and images are built with it", mend=INSTALL)
    return found


async def version(binary: str) -> tuple[int, int]:
    """Packer's version.

    Raises:
        TerminalError: it does not tell.
    """
    ended = await program.run([binary, "version"], b"", seconds=_QUICK, environ={"CHECKPOINT_DISABLE": "1"})
    found = _VERSION.search(ended.output)
    if ended.status != 0 or found is None:
        raise TerminalError(
            f"{binary} does not tell its version: {ended.trouble or ended.last_words}", mend=INSTALL
        )
    return int(found[1]), int(found[2])


async def fetch_plugins(job: Job) -> None:
    """Have the plugins the template names, which takes the network when they are not there.

    Raises:
        TransientError: they cannot be had.
    """
    command = [job.binary, "init", str(job.folder / "template")]
    ended = await program.run(command, b"", seconds=_INIT, environ=job.environment)
    if ended.status != 0:
        said = Redactor().scrub(ended.trouble or ended.last_words)
        raise TransientError(f"packer init could not fetch Packer's plugins: {said}")


async def validate(job: Job, redactor: Redactor) -> None:
    """Have Packer judge the template.

    Raises:
        TerminalError: it is wrong; with what Packer says.
    """
    ended = await program.run(job.command("validate"), b"", seconds=_QUICK, environ=job.environment)
    if ended.status == 0:
        return
    text = (ended.output + b"\n" + ended.errors).decode("utf-8", "replace")
    lines = [line for line in map(str.strip, redactor.scrub(text, lines=True).splitlines()) if line]
    found = next((line for line in lines if line.startswith(("Error", "*"))), "")
    reason = found or ended.trouble or next(iter(lines), "no reason given")
    raise TerminalError(
        f"packer refuses the template: {reason}", mend=f"mend it in {_named(job)}", detail="\n".join(lines)
    )


def _named(job: Job) -> str:
    return f"images/{job.folder.name}"


async def build(job: Job, hear: Callable[[Word], None], redactor: Redactor) -> Story:
    """Build; what was said, with the id of what came of it.

    Args:
        job: on what.
        hear: told of each line.
        redactor: for what it says of a failure.

    Raises:
        TransientError: it failed, or took too long.
    """
    story = Story()
    # A pipe of our own, not asyncio's: its `wait` would also wait for whoever else holds it open. Podman's
    # name server, which the first container on a machine brings along, is one of these, and it stays.
    mouth, end = os.pipe2(os.O_CLOEXEC)
    async with _lines(mouth) as lines:
        try:
            process = await _start(job, end)
        finally:
            os.close(end)
        reading = asyncio.create_task(_read(lines, story, hear))
        try:
            async with asyncio.timeout(job.seconds):
                status = await process.wait()
        except TimeoutError:
            raise TransientError(f"packer did not end within {job.seconds:g} s", mend="try again") from None
        finally:
            await unbroken(_end(process, reading))
    if status != 0 or not story.artifact:
        raise _failure(story, status, redactor)
    return story


async def _start(job: Job, output: int) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        *_guarded(job.command("build", "-machine-readable", "-on-error=cleanup")),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=output,
        stderr=asyncio.subprocess.STDOUT,
        cwd=job.folder,
        env={**job.environment, MARK: str(job.folder)},
        start_new_session=True,
    )


@contextlib.asynccontextmanager
async def _lines(mouth: int) -> AsyncIterator[asyncio.StreamReader]:
    """What comes out of a pipe, to be read line by line; the pipe is closed at the end."""
    reader = asyncio.StreamReader(limit=_LONGEST_LINE)
    with os.fdopen(mouth, "rb", buffering=0) as pipe:
        transport, _ = await asyncio.get_running_loop().connect_read_pipe(
            lambda: asyncio.StreamReaderProtocol(reader), pipe
        )
        try:
            yield reader
        finally:
            transport.close()


def _guarded(command: Sequence[str]) -> list[str]:
    guard = shutil.which("setpriv")
    return [*([guard, "--pdeathsig", "INT", "--"] if guard else []), *command]


async def _read(lines: asyncio.StreamReader, story: Story, hear: Callable[[Word], None]) -> None:
    while True:
        try:
            line = await lines.readline()
        except ValueError:  # longer than any line of Packer's: that one is left out
            continue
        if not line:
            return
        if said := word(line.decode("utf-8", "replace")):
            story.hear(said)
            hear(said)


async def _end(process: asyncio.subprocess.Process, reading: "asyncio.Task[None]") -> None:
    """See Packer gone, and its last words heard."""
    if process.returncode is None:
        with contextlib.suppress(ProcessLookupError):
            process.send_signal(signal.SIGINT)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(process.wait(), _PATIENCE)
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    await process.wait()
    # Whatever it started may still hold the pipe open.
    await asyncio.wait({reading}, timeout=_DRAIN)
    reading.cancel()
    await asyncio.gather(reading, return_exceptions=True)


def end_strays(folder: Path) -> None:
    """Kill all that an earlier build in this folder left running."""
    program.end_strays(f"{MARK}={folder}".encode(), spared=_SHARED)


def _failure(story: Story, status: int, redactor: Redactor) -> TransientError:
    reason = one_line(redactor.scrub(story.reason), _LONGEST_REASON) or f"exit status {status}"
    detail = redactor.scrub("\n".join(story.lines), lines=True)
    return TransientError(f"packer failed: {reason}", mend="its last words: --debug", detail=detail)
