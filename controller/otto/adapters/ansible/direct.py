"""One command on many hosts over the connections that plays keep, without starting Ansible for it.

Each host has an ssh process of its own, and answers for itself: one that hangs delays nobody.
"""

import asyncio
import configparser
import contextlib
import os
import shlex
import signal
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from otto.adapters.ansible.asking import Answer, Silence
from otto.adapters.ansible.inventory import control_path
from otto.adapters.ansible.known_hosts import file_of
from otto.adapters.ansible.outcome import message_of
from otto.adapters.ansible.processes import MARK
from otto.model.host import Host

# Exit status of ssh for its own failures; a command's is the command's (ssh(1), EXIT STATUS).
_UNREACHABLE = 255
# The command bounds what it says by itself; a host that was taken over need not.
_LONGEST = 1 << 20
_CHUNK = 1 << 16
_DRAIN_SECONDS = 1.0
# Whoever may ask for a password asks nobody here.
_UNASKED = ("BatchMode=yes", "PasswordAuthentication=no", "KbdInteractiveAuthentication=no")


class _FloodError(Exception):
    """Somebody says more than any answer is long."""


@dataclass(frozen=True, slots=True)
class Caller:
    """How hosts are reached: as plays reach them, or a connection would not serve both.

    Attributes:
        folder: `infra/ansible`, whose ansible.cfg has ssh's arguments.
        key: private SSH key.
        control: folder of control sockets.
        workspace: private folder of this run, which holds the pinned keys.
    """

    folder: Path
    key: Path
    control: Path
    workspace: Path

    def lines(self, hosts: Sequence[Host], command: str) -> dict[str, list[str]]:
        """Host -> the command line that runs a command on it."""
        shared = self._shared()
        return {host.name: [*shared, *self._own(host), "--", host.address, command] for host in hosts}

    def environment(self) -> dict[str, str]:
        """All that ssh gets; the mark lets a later controller find what is left of us."""
        search = os.environ.get("PATH", os.defpath)
        return {MARK: str(self.workspace), "PATH": search, "HOME": str(self.workspace), "LC_ALL": "C.UTF-8"}

    def _shared(self) -> list[str]:
        settings = configparser.ConfigParser(interpolation=None)
        settings.read(self.folder / "ansible.cfg", encoding="utf-8")
        timeout = settings.get("defaults", "timeout")
        given = (*_UNASKED, f"ConnectTimeout={timeout}", f"IdentityFile={_quoted(self.key)}")
        return ["ssh", "-T", *shlex.split(settings.get("ssh_connection", "ssh_args")), *_options(given)]

    def _own(self, host: Host) -> list[str]:
        known = _quoted(self.workspace / file_of(host))
        return _options(
            (
                f"Port={host.ssh_port}",
                f"User={host.ssh_user}",
                f"UserKnownHostsFile={known}",
                f'ControlPath="{control_path(self.control, host)}"',
            )
        )


async def ask(
    lines: Mapping[str, Sequence[str]],
    environment: Mapping[str, str],
    *,
    seconds: float,
    at_once: int,
    said: Mapping[str, bytes] | None = None,
) -> AsyncGenerator[tuple[str, Answer], None]:
    """Run a command line for each host; (host, its standard output, or why there is none), as they come.

    Args:
        lines: host -> command line; each host is answered for exactly once.
        environment: of the processes.
        seconds: how long one host may take, from its turn on.
        at_once: how many are asked at a time.
        said: host -> what its command reads on its standard input; nothing where it is not named.
    """
    inputs = said or {}
    answers: asyncio.Queue[tuple[str, Answer]] = asyncio.Queue()
    places = asyncio.Semaphore(max(1, at_once))

    async def one(name: str, line: Sequence[str]) -> None:
        async with places:
            answers.put_nowait((name, await _answer(line, environment, seconds, inputs.get(name, b""))))

    tasks = [asyncio.create_task(one(name, line), name=f"ask-{name}") for name, line in lines.items()]
    try:
        for _ in lines:
            yield await answers.get()
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _answer(line: Sequence[str], environment: Mapping[str, str], seconds: float, told: bytes) -> Answer:
    stdin = PIPE if told else DEVNULL
    try:
        process = await asyncio.create_subprocess_exec(
            *line, stdin=stdin, stdout=PIPE, stderr=PIPE, env=environment, start_new_session=True
        )
    except OSError as error:
        return Silence(f"{line[0]} cannot be started: {error.strerror}")
    try:
        async with asyncio.timeout(seconds):
            said, complaint = await _heard(process, told)
            status = await process.wait()
    except TimeoutError:
        return Silence(f"no answer within {seconds:g} s")
    except _FloodError:
        return Silence("the answer is too long")
    finally:
        await _end(process)
    if status == _UNREACHABLE:
        return Silence(f"unreachable: {message_of({'msg': complaint.decode('utf-8', 'replace')})}")
    return {"stdout": said.decode("utf-8", "replace")}


async def _heard(process: Process, told: bytes) -> list[bytes]:
    """Its standard output and its complaints, to the end, while it is told something.

    Raises:
        _FloodError: one of them is too long.
    """
    readers = [asyncio.create_task(_read(stream)) for stream in (process.stdout, process.stderr)]
    teller = asyncio.create_task(_tell(process.stdin, told))
    try:
        return await asyncio.gather(*readers)
    finally:
        for task in (*readers, teller):
            task.cancel()
        await asyncio.gather(*readers, teller, return_exceptions=True)


async def _tell(stream: asyncio.StreamWriter | None, told: bytes) -> None:
    """Say it and no more; somebody who does not listen to the end is no trouble."""
    if stream is not None:
        with contextlib.suppress(OSError):
            stream.write(told)
            await stream.drain()
        stream.close()


async def _read(stream: asyncio.StreamReader | None) -> bytes:
    read = bytearray()
    while stream is not None and (chunk := await stream.read(_CHUNK)):
        read += chunk
        if len(read) > _LONGEST:
            raise _FloodError
    return bytes(read)


async def _end(process: Process) -> None:
    """Kill what still runs; nothing on the controller's side outlives its question."""
    if process.returncode is None:
        # The session it was started in, all of it; a connection that is kept has left it.
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        # What it wrote before is still in the pipes, which are closed when they are empty.
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_DRAIN_SECONDS):
                await asyncio.gather(_drain(process.stdout), _drain(process.stderr))
    await process.wait()


async def _drain(stream: asyncio.StreamReader | None) -> None:
    while stream is not None and await stream.read(_CHUNK):
        pass


def _options(given: Sequence[str]) -> list[str]:
    return [part for option in given for part in ("-o", option)]


def _quoted(path: Path) -> str:
    """A path as ssh's options take it: quoted, and free of tokens."""
    return '"' + str(path).replace("%", "%%") + '"'
