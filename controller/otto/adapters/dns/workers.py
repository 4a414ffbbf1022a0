"""The worker processes: started when there is work, a few at a time, ended when they hang or idle."""

import asyncio
import contextlib
import os
import sys
from typing import Any

from otto.adapters.cancellation import unbroken
from otto.adapters.dns import frames
from otto.adapters.dns.task import Kind, Task
from otto.model.errors import OttoError, TransientError
from otto.model.progress import Report, silent

_IDLE = 60.0
_STREAM = 1 << 20


class Workers:
    """Worker processes of one event loop.

    Args:
        most: how many look at serials at once, and how many do the rest; what comes on top waits.
        seconds: how long a question to servers or providers may take in all.
        apply_seconds: how long changes may take.
    """

    def __init__(self, most: int, seconds: float, apply_seconds: float) -> None:
        # Looks at serials wait for each other alone: neither holds a server that says nothing up a plan, nor
        # a long plan the looks.
        self._looks, self._rest_of_work = (asyncio.Semaphore(max(1, most)) for _ in range(2))
        self._seconds = seconds
        self._apply_seconds = apply_seconds
        self._idle: list[_Worker] = []
        self._all: set[_Worker] = set()

    async def work(self, task: Task, report: Report = silent) -> Any:  # noqa: ANN401  (of each task its own)
        """Have something done.

        Raises:
            OttoError: it went wrong, or took too long; then nobody is at it any more.
        """
        seconds = self._apply_seconds if task.kind is Kind.APPLY else self._seconds
        async with self._looks if task.kind is Kind.SERIAL else self._rest_of_work:
            worker = await self._one()
            try:
                async with asyncio.timeout(seconds):
                    answer = await worker.work(task, report)
            except TimeoutError:
                await self._end(worker)
                raise TransientError(
                    f"{task.about}: not done within {seconds:g} s, and cut off",
                    mend="see whether the provider works; a large zone needs a larger dns.timeout",
                ) from None
            except OttoError:
                self._rest(worker)
                raise
            except BaseException:
                await self._end(worker)
                raise
        self._rest(worker)
        return answer

    async def close(self) -> None:
        """End them all."""
        for worker in tuple(self._all):
            await self._end(worker)

    async def _one(self) -> "_Worker":
        while self._idle:
            worker = self._idle.pop()
            worker.hold()
            if worker.alive:
                return worker
            await self._end(worker)
        worker = await _Worker.started()
        self._all.add(worker)
        return worker

    def _rest(self, worker: "_Worker") -> None:
        """Keep it for the next piece of work, for a while."""
        if not worker.alive:
            self._all.discard(worker)
            return
        self._idle.append(worker)
        worker.let_go(self._expire)

    def _expire(self, worker: "_Worker") -> None:
        with contextlib.suppress(ValueError):
            self._idle.remove(worker)
        worker.dismiss()
        self._all.discard(worker)

    async def _end(self, worker: "_Worker") -> None:
        with contextlib.suppress(ValueError):
            self._idle.remove(worker)
        self._all.discard(worker)
        await unbroken(worker.end())


class _Worker:
    """One process."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self._timer: asyncio.TimerHandle | None = None

    @classmethod
    async def started(cls) -> "_Worker":
        command = [sys.executable, "-P", "-m", "otto.adapters.dns.worker", str(os.getpid())]
        process = await asyncio.create_subprocess_exec(
            *command,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
            limit=_STREAM,
            start_new_session=True,
        )
        return cls(process)

    @property
    def _pipes(self) -> tuple[asyncio.StreamWriter, asyncio.StreamReader]:
        stdin, stdout = self._process.stdin, self._process.stdout
        if stdin is None or stdout is None:
            raise ConnectionError
        return stdin, stdout

    @property
    def alive(self) -> bool:
        return self._process.returncode is None

    async def work(self, task: Task, report: Report) -> Any:  # noqa: ANN401
        stdin, stdout = self._pipes
        try:
            stdin.write(await asyncio.to_thread(frames.packed, task))
            await stdin.drain()
            while True:
                (length,) = frames.HEADER.unpack(await stdout.readexactly(frames.HEADER.size))
                body = await stdout.readexactly(length)
                kind, value = await asyncio.to_thread(frames.unpacked, body)
                if kind == "progress":
                    report(value)
                elif kind == "error":
                    raise value
                else:
                    return value
        except (asyncio.IncompleteReadError, ConnectionError) as error:
            await self.end()
            raise TransientError(
                f"{task.about}: the process at work ended",
                mend="try again; the memory of this machine may be short",
            ) from error

    def hold(self) -> None:
        """Not to expire any more."""
        if self._timer:
            self._timer.cancel()
            self._timer = None

    def let_go(self, expire: Any) -> None:  # noqa: ANN401
        """To expire after a while."""
        self._timer = asyncio.get_running_loop().call_later(_IDLE, expire, self)

    def dismiss(self) -> None:
        """Let it end by itself: nothing more will come."""
        self.hold()
        if self._process.stdin:
            self._process.stdin.close()

    async def end(self) -> None:
        """Kill it, and see it gone."""
        self.hold()
        if self.alive:
            with contextlib.suppress(ProcessLookupError):
                self._process.kill()
        await self._process.wait()
        # The transport keeps its ends of the pipes until they are seen closed.
        if self._process.stdin:
            self._process.stdin.close()
