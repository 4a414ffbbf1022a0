"""Images while they are made: a table drawn in place on a terminal, else a line for every change."""

import asyncio
import contextlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, Self

from rich.live import Live
from rich.text import Text

from otto.cli.tables import blank, words
from otto.cli.text import clean, clock_time, counted, lasting, seconds_taken
from otto.model.canonical import short
from otto.reconcile.foundry import Heard, Made, Result

if TYPE_CHECKING:
    from datetime import datetime

    from rich.console import Console
    from rich.table import Table

    from otto.model.image import Build

_FRAME = 0.25
_SPINNER = "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏"
_LOOK = {
    Result.BUILT: ("✔", "green"),
    Result.CACHED: ("✔", "green"),
    Result.FAILED: ("✘", "red"),
    Result.HELD: ("‖", "yellow"),
}
Key = tuple[str, str]


@dataclass(slots=True)
class Row:
    """One image at one provider.

    Attributes:
        build: which.
        words: what goes on.
        share: how much is done, in percent.
        began: monotonic time at which its build began, None before.
        made: what came of it, None before its end.
    """

    build: "Build"
    words: str = "waiting"
    share: int = 0
    began: float | None = None
    made: Made | None = None


class ImageBoard:
    """Rows, kept up to date by what is heard."""

    def __init__(self, builds: "Sequence[Build]") -> None:
        self.rows: dict[Key, Row] = {_key(build): Row(build) for build in builds}

    def hear(self, heard: Heard, now: float) -> None:
        """Take note."""
        row = self.rows[_key(heard.build)]
        if heard.made is not None:
            row.made, row.words, row.share = heard.made, outcome(heard.made), 100
        elif heard.progress is not None:
            row.began = now if row.began is None else row.began
            row.words, row.share = heard.progress.message, max(row.share, heard.progress.done)


def outcome(made: Made) -> str:
    """What came of an image, in a line."""
    if made.error:
        return made.error
    if made.result is Result.HELD:
        return "not built: the image it is made of is not there"
    told = "built and tried" if made.result is Result.BUILT else "there already: its inputs are the same"
    packages = counted(len(made.image.packages), "package") if made.image else ""
    points = f"now {' and '.join(made.channels)}" if made.channels else ""
    return ", ".join(part for part in (told, packages, points) if part)


class Shown(Protocol):
    """A way to show it."""

    def hear(self, heard: Heard) -> None:
        """Show what happened."""


@contextlib.contextmanager
def shown(
    console: "Console", builds: "Sequence[Build]", now: "Callable[[], datetime]", *, plain: bool
) -> Iterator[Shown]:
    """Show images while the block lasts.

    Args:
        console: where.
        builds: what is made.
        now: the time of day, in UTC.
        plain: line by line even on a terminal.
    """
    if plain or not console.is_terminal:
        yield Lines(console, now)
        return
    with Drawn(console, builds, asyncio.get_running_loop().time) as drawn:
        yield drawn


class Lines:
    """A line for every change."""

    def __init__(self, console: "Console", now: "Callable[[], datetime]") -> None:
        self._console = console
        self._now = now

    def hear(self, heard: Heard) -> None:
        """Print it."""
        name = f"{heard.build.name} ({heard.build.provider})"
        if heard.made is not None:
            mark, colour = _LOOK[heard.made.result]
            took = seconds_taken(heard.made.seconds)
            self._line(name, f"{mark} {outcome(heard.made)} ({took})", colour)
        elif heard.progress is not None:
            self._line(name, heard.progress.message, "")

    def _line(self, name: str, told: str, colour: str) -> None:
        at = (clock_time(self._now()) + "  ", "dim")
        self._console.print(
            Text.assemble(at, (f"{name:<16} ", "bold"), (clean(told), colour)), soft_wrap=True
        )


class Drawn:
    """A table drawn four times a second, in the event loop itself."""

    def __init__(self, console: "Console", builds: "Sequence[Build]", monotonic: Callable[[], float]) -> None:
        self._board = ImageBoard(builds)
        self._monotonic = monotonic
        self._frame = 0
        self._live = Live(console=console, auto_refresh=False, vertical_overflow="ellipsis")
        self._painter: asyncio.Task[None] | None = None

    def __enter__(self) -> Self:
        self._live.__enter__()
        self._painter = asyncio.create_task(self._paint(), name="image-table")
        return self

    def __exit__(self, *told: object) -> None:
        if self._painter is not None:
            self._painter.cancel()
        with contextlib.suppress(Exception):
            self._draw()
        self._live.__exit__(None, None, None)

    def hear(self, heard: Heard) -> None:
        """Take note; it is drawn with the next frame."""
        self._board.hear(heard, self._monotonic())

    async def _paint(self) -> None:
        while True:
            self._draw()
            await asyncio.sleep(_FRAME)

    def _draw(self) -> None:
        self._frame += 1
        drawn = table(tuple(self._board.rows.values()), self._monotonic(), self._frame)
        self._live.update(drawn, refresh=True)


def table(rows: "Sequence[Row]", now: float, frame: int = 0) -> "Table":
    """The table at one moment."""
    drawn = blank("", "IMAGE", "PROVIDER", "DIGEST", "DONE", "PROGRESS", "TIME")
    for row in rows:
        mark, colour = _LOOK[row.made.result] if row.made else (_spinner(row, frame), "")
        drawn.add_row(
            Text(mark, style=colour),
            words(row.build.name, "bold"),
            words(row.build.provider),
            words(short(row.build.digest.removeprefix("sha256:")), "dim"),
            Text(f"{row.share}%" if row.share else "", justify="right"),
            words(row.words),
            Text(_time(row, now), style="dim"),
        )
    return drawn


def _spinner(row: Row, frame: int) -> str:
    return _SPINNER[frame % len(_SPINNER)] if row.began is not None else "·"


def _time(row: Row, now: float) -> str:
    if row.made is not None:
        return seconds_taken(row.made.seconds)
    return lasting(now - row.began) if row.began is not None else ""


def _key(build: "Build") -> Key:
    return build.provider, build.digest
