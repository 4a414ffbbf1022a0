"""Writes pipelines down as they change, and has decided ones reported before they end."""

import asyncio
import contextlib
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Protocol

import structlog

from otto.decide import pipelines as decide
from otto.model.pipeline import Pipeline, StageKind
from otto.model.run import Outcome
from otto.reconcile.kit import Kit

log = structlog.get_logger("otto.pipeline")

_AT_ONCE = 500  # records in one transaction
_AGAIN = 5.0  # seconds until the store is tried again
_REPORTING = 60.0  # seconds one reporter has
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
        self._decided: list[Pipeline] = []
        self._stirred = asyncio.Event()
        self._writing = asyncio.Lock()

    async def recover(self) -> dict[str, Pipeline]:
        """Close what was left open; of each site the newest, if it did not come to its end."""
        now, records = self._kit.clock.now(), self._kit.store.pipelines
        left = await records.open()
        closed = [
            replace(decide.decided(item, Outcome.INTERRUPTED, _STOPPED, now), ended_at=now) for item in left
        ]
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
        self._dirty[record.id] = record
        self._stirred.set()

    def report(self, record: Pipeline) -> None:
        """Have a decided pipeline reported, and ended after that."""
        if self._reporters:
            self._decided.append(record)
            self.write(record)
        else:
            self.write(replace(record, ended_at=self._kit.clock.now()))

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
        told = decide.with_open_stage(record, StageKind.REPORT, self._kit.clock.now())
        self._change(told)
        outcome = Outcome.SUCCEEDED
        for reporter in tuple(self._reporters):
            try:
                async with asyncio.timeout(_REPORTING):
                    line = await reporter.report(told)
            except Exception as error:  # noqa: BLE001  (told, and no reason to call the deployment failed)
                outcome = Outcome.FAILED
                line = f"not reported: {error or type(error).__name__}"
                log.warning("pipeline.unreported", pipeline=record.id, site=record.site, error=line)
            told = decide.with_line(told, StageKind.REPORT, line)
        now = self._kit.clock.now()
        stage = decide.stage_in(told, StageKind.REPORT)
        summary = stage.log[-1] if stage and stage.log else "nobody had to be told"
        ended = decide.with_ended_stage(told, StageKind.REPORT, now, outcome, summary)
        self._change(replace(ended, ended_at=now))

    def _change(self, record: Pipeline) -> None:
        self._told(record)
        self.write(record)
