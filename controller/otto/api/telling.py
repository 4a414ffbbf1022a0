"""From the controller's bus and from the log into the stream of the API."""

import contextlib
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime

from otto.api.stream import Stream
from otto.reconcile.events import Bus, Event, StatusChanged, event_document, site_of
from otto.telemetry.logs import Entry, tapped

_LEVELS = frozenset({"info", "warning", "error", "critical"})
_OWN = frozenset({"timestamp", "level", "event", "logger", "site"})


@contextlib.contextmanager
def telling(stream: Stream, bus: Bus, now: Callable[[], datetime]) -> Iterator[None]:
    """The stream hears of everything while the block lasts.

    Args:
        stream: hears.
        bus: tells what happens to sites.
        now: the time of day.
    """

    def happened(event: Event) -> None:
        site, document = site_of(event), event_document(event)
        labels = event.status.labels if isinstance(event, StatusChanged) else None
        stream.tell(str(document["event"]), site, {"at": now().isoformat(), "site": site, **document}, labels)

    def logged(entry: Entry) -> None:
        stream.tell("log", str(entry.get("site") or ""), log_document(entry))

    forget = bus.subscribe(happened)
    try:
        with tapped(logged):
            yield
    finally:
        forget()


def log_document(entry: Entry) -> Mapping[str, object]:
    """A log entry as the stream tells it."""
    level = str(entry.get("level"))
    return {
        "event": "log",
        "at": str(entry.get("timestamp") or ""),
        "site": str(entry.get("site") or ""),
        "level": level if level in _LEVELS else "info",
        "name": str(entry.get("event") or ""),
        "logger": str(entry.get("logger") or ""),
        "fields": {str(name): value for name, value in entry.items() if name not in _OWN and name[:1] != "_"},
    }
