"""All that is told to a forge, put together."""

import asyncio

from otto.config import SourceSettings
from otto.model.pipeline import Pipeline
from otto.ports import Forge
from otto.reconcile.fleet import Fleet
from otto.reconcile.kit import Kit
from otto.reconcile.reporting.outbox import Outbox
from otto.reconcile.reporting.reporter import Place, Reporter


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

    async def run(self) -> None:
        """Tell what there is to tell, until cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._outbox.run(), name="forge outbox")
            group.create_task(self._reporter.run(), name="forge reporter")

    def pipeline(self, pipeline: Pipeline) -> None:
        """Hear that a pipeline has come further."""
        self._reporter.pipeline(pipeline)
