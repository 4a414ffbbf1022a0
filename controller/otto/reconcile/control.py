"""The controller's local socket: the repository's hooks and the command line talk to it.

One request is one JSON line `{"op": …}`; the answer is any number of `{"line": …}` and one last
`{"done": true, "exit": N, …}`. The socket is the owner's alone (0600).
"""

import asyncio
import contextlib
import json
import os
from collections.abc import AsyncIterator, Callable, Mapping
from pathlib import Path
from typing import Any

import structlog

from otto.model.errors import OttoError, UsageError

log = structlog.get_logger("otto.control")

_REQUEST_LIMIT = 1 << 20
_READ_TIMEOUT = 5.0
_ANSWER_TIMEOUT = 60.0

Request = Mapping[str, Any]
Answer = Mapping[str, object]
Handler = Callable[[Request], AsyncIterator[Answer]]


class Control:
    """Serves the socket.

    Args:
        path: where the socket is.
        handlers: by operation; each yields answers, the last one with `done`.
    """

    def __init__(self, path: Path, handlers: Mapping[str, Handler]) -> None:
        self._path = path
        self._handlers = handlers
        self._server: asyncio.Server | None = None

    async def start(self) -> None:
        """Listen. A socket left by a killed controller is replaced; the home's lock says it is dead."""
        self._path.unlink(missing_ok=True)
        # A path over 107 bytes does not fit into sockaddr_un; a descriptor's name always does.
        folder = os.open(self._path.parent, os.O_RDONLY | os.O_DIRECTORY)
        before = os.umask(0o177)
        try:
            self._server = await asyncio.start_unix_server(
                self._serve, f"/proc/self/fd/{folder}/{self._path.name}", limit=_REQUEST_LIMIT
            )
        finally:
            os.umask(before)
            os.close(folder)

    async def stop(self) -> None:
        """Stop listening and remove the socket."""
        if self._server is not None:
            self._server.close()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._server.wait_closed(), _READ_TIMEOUT)
        self._path.unlink(missing_ok=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            async with asyncio.timeout(_ANSWER_TIMEOUT):
                await self._answer(reader, writer)
        except (TimeoutError, ConnectionError):
            log.info("control.dropped")
        finally:
            writer.close()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            async with asyncio.timeout(_READ_TIMEOUT):
                request = _parse(await reader.readline())
            async for answer in self._handler(request)(request):
                await _send(writer, answer)
        except OttoError as error:
            told = {"error": str(error), "message": error.message, "mend": error.mend}
            await _send(writer, {"done": True, "exit": 1, **told})
        except ValueError as error:
            await _send(writer, {"done": True, "exit": 2, "error": f"bad request: {error}"})

    def _handler(self, request: Request) -> Handler:
        handler = self._handlers.get(str(request.get("op")))
        if handler is None:
            raise UsageError(f"unknown operation {str(request.get('op'))[:40]!r}")
        return handler


def _parse(line: bytes) -> Request:
    data = json.loads(line)
    if not isinstance(data, dict):
        raise ValueError("a request is a JSON object")  # noqa: TRY004  (the caller sorts by ValueError)
    return data


async def _send(writer: asyncio.StreamWriter, answer: Answer) -> None:
    writer.write(json.dumps(answer).encode() + b"\n")
    await writer.drain()


async def ask(path: Path, request: Request, limit: float = 10.0) -> Answer | None:
    """Ask the controller, for at most `limit` seconds; its last answer, None when none listens.

    Raises:
        UsageError: the controller refused.
    """
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        async with asyncio.timeout(limit):
            return await _exchange(f"/proc/self/fd/{folder}/{path.name}", request)
    except (FileNotFoundError, ConnectionRefusedError):
        return None
    except TimeoutError as error:
        raise UsageError("the controller did not answer in time", mend="see its log: otto logs") from error
    finally:
        os.close(folder)


async def _exchange(path: str, request: Request) -> Answer:
    reader, writer = await asyncio.open_unix_connection(path)
    try:
        await _send(writer, request)
        while line := await reader.readline():
            answer: dict[str, object] = json.loads(line)
            if answer.get("done"):
                if answer.get("error"):
                    told = answer.get("message") or answer["error"]
                    raise UsageError(str(told), mend=str(answer.get("mend") or ""))
                return answer
    finally:
        writer.close()
    raise UsageError("the controller hung up", mend="see its log: otto logs")
