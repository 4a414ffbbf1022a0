"""Everything that happens, kept for a while, so that whoever listens misses nothing and holds up nobody.

Events are told from any thread, and heard in the API's event loop. There is one ring for all listeners; a
listener is a place in it. One that is so slow that the ring has gone on without it has lost something, and is
cut: it comes back with the id of the last event it heard, and is told what that means.
"""

import asyncio
import contextlib
import json
import secrets
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from otto.model.errors import TransientError

MOST = 10_000
"""Events that are kept."""

_MOST_BYTES = 16 * 1024**2
_LONGEST = 32 * 1024  # bytes of one event
_CUT = 1000  # characters that are left of a text in a longer one


@dataclass(frozen=True, slots=True)
class Happened:
    """One event.

    Attributes:
        number: its place among all events of this process.
        kind: `status`, `step`, `progress`, `gone` or `log`.
        site: whom it concerns, "" for nobody or everybody.
        data: as JSON, in one line.
        labels: of the site where the event itself says so, else None.
    """

    number: int
    kind: str
    site: str
    data: bytes
    labels: Mapping[str, str] | None = None


class LostError(TransientError):
    """The ring has gone on without this listener."""


@dataclass(eq=False, slots=True)
class Listener:
    """A place in the ring.

    Attributes:
        number: of the last event that was heard.
    """

    number: int
    loop: asyncio.AbstractEventLoop
    stirred: asyncio.Event = field(default_factory=asyncio.Event)
    woken: bool = False


class Stream:
    """The ring.

    Args:
        most: events that are kept.
        epoch: tells the events of this process from those of others; chance, unless given.
    """

    def __init__(self, most: int = MOST, epoch: str = "") -> None:
        self.epoch = epoch or secrets.token_hex(6)
        self._most = most
        self._kept: dict[int, Happened] = {}
        self._first = 1
        self._last = 0
        self._bytes = 0
        self._lock = threading.Lock()
        self._listeners: set[Listener] = set()
        self.closed = False

    def tell(
        self, kind: str, site: str, data: Mapping[str, object], labels: Mapping[str, str] | None = None
    ) -> None:
        """Tell of something, from any thread."""
        text = _encoded(data)
        if len(text) > _LONGEST:
            text = _encoded(_shortened(data))
        with self._lock:
            self._last += 1
            self._kept[self._last] = Happened(self._last, kind, site, text, labels)
            self._bytes += len(text)
            while len(self._kept) > self._most or self._bytes > _MOST_BYTES:
                self._bytes -= len(self._kept.pop(self._first).data)
                self._first += 1
            waking = [listener for listener in self._listeners if not listener.woken]
            for listener in waking:
                listener.woken = True
        for listener in waking:
            with contextlib.suppress(RuntimeError):  # its loop is closed
                listener.loop.call_soon_threadsafe(listener.stirred.set)

    @contextlib.contextmanager
    def listening(self, last: int | None = None) -> Iterator[Listener]:
        """A place in the ring for as long as the block lasts.

        Args:
            last: number of the last event that was heard; None to begin with what happens from now on.
        """
        with self._lock:
            listener = Listener(self._last if last is None else last, asyncio.get_running_loop())
            self._listeners.add(listener)
        try:
            yield listener
        finally:
            with self._lock:
                self._listeners.discard(listener)

    def take(self, listener: Listener, most: int = 100) -> list[Happened]:
        """What happened since; some of it, should it be much.

        Raises:
            LostError: some of it is not kept any more.
        """
        with self._lock:
            listener.woken = False
            listener.stirred.clear()
            if listener.number + 1 < self._first:
                raise LostError("events were lost")
            upto = min(self._last, listener.number + most)
            found = [self._kept[number] for number in range(listener.number + 1, upto + 1)]
            listener.number = upto
            return found

    def number_of(self, text: str) -> int | None:
        """The number in an event's id, None where it is of another process or not kept any more."""
        epoch, dash, number = text.strip().rpartition("-")
        if not dash or epoch != self.epoch or not (number.isascii() and number.isdigit()):
            return None
        found = int(number[:20])
        with self._lock:
            return found if self._first - 1 <= found <= self._last else None

    def id_of(self, number: int) -> str:
        """The id of an event."""
        return f"{self.epoch}-{number}"

    @property
    def last(self) -> int:
        """Number of the newest event."""
        with self._lock:
            return self._last

    def close(self) -> None:
        """End every listener."""
        self.closed = True
        with self._lock:
            listeners = tuple(self._listeners)
        for listener in listeners:
            with contextlib.suppress(RuntimeError):
                listener.loop.call_soon_threadsafe(listener.stirred.set)


def _encoded(data: Mapping[str, object]) -> bytes:
    return json.dumps(data, separators=(",", ":"), default=str).encode("ascii")


def _shortened(data: Mapping[str, object]) -> Mapping[str, object]:
    """An event that is far too long, with no more than the beginning of what it says."""
    return {
        name: value[:_CUT]
        if isinstance(value, str)
        else type(value)()
        if isinstance(value, dict | list)
        else value
        for name, value in data.items()
    }
