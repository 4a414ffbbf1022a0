"""Logging of a command: everything to the home's file, to standard error what a person should know."""

import io
import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from otto.cli.invocation import Invocation
from otto.cli.secrecy import known_secrets
from otto.telemetry.logs import configure
from otto.telemetry.redaction import Redactor

FOLDER = "logs"


class Stderr(io.TextIOBase):
    """Standard error as it is at each moment: while a live table is drawn, Rich puts its own in place."""

    def write(self, text: str) -> int:
        """See `TextIO`."""
        return sys.stderr.write(text)

    def flush(self) -> None:
        """See `TextIO`."""
        sys.stderr.flush()

    def isatty(self) -> bool:
        """See `TextIO`."""
        return sys.stderr.isatty()


@contextmanager
def journal(invocation: Invocation, *, file: bool) -> Iterator[None]:
    """Log for as long as the block lasts.

    On standard error only warnings are shown, so that tables stay whole; all of it with --debug, or with
    `log.format` json, which is for programs that collect logs.

    Args:
        invocation: the call.
        file: whether we are the controller of the home, whose file it is.
    """
    settings = invocation.settings
    redactor = Redactor(known_secrets(settings, invocation.environ))
    stream = Stderr()
    level = "debug" if invocation.debug else settings.log.level
    folder = settings.home / FOLDER if file else None
    # A TextIOBase is all that logging asks of a stream; typing's TextIO is a class, not a protocol.
    with configure(
        style=settings.log.format,
        level=level,
        folder=folder,
        stream=stream,  # type: ignore[arg-type]
        redactor=redactor,
    ):
        if settings.log.format != "json" and not invocation.debug:
            _only_warnings(stream)
        yield


def _only_warnings(stream: Stderr) -> None:
    for handler in logging.getLogger().handlers:
        if isinstance(handler, logging.StreamHandler) and handler.stream is stream:
            handler.setLevel(logging.WARNING)
