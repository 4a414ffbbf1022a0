"""All that is told to a forge, put together."""

import asyncio

from otto.config import SourceSettings
from otto.model.pipeline import Pipeline
from otto.ports import Forge
from otto.reconcile.fleet import Fleet
from otto.reconcile.kit import Kit
from otto.reconcile.reporting.outbox import Outbox
from otto.reconcile.reporting.previewer import Previewer
from otto.reconcile.reporting.receipts import Receipts
from otto.reconcile.reporting.reporter import Place, Reporter
from otto.reconcile.reporting.reviewer import Reviewer


class Reporting:
    """Tells a forge of commits and of pull requests, beside the loop.

    Args:
        kit: the ports.
        fleet: the specs in force.
        forge: who is told.
        source: settings of the spec repository.
    """

    def __init__(self, kit: Kit, fleet: Fleet, forge: Forge, source: SourceSettings) -> None:
        place = Place(forge.repository(source.url) if source.url else "", source.branch)
        self._outbox = Outbox(kit.clock, kit.rng, dropped=lambda _: kit.metrics.forge_dropped())
        self._reporter = Reporter(kit, fleet, forge, place, self._outbox)
        self._receipts = Receipts(kit.clock, self._reporter, self._outbox)
        self._reviewer: Reviewer | None = None
        if place.repository and kit.proposals is not None and kit.forging.pulls:
            previewer = Previewer(kit, fleet, kit.proposals)
            self._reviewer = Reviewer(
                kit, fleet, forge, place=place, outbox=self._outbox, previewer=previewer
            )

    async def run(self) -> None:
        """Tell what there is to tell, until cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._outbox.run(), name="forge outbox")
            group.create_task(self._reporter.run(), name="forge reporter")
            if self._reviewer is not None:
                group.create_task(self._reviewer.run(), name="forge reviewer")

    def pipeline(self, pipeline: Pipeline) -> None:
        """Hear that a pipeline has come further."""
        self._reporter.pipeline(pipeline)

    async def report(self, pipeline: Pipeline) -> str:
        """What a forge was told of a decided pipeline; returns when it was.

        Raises:
            TerminalError: the forge would not take it.
        """
        return await self._receipts.report(pipeline)

    def pull_moved(self) -> None:
        """Hear that a pull request was opened, moved or closed; it is seen in time without."""
        if self._reviewer is not None:
            self._reviewer.poke()
