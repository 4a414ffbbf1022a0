"""Tell a person, or a program, what happens while it happens: one line per change, or JSON."""

import json
from types import TracebackType
from typing import TYPE_CHECKING, Protocol, Self

from otto.cli.board import Board, Row
from otto.cli.colours import colour_of, outcome_colour
from otto.cli.story import story, whole_words
from otto.cli.text import clean, clock_time, took
from otto.model.run import Outcome, Run, StepRecord
from otto.ports import Clock
from otto.reconcile.events import (
    Event,
    SiteGone,
    StatusChanged,
    StepChanged,
    event_document,
    site_of,
)

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text


class Presenter(Protocol):
    """Shows events as they come. It is a context manager, so that a terminal is left as it was found."""

    def __enter__(self) -> Self:
        """Begin."""

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End; what was shown last stays."""

    def event(self, event: Event) -> None:
        """Something happened."""

    def note(self, text: str, name: str = "note") -> None:
        """Say something that concerns no site in particular."""


class _Presenter:
    """What the two below have in common: a board that follows the events."""

    def __init__(self, board: Board, clock: Clock) -> None:
        self._board = board
        self._clock = clock

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        pass


class PlainPresenter(_Presenter):
    """One line per change, for a log, a pipe, or the time after the live table.

    Args:
        console: where to.
        board: follows the events.
        clock: the time in front of each line.
    """

    def __init__(self, console: "Console", board: Board, clock: Clock) -> None:
        super().__init__(board, clock)
        self._console = console

    def event(self, event: Event) -> None:
        """See `Presenter`. What happens inside a step is left to the log."""
        before = self._board.row(site_of(event))
        row = self._board.apply(event, self._clock.monotonic())
        match event:
            case StatusChanged():
                self._status(before, row)
            case StepChanged(run=run, step=step) if step.outcome is not Outcome.RUNNING:
                self._say(row.site, *_step_words(run, step))
            case SiteGone():
                self._say(row.site, "gone", "dim")
            case _:
                pass

    def note(self, text: str, name: str = "note") -> None:  # noqa: ARG002  (for the presenters with names)
        """See `Presenter`."""
        self._say("", text, "")

    def _status(self, before: Row | None, row: Row) -> None:
        if before and before.status and (before.phase, before.message) == (row.phase, row.message):
            return
        words = row.phase.value
        if row.ready and row.status and not row.message:
            words += "".join(f"  {endpoint.url}" for endpoint in row.status.endpoints)
        elif row.message not in ("", row.phase.value):
            words += f": {row.message}"
        self._say(row.site, words, colour_of(row.phase))

    def _say(self, site: str, words: str, style: str) -> None:
        self._console.print(self._line(site, words, style), soft_wrap=True)

    def _line(self, site: str, words: str, style: str) -> "Text":
        from rich.text import Text  # noqa: PLC0415  (see `console`)

        at = (clock_time(self._clock.now()) + "  ", "dim")
        return Text.assemble(at, (f"{clean(site)}  " if site else "", "bold"), (clean(words), style))


class JsonPresenter(_Presenter):
    """One JSON object per line, as `schemas/output/event.json` describes.

    Args:
        console: where to.
        board: follows the events.
        clock: the time of each event.
    """

    def __init__(self, console: "Console", board: Board, clock: Clock) -> None:
        super().__init__(board, clock)
        self._console = console

    def event(self, event: Event) -> None:
        """See `Presenter`."""
        row = self._board.apply(event, self._clock.monotonic())
        self._write({"site": row.site, **event_document(event)})

    def note(self, text: str, name: str = "note") -> None:
        """See `Presenter`."""
        self._write({"event": name, "message": text})

    def _write(self, document: dict[str, object]) -> None:
        line = json.dumps({"at": self._clock.now().isoformat(), **document}, ensure_ascii=True)
        self._console.print(line, soft_wrap=True)


def write_event(console: "Console", document: dict[str, object]) -> None:
    """Print one JSON event of a command's own, on one line."""
    console.print(json.dumps(document, ensure_ascii=True), soft_wrap=True)


def _step_words(run: Run, step: StepRecord) -> tuple[str, str]:
    lasted = took(step.started_at, step.ended_at, step.started_at)
    told = story(run) if step.kind == "verify" else None
    whole = f"; {whole_words(told)}" if told and told.whole else ""
    summary = f": {step.summary}{whole}" if step.summary else ""
    ended = "" if step.outcome is Outcome.SUCCEEDED else f" {step.outcome.value}"
    style = "" if step.outcome is Outcome.SUCCEEDED else outcome_colour(step.outcome)
    return f"  {step.kind}{ended} ({lasted}){summary}", style
