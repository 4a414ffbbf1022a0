"""The HTTP server: a thread and an event loop of its own, so that it answers while the controller cannot.

What the controller's loop does can hold up no answer, and no client can hold up the loop. A connection
carries one request and has a time limit for everything from its first byte to its last. There may be many at
once: a forge that delivers a thousand webhooks together is to be told of none that there is no room.
"""

import asyncio
import contextlib
import logging
import resource
import socket
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import structlog
import uvicorn
from fastapi import FastAPI
from uvicorn.protocols.http.h11_impl import H11Protocol

log = structlog.get_logger("otto.api")


@dataclass(frozen=True, slots=True)
class Limits:
    """What a client may take.

    Attributes:
        seconds: from connecting until the answer is read.
        connections: at once, or a quarter of the files that this process may open; the others are told 503.
        grace: seconds that requests under way have when the server stops.
    """

    seconds: float = 30.0
    connections: int = 2048
    grace: int = 2


LIMITS = Limits()
# Seconds for a thread that has said its last word to be gone.
_LAST_BREATH = 1.0
# Of the files this process may open, the API's connections may take the one part in so many.
_SHARE = 4
# Seconds between two times that the server says one thing.
_QUIET = 60.0


@asynccontextmanager
async def serving(app: FastAPI, listener: socket.socket, limits: Limits = LIMITS) -> AsyncIterator[None]:
    """The application served for as long as the block lasts.

    Args:
        app: the application; what it asks of another event loop is its own business.
        listener: a listening socket; closed at the end.
        limits: what a client may take.
    """
    server = _Server(_configuration(app, limits))
    logging.getLogger("uvicorn.error").addFilter(quiet := _OnceInAWhile())
    ended = asyncio.Event()
    loop = asyncio.get_running_loop()

    def work() -> None:
        try:
            asyncio.run(server.serve(sockets=[listener]))
        except Exception as error:
            log.exception("api.ended", kind=type(error).__name__)
        finally:
            listener.close()
            with contextlib.suppress(RuntimeError):  # nobody waits any more: the loop is closed
                loop.call_soon_threadsafe(ended.set)

    thread = threading.Thread(target=work, name="otto-api", daemon=True)
    thread.start()
    try:
        yield
    finally:
        server.should_exit = True
        await ended.wait()
        thread.join(_LAST_BREATH)
        logging.getLogger("uvicorn.error").removeFilter(quiet)


def make_room(limits: Limits = LIMITS) -> None:
    """Let this process open as many files as its connections may take, as far as its hard limit goes."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _SHARE * limits.connections
    if soft != resource.RLIM_INFINITY and soft < wanted:
        enough = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (enough, hard))


def _room(limits: Limits) -> int:
    """Connections at once: the controller's own files must not become scarce over them."""
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return limits.connections if soft == resource.RLIM_INFINITY else min(limits.connections, soft // _SHARE)


class _OnceInAWhile(logging.Filter):
    """Lets a word through once a minute: who asks too often is not to fill the log."""

    def __init__(self) -> None:
        super().__init__()
        self._last: dict[str, float] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether a record is kept."""
        if record.levelno >= logging.ERROR:
            return True
        last, self._last[record.msg] = self._last.get(record.msg, 0.0), record.created
        if record.created - last >= _QUIET:
            return True
        self._last[record.msg] = last
        return False


class _Server(uvicorn.Server):
    """uvicorn without its signal handlers: those are the command's."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def _configuration(app: FastAPI, limits: Limits) -> uvicorn.Config:
    class Connection(H11Protocol):
        """A connection that is cut when its time is over, whatever it is at."""

        _limit: asyncio.TimerHandle | None = None

        def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
            super().connection_made(transport)
            self._limit = self.loop.call_later(limits.seconds, transport.abort)

        def connection_lost(self, exc: Exception | None) -> None:
            if self._limit is not None:
                self._limit.cancel()
            super().connection_lost(exc)

    return uvicorn.Config(
        app,
        http=Connection,
        ws="none",
        loop="asyncio",
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        # One request each: what is left of a connection's time never cuts a later request short.
        headers=[("connection", "close")],
        limit_concurrency=_room(limits),
        timeout_graceful_shutdown=limits.grace,
    )
