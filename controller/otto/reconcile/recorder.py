"""Writes down a run step by step, and tells whoever listens."""

import secrets
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

import structlog

from otto.model.errors import OttoError, WaitingError
from otto.model.progress import Progress, Report
from otto.model.run import Outcome, Run, StepRecord
from otto.reconcile.events import StepChanged, StepProgress
from otto.reconcile.kit import Kit
from otto.reconcile.turns import RunEnded

log = structlog.get_logger("otto.run")


@dataclass
class StepNotes:
    """What a step finds out about itself while it runs."""

    report: Report
    hosts: tuple[str, ...] = ()
    summary: str = ""
    detail: dict[str, object] = field(default_factory=dict)
    outcome: Outcome = Outcome.SUCCEEDED


def run_id(now: datetime) -> str:
    """A sortable, unique id: the time, and 24 random bits against runs of the same second."""
    return f"{now:%Y%m%dT%H%M%S}-{secrets.token_hex(3)}"


class Recorder:
    """One run's record, kept in the store as it grows."""

    def __init__(self, kit: Kit, run: Run) -> None:
        self._kit = kit
        self.run = run
        self._written: Run | None = None

    @property
    def written(self) -> bool:
        """Whether the store has the run as it is now."""
        return self._written is self.run

    async def write(self) -> None:
        """Keep the run as it is now."""
        run = self.run
        await self._kit.store.save_run(run)
        self._written = run

    @asynccontextmanager
    async def step(
        self, kind: str, hosts: tuple[str, ...] = (), *, began: datetime | None = None
    ) -> AsyncIterator[StepNotes]:
        """A step: recorded when it begins and when it ends, however it ends.

        Args:
            kind: which step.
            hosts: the hosts it touches.
            began: when it began, if that was before now.
        """
        record = StepRecord(kind, began or self._kit.clock.now(), hosts=hosts)
        self.run = replace(self.run, steps=(*self.run.steps, record))
        await self._save(record)
        notes = StepNotes(self._reporter(kind), hosts)
        log.info("step.started", step=kind, hosts=list(hosts))
        try:
            with structlog.contextvars.bound_contextvars(step=kind):
                yield notes
        except BaseException as error:
            notes.outcome = _outcome_of(error)
            notes.summary = notes.summary or _words(error)
            notes.detail |= _detail_of(error)
            await self._try(self._end(record, notes))
            raise
        await self._end(record, notes)

    async def update(self, **changes: object) -> None:
        """Change fields of the run itself."""
        self.run = replace(self.run, **changes)  # type: ignore[arg-type]
        await self.write()

    async def end(self, outcome: Outcome, message: str) -> Run:
        """Close the run. When the store does not take it now, `write` is to be tried again."""
        now = self._kit.clock.now()
        self.run = self.run.ended(now, outcome, message)
        seconds = (now - self.run.started_at).total_seconds()
        self._kit.metrics.run_finished(outcome.value, seconds, self.run.id)
        log.info("run.finished", outcome=outcome.value, seconds=round(seconds, 3), message=message)
        self._kit.turns.publish(RunEnded(self.run))
        await self.write()
        return self.run

    async def give_up(self, outcome: Outcome, message: str) -> None:
        """Close the run while an error is on its way, a cancellation perhaps: nothing takes its place."""
        await self._try(self.end(outcome, message))

    async def _try(self, writing: Coroutine[Any, Any, object]) -> None:
        try:
            await writing
        except Exception as error:  # noqa: BLE001  (the store's trouble, told here and by whatever comes next)
            log.warning("run.unwritten", error=str(error), kind=type(error).__name__)

    async def _end(self, record: StepRecord, notes: StepNotes) -> None:
        now = self._kit.clock.now()
        ended = replace(
            record,
            ended_at=now,
            outcome=notes.outcome,
            hosts=notes.hosts,
            summary=notes.summary,
            detail=notes.detail,
        )
        self.run = replace(self.run, steps=(*self.run.steps[:-1], ended))
        seconds = (now - record.started_at).total_seconds()
        self._kit.metrics.step_finished(record.kind, seconds, self.run.id)
        log.info(
            "step.finished",
            step=record.kind,
            outcome=notes.outcome.value,
            seconds=round(seconds, 3),
            summary=notes.summary,
        )
        await self._save(ended)

    async def _save(self, record: StepRecord) -> None:
        await self.write()
        self._kit.bus.publish(StepChanged(self.run, record))

    def _reporter(self, kind: str) -> Report:
        def report(progress: Progress) -> None:
            log.debug("step.progress", step=kind, message=progress.message, host=progress.host)
            self._kit.bus.publish(StepProgress(self.run.site, kind, progress))

        return report


def _outcome_of(error: BaseException) -> Outcome:
    if isinstance(error, WaitingError):
        return Outcome.WAITING
    return Outcome.FAILED if isinstance(error, Exception) else Outcome.INTERRUPTED


def _words(error: BaseException) -> str:
    if isinstance(error, OttoError):
        return error.message
    return f"{type(error).__name__}: {error}" if isinstance(error, Exception) else "interrupted"


def _detail_of(error: BaseException) -> dict[str, object]:
    if isinstance(error, OttoError):
        found = {"mend": error.mend, "detail": error.detail}
        return {name: value for name, value in found.items() if value}
    return {}
