"""One call of `otto`: where its settings come from, and the terminal it speaks to."""

import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

import typer

from otto.cli.composition import Composition
from otto.model.errors import UsageError

if TYPE_CHECKING:
    from datetime import datetime

    from rich.console import Console

    from otto.cli.remote.server import Server
    from otto.config import Settings
    from otto.desk.question import Desk

# What a line may hold when nobody has told us how wide the reader's window is: a pipe or a file.
_PIPE_WIDTH = 200


@dataclass
class Invocation:
    """Handed to every command as the context's object.

    Attributes:
        composition: gives the ports.
        environ: the environment.
        at_home: the desk of the home on this machine, for a call.
        flags: dotted setting -> value, from the command line.
        debug: whether errors come with their traceback.
        token: for a controller elsewhere, from the command line.
    """

    composition: Composition
    environ: Mapping[str, str]
    at_home: "Callable[[Invocation], Desk]"
    flags: dict[str, Any] = field(default_factory=dict)
    debug: bool = False
    token: str | None = field(default=None, repr=False)

    @staticmethod
    def of(context: typer.Context) -> "Invocation":
        """The invocation a command belongs to."""
        found = context.find_object(Invocation)
        if found is None:
            raise RuntimeError("a command was called without its application")
        found.require_reach(_words(context))
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

    @cached_property
    def server(self) -> "Server | None":
        """The controller on another machine that the call is about; None for the home on this one.

        Raises:
            UsageError: its address or the token will not do.
        """
        if not self.settings.remote.server:
            return None
        from otto.cli.remote.server import server_of  # noqa: PLC0415  (not for the home)

        return server_of(self.settings, self.token, self.environ)

    @cached_property
    def desk(self) -> "Desk":
        """Where questions are put: the home, or a controller on another machine."""
        if self.server is not None:
            from otto.cli.remote.client import RemoteDesk  # noqa: PLC0415  (imports aiohttp)

            return RemoteDesk(self.server)
        return self.at_home(self)

    @property
    def place(self) -> str:
        """Where the sites are, in words."""
        return f"at {self.server.url}" if self.server is not None else f"over {self.settings.home}"

    def require_reach(self, words: tuple[str, ...]) -> None:
        """Insist that a command can do what it is told to, when it is told to ask another machine.

        Raises:
            UsageError: it works on this one.
        """
        from otto.cli.remote import reach  # noqa: PLC0415

        named = "remote.server" in self.flags
        if reach.of_files(words) and not named:
            return  # nor do they care whether the settings make sense
        server = self.settings.remote.server
        if server:
            reach.require(words, server, named=named)

    async def time(self) -> "datetime":
        """The time of day where questions are answered, in UTC: a clock elsewhere may go otherwise."""
        if self.server is None:
            return self.now()
        from otto.desk.greeting import Greet  # noqa: PLC0415  (only for another machine)

        return (await self.desk.ask(Greet())).now

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


def _words(context: typer.Context) -> tuple[str, ...]:
    """The command a context belongs to, as it is typed."""
    words: list[str] = []
    here = context
    while here.parent is not None:
        words.insert(0, here.info_name or "")
        here = here.parent  # type: ignore[assignment]  # Typer's own contexts have Click's as parents
    return tuple(words)
