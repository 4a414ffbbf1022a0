"""Pipelines, for people: a line for each, or one with its stages and what they said."""

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import TYPE_CHECKING

from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from otto.cli.colours import outcome_colour
from otto.cli.tables import blank, facts, words
from otto.cli.text import clock_time, date_time, lasting, took
from otto.model.pipeline import Event, Pipeline
from otto.model.run import Outcome

if TYPE_CHECKING:
    from rich.console import RenderableType

_LINES = 40


def table(pipelines: Iterable[Pipeline], now: datetime) -> Table:
    """One line per pipeline, newest first."""
    made = blank("PIPELINE", "SITE", "AGO", "TOOK", "BY", "OUTCOME", "WHAT")
    for column in made.columns[:6]:
        column.no_wrap = True
    for item in pipelines:
        made.add_row(
            words(item.id),
            words(item.site, "bold"),
            words(lasting((now - item.started_at).total_seconds()), "dim"),
            words(took(item.started_at, item.ended_at, now)),
            words(item.event.trigger.value),
            words(item.outcome.value, outcome_colour(item.outcome)),
            words(what(item)),
        )
    return made


def what(pipeline: Pipeline) -> str:
    """What became of it, or what goes on: the stage under way and what it last said."""
    if pipeline.message or pipeline.outcome is not Outcome.RUNNING or not pipeline.stages:
        return pipeline.message
    stage = next((item for item in pipeline.stages if item.ended_at is None), pipeline.stages[-1])
    last = stage.log[-1] if stage.log else stage.summary
    return f"{stage.kind.value}: {last}" if last else stage.kind.value


def line(pipeline: Pipeline, now: datetime) -> Text:
    """A change of a pipeline, in one line."""
    return Text.assemble(
        (f"{clock_time(now)} ", "dim"),
        words(f"{pipeline.site} ", "bold"),
        words(f"{pipeline.id} {pipeline.event.trigger.value} "),
        words(pipeline.outcome.value, outcome_colour(pipeline.outcome)),
        words(f"  {what(pipeline)}"),
    )


def page(pipeline: Pipeline, now: datetime) -> "Iterator[RenderableType]":
    """One pipeline in full."""
    yield facts(
        [
            ("site", pipeline.site),
            ("outcome", pipeline.outcome.value),
            ("message", pipeline.message),
            ("started by", _event(pipeline.event)),
            ("who", pipeline.event.by),
            ("commit", pipeline.event.commit),
            ("started", date_time(pipeline.started_at)),
            ("took", took(pipeline.started_at, pipeline.ended_at, now)),
            ("digest", pipeline.digest),
            ("run", pipeline.run),
        ]
    )
    yield ""
    yield _stages(pipeline, now)


def _event(event: Event) -> str:
    where = f" of {event.repository}" if event.repository else ""
    ref = f", {event.ref}" if event.ref else ""
    often = f", {event.deliveries} deliveries" if event.deliveries > 1 else ""
    return f"{event.trigger.value}{where}{ref}{often}"


def _stages(pipeline: Pipeline, now: datetime) -> Table:
    made = blank("STAGE", "TOOK", "OUTCOME", "WHAT")
    for column in made.columns[:3]:
        column.no_wrap = True
    for stage in pipeline.stages:
        made.add_row(
            words(stage.kind.value, "bold"),
            words(took(stage.started_at, stage.ended_at, now)),
            words(stage.outcome.value, outcome_colour(stage.outcome)),
            words(stage.summary),
        )
        for text in _newest(stage.log):
            made.add_row("", "", "", Padding(words(text, "dim"), (0, 0, 0, 2)))
    return made


def _newest(log: tuple[str, ...]) -> Iterator[str]:
    left = len(log) - _LINES
    if left > 0:
        yield f"… {left} lines before these: --json has them"
    yield from log[-_LINES:]
