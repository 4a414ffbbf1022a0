"""Runs, for people: a line or two for each, or one from the first sign to the last check."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from otto.cli.colours import outcome_colour
from otto.cli.story import OBSERVE, Story, done, length, story, whole_words
from otto.cli.tables import blank, facts, words
from otto.cli.text import clock_time, date_time, lasting, took
from otto.model.run import Run, StepRecord

if TYPE_CHECKING:
    from rich.console import RenderableType

_MILLI = 1000
# Of a column; causes may be joined from many.
_WIDEST = 24


def history(runs: Sequence[Run], now: datetime) -> "Iterator[RenderableType]":
    """Runs, newest first; below each that tells of it, what was seen and what was done about it."""
    rows = [_row(run, now) for run in runs]
    widths = [max(len(text.plain) for text in column) for column in zip(_headings(), *rows, strict=True)]
    yield _line(_headings(), widths)
    for run, row in zip(runs, rows, strict=True):
        yield _line(row, widths)
        yield from (Padding(words(line, "dim"), (0, 0, 0, 2)) for line in _told(run))


def _headings() -> tuple[Text, ...]:
    return tuple(Text(word, "dim") for word in ("RUN", "AGO", "TOOK", "CAUSE", "OUTCOME", "WHAT"))


def _row(run: Run, now: datetime) -> tuple[Text, ...]:
    return (
        words(run.id),
        words(lasting((now - run.started_at).total_seconds()), "dim"),
        words(length(run, now)),
        words(run.cause),
        words(run.outcome.value, outcome_colour(run.outcome)),
        words(run.message or ", ".join(_kinds(run)) or "nothing to do"),
    )


def _line(cells: Sequence[Text], widths: Sequence[int]) -> Table:
    """One row that stands in line with the others; the last column takes what is left."""
    line = Table.grid(padding=(0, 2, 0, 0), pad_edge=False)
    for width in widths[:-1]:
        line.add_column(width=min(width, _WIDEST), overflow="fold")
    line.add_column(overflow="fold")
    line.add_row(*cells)
    return line


def _told(run: Run) -> Iterator[str]:
    """What was seen first, by which tier, what was done about it, and how long all of it took."""
    told = story(run)
    if told is None:
        return
    tier = f" by {told.first.tier}" if told.first else ""
    yield f"seen at {clock_time(told.began)}{tier}: {told.summary}"
    steps = ", ".join(done(run))
    if steps:
        yield "; ".join(part for part in (steps, whole_words(told)) if part)


def _kinds(run: Run) -> list[str]:
    """What was done, each kind once: a rollout does the same to every batch."""
    kinds = dict.fromkeys(step.kind for step in run.steps)
    return [kind for kind in kinds if kind not in (OBSERVE, "plan", "guard")]


def page(run: Run, now: datetime) -> "Iterator[RenderableType]":
    """One run in full."""
    told = story(run)
    yield run_facts(run, told, now)
    if told and told.signs:
        yield ""
        yield _signs(told)
    if told and told.differences:
        yield ""
        yield _differences(told)
    yield ""
    yield steps(run, now)


def _signs(told: Story) -> Table:
    table = blank("SEEN AT", "BY", "HOST", "WHAT")
    for column in table.columns[:2]:
        column.no_wrap = True
    for sign in told.signs:
        at = f"{clock_time(sign.at)}.{sign.at.microsecond // _MILLI:03d}"
        table.add_row(words(at, "dim"), words(sign.tier), words(sign.host, "bold"), words(sign.what))
    return table


def _differences(told: Story) -> Table:
    table = blank("LAYER", "WHAT", "WANT", "HAVE", "CAUSE")
    for item in told.differences:
        table.add_row(*(words(word) for word in (item.layer, item.path, item.want, item.have, item.cause)))
    return table


def run_facts(run: Run, told: Story | None, now: datetime) -> Table:
    """One run, first part."""
    return facts(
        [
            ("site", run.site),
            ("outcome", run.outcome.value),
            ("message", run.message),
            ("cause", run.cause),
            ("first sign", date_time(told.began) if told else ""),
            ("started", date_time(run.started_at)),
            ("took", took(run.started_at, run.ended_at, now)),
            ("in all", whole_words(told) if told else ""),
            ("commit", run.commit),
            ("digest", run.digest),
            ("plan", run.plan),
        ]
    )


def steps(run: Run, now: datetime) -> Table:
    """A run's steps, each with what it found and did."""
    table = blank("STEP", "TOOK", "OUTCOME", "WHAT")
    for column in table.columns[:3]:
        column.no_wrap = True
    for step in run.steps:
        table.add_row(
            words(step.kind, "bold"),
            words(took(step.started_at, step.ended_at, now)),
            words(step.outcome.value, outcome_colour(step.outcome)),
            words(step.summary),
        )
        for line in _detail(step.hosts, _told_elsewhere(step)):
            table.add_row("", "", "", Padding(words(line, "dim"), (0, 0, 0, 2)))
    return table


def _told_elsewhere(step: StepRecord) -> Mapping[str, object]:
    """A step's detail without what has tables of its own."""
    if step.kind != OBSERVE:
        return step.detail
    return {name: value for name, value in step.detail.items() if name not in ("signs", "differences")}


def _detail(touched: Sequence[str], detail: Mapping[str, object]) -> Iterable[str]:
    if touched:
        yield f"hosts: {', '.join(touched)}"
    for name, value in detail.items():
        if isinstance(value, list):
            yield from (f"{name}: {_item(item)}" for item in value)
        elif isinstance(value, str):
            yield from (f"{name}: {line}" for line in value.splitlines())
        else:
            yield f"{name}: {_item(value)}"


def _item(value: object) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{name} {item}" for name, item in value.items() if item not in ("", None))
    if isinstance(value, bool):
        return "yes" if value else "no"
    return str(value)
