"""One call of `otto`: where its settings come from, and the terminal it speaks to."""

import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

import typer

from otto.cli.composition import Composition
from otto.model.errors import UsageError

if TYPE_CHECKING:
    from datetime import datetime

    from rich.console import Console

    from otto.config import Settings

# What a line may hold when nobody has told us how wide the reader's window is: a pipe or a file.
_PIPE_WIDTH = 200


@dataclass
class Invocation:
    """Handed to every command as the context's object.

    Attributes:
        composition: gives the ports.
        environ: the environment.
        flags: dotted setting -> value, from the command line.
        debug: whether errors come with their traceback.
    """

    composition: Composition
    environ: Mapping[str, str]
    flags: dict[str, Any] = field(default_factory=dict)
    debug: bool = False

    @staticmethod
    def of(context: typer.Context) -> "Invocation":
        """The invocation a command belongs to."""
        found = context.find_object(Invocation)
        if found is None:
            raise RuntimeError("a command was called without its application")
        return found

    @cached_property
    def settings(self) -> "Settings":
        """All settings.

        Raises:
            UsageError: one of them is unknown or wrong.
        """
        from otto import config  # noqa: PLC0415  (reads YAML, which `otto --help` does not need)

        known = {dotted for dotted, *_ in config.names()} | {"home"}
        unknown = sorted(set(self.flags) - known)
        if unknown:
            raise UsageError(f"there is no setting {unknown[0]!r}", mend="otto config lists them all")
        return config.load(self.environ, self.flags)

    def now(self) -> "datetime":
        """The time of day, in UTC."""
        return self.composition.now()

    @cached_property
    def out(self) -> "Console":
        """Standard output."""
        return console(self.environ)

    @cached_property
    def err(self) -> "Console":
        """Standard error."""
        return console(self.environ, stderr=True)


def console(environ: Mapping[str, str], *, stderr: bool = False) -> "Console":
    """A console that takes text as it is: no markup, no emoji codes, no highlighting by guesses."""
    from rich.console import Console  # noqa: PLC0415  (costs 50 ms, which completion does not have)

    stream = sys.stderr if stderr else sys.stdout
    width = None if stream.isatty() or "COLUMNS" in environ else _PIPE_WIDTH
    return Console(stderr=stderr, markup=False, emoji=False, highlight=False, width=width)
