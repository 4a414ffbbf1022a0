"""Logs: one event name per happening, with site, run, commit, digest and step beside it.

Everything goes two ways: to a stream for whoever watches, and as JSON lines to a file of the controller's
own, which turns over by size. What libraries log through the standard library joins in.
"""

import io
import logging
import logging.handlers
import os
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Self, TextIO

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

from otto.model.errors import TerminalError
from otto.telemetry.redaction import Redactor

FILE = "otto.jsonl"
"""Name of the file inside the folder of logs."""

FILE_BYTES = 10 * 1024 * 1024
OLD_FILES = 5
_FIRST = ("timestamp", "level", "event", "logger", "site", "run", "step")


class Logs:
    """Logging as `configure` set it up, until `close`.

    Attributes:
        redactor: tell it secrets as they become known.
    """

    def __init__(self, redactor: Redactor, handlers: list[logging.Handler]) -> None:
        self.redactor = redactor
        self._handlers = handlers
        self._levels = _levels()

    def close(self) -> None:
        """Put everything back as it was before. May be called twice."""
        if not self._handlers:
            return
        for handler in self._handlers:
            logging.getLogger().removeHandler(handler)
            handler.close()
        self._handlers = []
        _set_levels(*self._levels)
        logging.captureWarnings(capture=False)
        structlog.reset_defaults()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def configure(
    *,
    style: str = "console",
    level: str = "info",
    shown_level: str | None = None,
    folder: Path | None = None,
    stream: TextIO | None = None,
    redactor: Redactor | None = None,
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> Logs:
    """Set logging up for this process.

    Args:
        style: `console` for people or `json`, on the stream.
        level: least level of OttO's own events; libraries speak from warning on (info when debugging).
        shown_level: least level on the stream, for streams that carry other things; None for no limit.
        folder: where the file goes, for the controller alone; None for no file.
        stream: where to show events; None for standard error.
        redactor: masks secrets; a new one when none is given.
        now: the time of day.

    Raises:
        TerminalError: the file cannot be written.
    """
    redactor = redactor or Redactor()
    shared = _shared(redactor, now)
    shown = logging.StreamHandler(stream or sys.stderr)
    shown.setFormatter(_formatter(shared, _renderer(style, shown.stream)))
    shown.setLevel(shown_level.upper() if shown_level else logging.NOTSET)
    handlers: list[logging.Handler] = [shown]
    if folder is not None:
        handlers.append(_file(folder, shared))
    logs = Logs(redactor, handlers)
    _install(handlers, level.upper())
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *shared,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        wrapper_class=structlog.stdlib.BoundLogger,
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=False,
    )
    return logs


@contextmanager
def about(**fields: object) -> Iterator[None]:
    """Put `site`, `run`, `commit`, `digest`, `step` or more on every event inside; None adds nothing."""
    with structlog.contextvars.bound_contextvars(**{k: v for k, v in fields.items() if v is not None}):
        yield


Entry = Mapping[str, Any]


@contextmanager
def tapped(listener: Callable[[Entry], None]) -> Iterator[None]:
    """Hand a copy of every event of OttO's own, from `info` on, to a listener while the block lasts.

    Args:
        listener: called from any thread, with secrets masked already; must be quick and must not raise.
    """
    tap = _Tap(listener)
    logging.getLogger("otto").addHandler(tap)
    try:
        yield
    finally:
        logging.getLogger("otto").removeHandler(tap)


class _Tap(logging.Handler):
    def __init__(self, listener: Callable[[Entry], None]) -> None:
        super().__init__(logging.INFO)
        self._listener = listener

    def emit(self, record: logging.LogRecord) -> None:
        # What structlog hands on is the whole entry, redacted; a library's own words are no event of OttO's.
        if isinstance(record.msg, dict):
            self._listener(dict(record.msg))


def _shared(redactor: Redactor, now: Callable[[], datetime]) -> list[Processor]:
    def stamp(_logger: WrappedLogger, _method: str, entry: EventDict) -> EventDict:
        entry["timestamp"] = now().isoformat(timespec="milliseconds").replace("+00:00", "Z")
        return entry

    return [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        stamp,
        structlog.processors.StackInfoRenderer(),
        structlog.processors.format_exc_info,
        redactor,
    ]


def _formatter(shared: list[Processor], *render: Processor) -> logging.Formatter:
    remove = structlog.stdlib.ProcessorFormatter.remove_processors_meta
    return structlog.stdlib.ProcessorFormatter(foreign_pre_chain=shared, processors=[remove, *render])


def _renderer(style: str, stream: TextIO) -> Processor:
    if style == "json":
        return _json
    # A text exception is all the renderer gets: redaction has to come before it.
    return structlog.dev.ConsoleRenderer(
        colors=stream.isatty(), exception_formatter=structlog.dev.plain_traceback, pad_event_to=28
    )


def _json(logger: WrappedLogger, method: str, entry: EventDict) -> str:
    ordered = {key: entry[key] for key in _FIRST if key in entry} | dict(entry)
    text = structlog.processors.JSONRenderer(default=str, ensure_ascii=False)(logger, method, ordered)
    return text if isinstance(text, str) else text.decode()


def _install(handlers: list[logging.Handler], level: str) -> None:
    for handler in handlers:
        logging.getLogger().addHandler(handler)
    _set_levels(logging.INFO if level == "DEBUG" else logging.WARNING, level)
    logging.captureWarnings(capture=True)


def _levels() -> tuple[int, int]:
    return logging.getLogger().level, logging.getLogger("otto").level


def _set_levels(libraries: int, own: int | str) -> None:
    logging.getLogger().setLevel(libraries)
    logging.getLogger("otto").setLevel(own)


def _file(folder: Path, shared: list[Processor]) -> logging.Handler:
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        handler = PrivateFileHandler(folder / FILE)
    except OSError as error:
        mend = "make the folder writable for the user OttO runs as"
        raise TerminalError(f"logs cannot be written to {folder}: {error.strerror}", mend=mend) from error
    handler.setFormatter(_formatter(shared, _json))
    return handler


class PrivateFileHandler(logging.handlers.RotatingFileHandler):
    """A file that its owner alone can read, turned over by size; never stops what it logs about.

    Attributes:
        lost: entries that could not be written (a full disk); the first one of a row is said on stderr.
    """

    def __init__(self, path: Path, *, size: int = FILE_BYTES, keep: int = OLD_FILES) -> None:
        self.lost = 0
        self._failing = False
        super().__init__(path, maxBytes=size, backupCount=keep, encoding="utf-8")

    def emit(self, record: logging.LogRecord) -> None:
        """Write a record, turning the file over first when it is full."""
        before = self.lost
        super().emit(record)
        self._failing = self.lost > before

    def close(self) -> None:
        """Let go of the file, even when what it still had to write has no place."""
        with suppress(OSError):
            super().close()

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802  (logging's name)
        """Count an entry that is lost, and say so once until writing works again."""
        self.lost += 1
        if not self._failing and sys.stderr is not None:
            sys.stderr.write(f"otto: the log {self.baseFilename} cannot be written: {sys.exc_info()[1]}\n")
        del record

    def _open(self) -> io.TextIOWrapper:
        stream = open(  # noqa: SIM115  (Path.open takes no opener; logging closes it)
            self.baseFilename, self.mode, encoding=self.encoding, opener=_private
        )
        os.fchmod(stream.fileno(), 0o600)
        return stream  # type: ignore[return-value]


def _private(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_CLOEXEC, 0o600)
