"""Writes pipelines down as they change, and has decided ones reported before they end."""

import asyncio
import contextlib
from collections import OrderedDict
from collections.abc import Callable, Coroutine, Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, Protocol

import structlog

from otto.decide import pipelines as decide
from otto.decide import stages
from otto.model.pipeline import Pipeline, StageKind
from otto.model.run import Outcome
from otto.reconcile.kit import Kit

log = structlog.get_logger("otto.pipeline")

_AT_ONCE = 500  # records in one transaction
_AGAIN = 5.0  # seconds until the store is tried again
_REPORTING = 60.0  # seconds one reporter has
_AT_HAND = 2000  # newest records kept in memory
_LOOKED_BACK = 1000  # newest records read at the start
_STOPPED = "the controller was stopped"


class Reporter(Protocol):
    """Tells somebody else of pipelines: a forge, for one."""

    async def report(self, pipeline: Pipeline) -> str:
        """Tell of a pipeline whose outcome is final; one line of what was told to whom, "" for nothing.

        Anything it raises is written into the report stage, and changes nothing of the outcome. It is cut
        off after a minute.
        """


class PipelineBook:
    """The records of this controller's pipelines.

    Args:
        kit: the ports.
        reporters: whoever tells others.
        told: told of every change that is made here.
    """

    def __init__(self, kit: Kit, reporters: Sequence[Reporter], told: Callable[[Pipeline], None]) -> None:
        self._kit = kit
        self._reporters = reporters
        self._told = told
        self._dirty: OrderedDict[str, Pipeline] = OrderedDict()
        self._known: set[str] = set()
        self._newest: OrderedDict[str, Pipeline] = OrderedDict()
        self._decided: list[Pipeline] = []
        self._reporting: dict[str, Pipeline] = {}
        self._stirred = asyncio.Event()
        self._writing = asyncio.Lock()

    async def recover(self) -> dict[str, Pipeline]:
        """Close what was left open; of each site the newest, if it did not come to its end."""
        now, records = self._kit.clock.now(), self._kit.store.pipelines
        left = await records.open()
        closed = [replace(decide.stopped(item, _STOPPED, now), ended_at=now) for item in left]
        await records.save(*closed)
        for item in closed:
            log.info("pipeline.interrupted", pipeline=item.id, site=item.site)
        newest: dict[str, Pipeline] = {}
        for item in (*closed, *await records.pipelines(limit=_LOOKED_BACK)):
            known = newest.get(item.site)
            if known is None or (known.started_at, known.id) < (item.started_at, item.id):
                newest[item.site] = item
        unfinished = (Outcome.INTERRUPTED, Outcome.FAILED)
        return {site: item for site, item in newest.items() if item.outcome in unfinished}

    def knows(self, identity: str) -> bool:
        """Whether this pipeline was ever handed in to be written, and has not ended."""
        return identity in self._known

    def write(self, record: Pipeline) -> None:
        """Have a record written as it is now."""
        if record.ended_at is None:
            self._known.add(record.id)
        else:
            self._known.discard(record.id)
        if not decide.is_decided(record):
            self._reporting.pop(record.id, None)  # taken up again: a report on its way is of yesterday
        self._dirty[record.id] = record
        self._newest[record.id] = record
        self._newest.move_to_end(record.id)
        if len(self._newest) > _AT_HAND:
            self._newest.popitem(last=False)
        self._stirred.set()

    def add(self, identity: str, kind: StageKind, lines: Iterable[str]) -> None:
        """Add lines to a stage's log of a pipeline that was decided, not long ago."""
        record = self._newest.get(identity)
        if record is not None:
            self._change(stages.with_lines(record, kind, lines))

    def report(self, record: Pipeline) -> None:
        """Have a decided pipeline reported, and ended after that."""
        if self._reporters:
            self._decided.append(record)
            self._reporting[record.id] = record
            self.write(record)
        else:
            self._change(self._reported(record, Outcome.SUCCEEDED))

    async def run(self) -> None:
        """Write and report until cancelled; what was handed in by then is written."""
        try:
            async with asyncio.TaskGroup() as group:
                while True:
                    await self._stirred.wait()
                    self._stirred.clear()
                    for record in self._decided:
                        group.create_task(self._report(record), name=f"report {record.id}")
                    self._decided.clear()
                    await self._write()
        finally:
            with contextlib.suppress(asyncio.CancelledError):
                await asyncio.shield(self.flush())

    async def flush(self) -> None:
        """Write what is there to be written; a store in trouble is left to a later try."""
        async with self._writing:
            while self._dirty:
                batch = [self._dirty.popitem(last=False)[1] for _ in range(min(_AT_ONCE, len(self._dirty)))]
                try:
                    await self._kit.store.pipelines.save(*batch)
                except Exception as error:  # noqa: BLE001  (the store's trouble; the site's work goes on)
                    log.warning("pipeline.unwritten", error=str(error), kind=type(error).__name__)
                    self._put_back(batch)
                    return

    async def _write(self) -> None:
        await self.flush()
        if self._dirty:
            await self._kit.clock.sleep(_AGAIN)
            self._stirred.set()

    def _put_back(self, batch: Sequence[Pipeline]) -> None:
        for record in batch:
            if record.id not in self._dirty:
                self._dirty[record.id] = record

    async def _report(self, record: Pipeline) -> None:
        if self._reporting.get(record.id) is not record:
            return
        told = stages.with_open_stage(self._newest.get(record.id, record), StageKind.REPORT, self._now())
        self._change(told)
        outcome, lines = Outcome.SUCCEEDED, []
        for reporter in tuple(self._reporters):
            try:
                lines.append(await self._in_time(reporter.report(told)))
            except Exception as error:  # noqa: BLE001  (told, and no reason to call the deployment failed)
                outcome = Outcome.FAILED
                late = f"no answer within {_REPORTING:g} s; it is told when it can be"
                lines.append(f"not reported: {late if isinstance(error, TimeoutError) else error}")
                log.warning("pipeline.unreported", pipeline=record.id, site=record.site, error=lines[-1])
        if self._reporting.get(record.id) is record:
            del self._reporting[record.id]
            newest = self._newest.get(record.id, told)
            self._change(self._reported(stages.with_lines(newest, StageKind.REPORT, lines), outcome))

    async def _in_time(self, report: Coroutine[Any, Any, str]) -> str:
        """What a reporter answers within the time it has.

        Raises:
            TimeoutError: it did not.
        """
        work = asyncio.create_task(report)
        limit = asyncio.create_task(self._kit.clock.sleep(_REPORTING))
        try:
            await asyncio.wait({work, limit}, return_when=asyncio.FIRST_COMPLETED)
            if not work.done():
                raise TimeoutError
            return work.result()
        finally:
            work.cancel()
            limit.cancel()
            await asyncio.gather(work, limit, return_exceptions=True)

    def _reported(self, record: Pipeline, outcome: Outcome) -> Pipeline:
        """The pipeline at its end."""
        now = self._now()
        told = record
        if stages.stage_in(record, StageKind.REPORT) is None:
            told = stages.with_open_stage(record, StageKind.REPORT, now)
        stage = stages.stage_in(told, StageKind.REPORT)
        summary = stage.log[-1] if stage and stage.log else "nobody had to be told"
        ended = stages.with_ended_stage(told, StageKind.REPORT, now, outcome, summary)
        return replace(ended, ended_at=now)

    def _now(self) -> datetime:
        return self._kit.clock.now()

    def _change(self, record: Pipeline) -> None:
        self._told(record)
        self.write(record)
