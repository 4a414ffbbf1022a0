"""The loop: workers take due sites from the queue, one call at a time per site, many sites at once.

Zones are in the same queue, and are worked on beside the workers.
"""

import asyncio
import contextlib

import structlog

from otto.model.domain import is_zone
from otto.model.run import Outcome
from otto.model.status import Phase
from otto.reconcile.destroy import end_teardowns
from otto.reconcile.fleet import Fleet
from otto.reconcile.kit import Kit
from otto.reconcile.reconciler import Reconciler

log = structlog.get_logger("otto.loop")

_DOWN = frozenset({Phase.DESTROYING, Phase.DESTROYED})


class Loop:
    """Owns the workers and the queue."""

    def __init__(self, kit: Kit, fleet: Fleet, reconciler: Reconciler) -> None:
        self._kit = kit
        self._fleet = fleet
        self._reconciler = reconciler

    async def recover(self) -> None:
        """Close what a killed controller left open. The sites are looked at again, nothing is replayed."""
        now = self._kit.clock.now()
        for run in await self._kit.store.open_runs():
            await self._kit.store.save_run(run.interrupted(now))
            log.info("run.interrupted", run=run.id, site=run.site, outcome=Outcome.INTERRUPTED.value)

    async def start_all(self, cause: str = "start") -> None:
        """Make every known site and zone due: with a spec, remembered, or only with a status."""
        statuses = await self._kit.store.statuses()
        # Of nobody else: a question for each of ten thousand sites takes seconds.
        down = frozenset(status.site for status in statuses if status.phase in _DOWN)
        await end_teardowns(self._kit.store, down)
        for name in sorted(self._fleet.names() | {status.site for status in statuses}):
            self._kit.queue.add(name, cause)

    async def run(self) -> None:
        """Work until cancelled. Cancelling stops every child process before this returns."""
        workers = [asyncio.create_task(self._worker(), name=f"worker-{n}") for n in range(self._workers)]
        try:
            await asyncio.gather(*workers)
        finally:
            for worker in workers:
                worker.cancel()
            await asyncio.gather(*workers, return_exceptions=True)
            await self._reconciler.domains.lane.stop()

    @property
    def _workers(self) -> int:
        return max(1, self._kit.settings.workers)

    async def _worker(self) -> None:
        while True:
            site, cause = await self._kit.queue.get()
            if is_zone(site):
                self._reconciler.domains.lane.take(site, cause)
                continue
            with self._kit.metrics.worker_busy(site), contextlib.ExitStack() as stack:
                stack.callback(self._kit.queue.done, site)
                after = await self._reconciler.reconcile(site, cause)
            _end_if_cancelled()
            if after.seconds is not None:
                self._kit.queue.add_after(site, after.why, after.seconds)


def _end_if_cancelled() -> None:
    """End a worker whose cancellation was lost on its way: an error of cleaning up took its place.

    Raises:
        CancelledError: it was cancelled.
    """
    me = asyncio.current_task()
    if me is not None and me.cancelling():
        raise asyncio.CancelledError
