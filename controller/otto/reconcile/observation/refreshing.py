"""Tier 2: makes sites due for Terraform's own look at the provider, few at a time and far apart."""

import asyncio

import structlog

from otto.decide.requests import infrastructure_inputs
from otto.model.desired import Desired
from otto.model.errors import OttoError
from otto.model.progress import silent
from otto.reconcile.kit import Kit
from otto.reconcile.observation.rounds import Rounds
from otto.reconcile.observation.sightings import Sightings

log = structlog.get_logger("otto.refresh")

# The first refresh after a start is half an interval away at least: a restart is no reason for one.
_EARLIEST = 0.5
# A site that is not looked at within this, because it waits or is suspended, is passed over.
_SECONDS = 300.0


class Refreshing:
    """Makes sites due; the reconcile, which owns the site's place, calls Terraform."""

    def __init__(self, kit: Kit) -> None:
        settings = kit.refresh
        self._kit = kit
        self._rounds = Rounds(
            kit.clock, kit.rng, interval=settings.interval, jitter=settings.jitter, batch=settings.batch
        )
        self._places = asyncio.Semaphore(max(1, settings.concurrency))
        self._wanted: dict[str, asyncio.Event] = {}
        self._taken: set[str] = set()

    def join(self, site: str) -> None:
        """Have a site refreshed from now on."""
        self._rounds.join(site, earliest=_EARLIEST)

    def leave(self, site: str) -> None:
        """Have a site refreshed no longer."""
        self._rounds.leave(site)

    async def carry_out(self, desired: Desired, sightings: Sightings) -> None:
        """Called by the look that is under way: refresh the site if its turn has come."""
        site = desired.site
        if site not in self._wanted or site in self._taken:
            return
        self._taken.add(site)
        began, result = self._kit.clock.monotonic(), "failed"
        try:
            with self._kit.calling("terraform"):
                inputs = infrastructure_inputs(desired)
                sightings.refreshed[site] = await self._kit.infrastructure.refresh(inputs, silent)
            result = "succeeded"
            self._kit.metrics.seen(site, "refresh", self._kit.clock.now().timestamp())
        except OttoError as error:
            # The cheaper tiers go on; what they see is reason enough to plan, which tells the same error.
            log.warning("refresh.failed", error=str(error))
        finally:
            self._kit.metrics.looked("refresh", result, self._kit.clock.monotonic() - began)

    def ended(self, site: str) -> None:
        """The look has ended, and with it the refresh, if it made one."""
        if site in self._taken:
            self._wanted[site].set()

    async def run(self) -> None:
        """Work until cancelled."""
        async with asyncio.TaskGroup() as group:
            while True:
                batch = await self._rounds.batch()
                self._kit.metrics.tier_lag("refresh", self._rounds.behind)
                for site in batch:
                    group.create_task(self._refresh(site), name=f"refresh-{site}")

    async def _refresh(self, site: str) -> None:
        async with self._places:
            ended = self._wanted[site] = asyncio.Event()
            self._kit.queue.add(site, "refresh")
            timer = asyncio.ensure_future(self._kit.clock.sleep(_SECONDS))
            waiter = asyncio.ensure_future(ended.wait())
            try:
                await asyncio.wait({timer, waiter}, return_when=asyncio.FIRST_COMPLETED)
            finally:
                for task in (timer, waiter):
                    task.cancel()
                self._wanted.pop(site, None)
                self._taken.discard(site)
                self._rounds.done(site)
