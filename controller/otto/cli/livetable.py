"""The live table: every site's phase, step and progress, drawn in place until the work is done."""

import asyncio
import contextlib
from types import TracebackType
from typing import TYPE_CHECKING, Self

from rich.live import Live
from rich.table import Table
from rich.text import Text

from otto.cli.board import Board, Row
from otto.cli.colours import colour_of
from otto.cli.text import clean, clock_time, lasting
from otto.model.status import WORKING, Phase
from otto.ports import Clock
from otto.reconcile.events import Event

if TYPE_CHECKING:
    from rich.console import Console

_FRAME = 0.25
_SPINNER = "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏"
_NARROW = 100
_SITE_WIDTH = 18
_MARKS = {
    Phase.READY: "✔",
    Phase.DEGRADED: "✘",
    Phase.AWAITING_APPROVAL: "?",
    Phase.SUSPENDED: "‖",
    Phase.DESTROYED: "-",
}


class LivePresenter:
    """Draws the board four times a second, in the event loop itself: no thread ever touches the board.

    Args:
        console: a terminal.
        board: follows the events.
        clock: for elapsed times.
    """

    def __init__(self, console: "Console", board: Board, clock: Clock) -> None:
        self._console = console
        self._board = board
        self._clock = clock
        self._frame = 0
        self._live = Live(console=console, auto_refresh=False, transient=False, vertical_overflow="ellipsis")
        self._painter: asyncio.Task[None] | None = None

    def __enter__(self) -> Self:
        self._live.__enter__()
        self._painter = asyncio.create_task(self._paint(), name="live-table")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._painter is not None:
            self._painter.cancel()
        with contextlib.suppress(Exception):
            self._draw()
        self._live.__exit__(kind, error, trace)

    def event(self, event: Event) -> None:
        """See `Presenter`."""
        self._board.apply(event, self._clock.monotonic())

    def note(self, text: str, name: str = "note") -> None:  # noqa: ARG002  (see `Presenter`)
        """See `Presenter`: a line above the table."""
        at = (clock_time(self._clock.now()) + "  ", "dim")
        self._console.print(Text.assemble(at, clean(text)))

    async def _paint(self) -> None:
        while True:
            self._draw()
            await asyncio.sleep(_FRAME)

    def _draw(self) -> None:
        self._frame += 1
        drawn = table(
            self._board.rows(), self._clock.monotonic(), frame=self._frame, width=self._console.width
        )
        self._live.update(drawn, refresh=True)


def table(rows: list[Row], now: float, *, frame: int = 0, width: int = 80) -> Table:
    """The table at one moment.

    Args:
        rows: the sites.
        now: monotonic time.
        frame: which picture of the spinner.
        width: columns of the terminal; below 100 the step joins the progress.
    """
    drawn = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), expand=True, header_style="dim")
    drawn.add_column("", width=1, no_wrap=True)
    drawn.add_column("SITE", no_wrap=True, max_width=_SITE_WIDTH, overflow="ellipsis")
    drawn.add_column("PHASE", no_wrap=True, min_width=12)
    if width >= _NARROW:
        drawn.add_column("STEP", no_wrap=True, min_width=9)
    drawn.add_column("PROGRESS", ratio=1, no_wrap=True, overflow="ellipsis")
    drawn.add_column("TIME", justify="right", no_wrap=True, min_width=5)
    for row in rows:
        drawn.add_row(*_cells(row, now, frame, wide=width >= _NARROW))
    return drawn


def _cells(row: Row, now: float, frame: int, *, wide: bool) -> list[Text]:
    colour = colour_of(row.phase)
    progress = _progress(row, step=not wide)
    middle = [Text(row.step), progress] if wide else [progress]
    return [
        Text(_mark(row, frame), style=colour),
        Text(clean(row.site), style="bold"),
        Text(row.phase.value, style=colour),
        *middle,
        Text(lasting(row.seconds(now)), style="dim"),
    ]


def _mark(row: Row, frame: int) -> str:
    if row.step or row.phase in WORKING:
        return _SPINNER[frame % len(_SPINNER)]
    return _MARKS.get(row.phase, "·")


def _progress(row: Row, *, step: bool) -> Text:
    if row.progress is not None:
        return _inside(row, step=step)
    if row.ready and row.status and not row.message:
        # As spans of the text: a style of the whole of it would underline the rest of the column as well.
        urls = [Text.assemble((clean(endpoint.url), "underline")) for endpoint in row.status.endpoints]
        return Text(" ").join(urls)
    words = "" if row.message == row.phase.value else row.message
    return Text(clean(words) or (row.step if step else ""))


def _inside(row: Row, *, step: bool) -> Text:
    progress = row.progress
    if progress is None:
        return Text("")
    count = f"{progress.done}/{progress.total} " if progress.total else ""
    host = f"{progress.host}: " if progress.host and not progress.message.startswith(progress.host) else ""
    name = f"{row.step} " if step and row.step else ""
    return Text.assemble((name, "cyan"), (count, "bold"), clean(f"{host}{progress.message}"))
