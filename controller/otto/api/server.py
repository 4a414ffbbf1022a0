"""The HTTP server: a thread and an event loop of its own, so that it answers while the controller cannot.

What the controller's loop does can hold up no answer, and no client can hold up the loop. Connections are
kept for the next request, and streams go on for as long as they like; what is limited is how long a client
may take over each part of it:

    the head of a request       from its first byte, or from connecting, to its last
    the body                    the same
    the time between requests   then the connection is closed, sooner where others want its place
    reading an answer           a client that does not make room for more of it is cut off

There may be many connections at once: of a thousand webhooks that a forge delivers together, none is to be
told that there is no room.
"""

import asyncio
import contextlib
import logging
import resource
import socket
import sys
import threading
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, ClassVar

import h11
import structlog
import uvicorn
from fastapi import FastAPI
from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import H11Protocol

from otto.api import wire
from otto.api.requests import LONGEST_HEAD
from otto.api.tls import Certificate

log = structlog.get_logger("otto.api")


@dataclass(frozen=True, slots=True)
class Limits:
    """What a client may take.

    Attributes:
        head: seconds for the head of a request.
        body: seconds for its body.
        idle: seconds between two requests.
        reading: seconds in which a client has to make room for more of an answer.
        connections: at once, or a quarter of the files that this process may open; the others are told 503.
            From one address, half of them.
        proxies: addresses from which all of them may come.
        grace: seconds that requests under way have when the server stops.
    """

    head: float = 10.0
    body: float = 30.0
    idle: int = 15
    reading: float = 30.0
    connections: int = 2048
    proxies: frozenset[str] = frozenset({"127.0.0.1", "::1"})
    grace: int = 2

    @property
    def of_one(self) -> int:
        """Connections at once from one address."""
        return max(1, self.connections // 2)


LIMITS = Limits()
# Seconds for a thread that has said its last word to be gone.
_LAST_BREATH = 1.0
# Of the files this process may open, the API's connections may take the one part in so many.
_SHARE = 4
# Seconds between two times that the server says one thing.
_QUIET = 60.0
# Seconds for which a thread may keep the others from running. A read of the store hands the interpreter back
# and forth ten times; with Python's 5 ms, beside a loop at work, each of them would take 50 ms.
_TURN = 0.0005
# uvicorn's main loop turns ten times a second; a certificate is looked at every ten seconds.
_TICKS = 100


@asynccontextmanager
async def serving(
    app: FastAPI,
    listener: socket.socket,
    limits: Limits = LIMITS,
    certificate: Certificate | None = None,
    begin: Callable[[], None] | None = None,
) -> AsyncIterator[None]:
    """The application served for as long as the block lasts.

    Args:
        app: the application; what it asks of another event loop is its own business.
        listener: a listening socket; closed at the end.
        limits: what a client may take.
        certificate: for TLS; None for none.
        begin: called first in the server's thread.
    """
    server = _Server(_configuration(app, limits), certificate)
    logging.getLogger("uvicorn.error").addFilter(quiet := _OnceInAWhile())
    ended = asyncio.Event()
    loop = asyncio.get_running_loop()

    def work() -> None:
        try:
            if begin is not None:
                begin()
            asyncio.run(server.serve(sockets=[listener]))
        except Exception as error:
            log.exception("api.ended", kind=type(error).__name__)
        finally:
            listener.close()
            with contextlib.suppress(RuntimeError):  # nobody waits any more: the loop is closed
                loop.call_soon_threadsafe(ended.set)

    thread = threading.Thread(target=work, name="otto-api", daemon=True)
    before = sys.getswitchinterval()
    sys.setswitchinterval(min(before, _TURN))
    thread.start()
    try:
        yield
    finally:
        sys.setswitchinterval(before)
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

    def __init__(self, config: uvicorn.Config, certificate: Certificate | None) -> None:
        super().__init__(config)
        config.load()
        self._certificate = certificate
        if certificate is not None:
            config.ssl = certificate.context

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield

    async def on_tick(self, counter: int) -> bool:
        """See uvicorn: called ten times a second."""
        if self._certificate is not None and counter % _TICKS == 0:
            self._certificate.renew()
        return await super().on_tick(counter)


class _Deadline:
    """Cuts a connection off when its time is over."""

    def __init__(self, loop: asyncio.AbstractEventLoop, transport: asyncio.Transport) -> None:
        self._loop = loop
        self._transport = transport
        self._timer: asyncio.TimerHandle | None = None
        self._for: object = None

    def begin(self, seconds: float, what: object) -> None:
        """Begin a time, unless the one for this very thing is running already."""
        if self._timer is not None and self._for == what:
            return
        self.end()
        self._for = what
        self._timer = self._loop.call_later(seconds, self._transport.abort)

    def end(self) -> None:
        """Whatever it was for came to its end in time."""
        if self._timer is not None:
            self._timer.cancel()
        self._timer, self._for = None, None


class _Connection(H11Protocol):
    """A connection with limits for what its client may take; see this module."""

    limits: ClassVar[Limits]
    addresses: ClassVar[Counter[str]]

    _asking: _Deadline | None = None
    _reading: _Deadline | None = None
    _address = ""
    room: int | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        self._make_room()
        super().connection_made(transport)
        # uvicorn's own answer to who finds no room is no problem document.
        self.room, self.limit_concurrency = self.limit_concurrency, None
        self.app = self._if_there_is_room(self.app)
        self._address = self.client[0] if self.client else ""
        self.addresses[self._address] += 1
        self._asking = _Deadline(self.loop, transport)
        self._reading = _Deadline(self.loop, transport)
        if self.addresses[self._address] > self.limits.of_one and self._address not in self.limits.proxies:
            transport.abort()
        else:
            self._asking.begin(self.limits.head, "head")

    def connection_lost(self, exc: Exception | None) -> None:
        self.addresses[self._address] -= 1
        if not self.addresses[self._address]:
            del self.addresses[self._address]
        for deadline in (self._asking, self._reading):
            if deadline is not None:
                deadline.end()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        self._look()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        self._look()
        if self.transport.is_closing() and self._reading is not None:
            self._reading.begin(self.limits.reading, "the end")

    def send_400_response(self, msg: str) -> None:
        """See uvicorn: called where the parser has just raised."""
        del msg
        if self.conn.our_state in (h11.IDLE, h11.SEND_RESPONSE):
            for event in wire.refusal(sys.exception()):
                self.transport.write(self.conn.send(event) or b"")
            self.transport.close()
        else:  # an answer is under way, and cannot be taken back
            self.transport.abort()

    def _if_there_is_room(self, app: ASGIApp) -> ASGIApp:
        async def answered(scope: Scope, receive: Receive, send: Send) -> None:
            busy = max(len(self.connections), len(self.tasks) - 1)  # one of the tasks is this very one
            found = app if self.room is None or busy < self.room else wire.full
            await found(scope, receive, send)

        return answered

    def timeout_keep_alive_handler(self) -> None:
        super().timeout_keep_alive_handler()
        if self._reading is not None:
            self._reading.begin(self.limits.reading, "the end")

    def pause_writing(self) -> None:
        super().pause_writing()
        if self._reading is not None:
            self._reading.begin(self.limits.reading, "more")

    def resume_writing(self) -> None:
        super().resume_writing()
        if self._reading is not None and not self.transport.is_closing():
            self._reading.end()

    def _look(self) -> None:
        """What of a request is awaited now."""
        if self._asking is None:
            return
        state = self.conn.their_state
        if state is h11.SEND_BODY:
            self._asking.begin(self.limits.body, self.cycle)
        elif state is h11.IDLE and self.timeout_keep_alive_task is None:
            self._asking.begin(self.limits.head, "head")
        else:
            self._asking.end()

    def _make_room(self) -> None:
        """Where no place is left, whoever has been idle gives theirs up."""
        if len(self.connections) + 1 < self.limits.connections:
            return
        for other in tuple(self.connections):
            idle: Any = getattr(other, "timeout_keep_alive_task", None)
            if idle is not None and isinstance(other, H11Protocol):
                other.timeout_keep_alive_handler()
                return


def _configuration(app: FastAPI, limits: Limits) -> uvicorn.Config:
    class Connection(_Connection):
        """The connections of one server."""

    Connection.limits, Connection.addresses = limits, Counter()
    return uvicorn.Config(
        app,
        http=Connection,
        ws="none",
        loop="asyncio",
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        # Whose word on where a request comes from counts is said by `api.proxies`, and by nothing else.
        proxy_headers=False,
        h11_max_incomplete_event_size=LONGEST_HEAD,
        limit_concurrency=_room(limits),
        timeout_keep_alive=limits.idle,
        timeout_graceful_shutdown=limits.grace,
    )
