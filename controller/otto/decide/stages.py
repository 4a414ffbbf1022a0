"""Stages of a pipeline, and what they said: steps from one record to the next."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime

from otto.model.pipeline import Pipeline, Stage, StageKind
from otto.model.run import Outcome

LINES = 200
"""Lines of log that a stage keeps: its first and its newest half."""

_LONGEST = 500
_LEFT_OUT = "… lines left out …"


def with_line(pipeline: Pipeline, kind: StageKind, line: str) -> Pipeline:
    """The pipeline with one more line in a stage's log; long logs lose lines from their middle."""
    stage = stage_in(pipeline, kind)
    if stage is None or not line:
        return pipeline
    log = (*stage.log, line if len(line) <= _LONGEST else f"{line[: _LONGEST - 1]}…")
    if len(log) > LINES:
        half = LINES // 2
        log = (*log[:half], _LEFT_OUT, *log[half + 2 if log[half] == _LEFT_OUT else half + 1 :])
    return pipeline.with_stage(replace(stage, log=log))


def with_lines(pipeline: Pipeline, kind: StageKind, lines: Iterable[str]) -> Pipeline:
    """The pipeline with more lines in a stage's log."""
    for line in lines:
        pipeline = with_line(pipeline, kind, line)
    return pipeline


def stage_in(pipeline: Pipeline, kind: StageKind) -> Stage | None:
    """A stage of a pipeline, None before it began."""
    return next((stage for stage in pipeline.stages if stage.kind is kind), None)


def with_open_stage(pipeline: Pipeline, kind: StageKind, at: datetime) -> Pipeline:
    """The pipeline with this stage under way; one that had ended goes on from when it first began."""
    stage = stage_in(pipeline, kind)
    if stage is None:
        return pipeline.with_stage(Stage(kind, at))
    return pipeline.with_stage(replace(stage, ended_at=None, outcome=Outcome.RUNNING))


def with_ended_stage(
    pipeline: Pipeline, kind: StageKind, at: datetime, outcome: Outcome, summary: str = ""
) -> Pipeline:
    """The pipeline with this stage closed, if it is under way; no summary leaves the one it has."""
    stage = stage_in(pipeline, kind)
    if stage is None or stage.ended_at is not None:
        return pipeline
    return pipeline.with_stage(replace(stage, ended_at=at, outcome=outcome, summary=summary or stage.summary))


def changed_stage(pipeline: Pipeline, kind: StageKind, *, summary: str, outcome: Outcome) -> Pipeline:
    """The pipeline with a stage's outcome as it is now; no summary leaves the one it has."""
    stage = stage_in(pipeline, kind)
    if stage is None:
        return pipeline
    return pipeline.with_stage(replace(stage, summary=summary or stage.summary, outcome=outcome))
