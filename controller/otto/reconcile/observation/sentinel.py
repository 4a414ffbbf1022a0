"""All tiers of observation, and the provider's events, at work beside the loop."""

import asyncio
from collections.abc import Awaitable, Iterator
from contextlib import contextmanager

import structlog

from otto.decide.hosts import is_declared
from otto.decide.schedule import backoff, jittered, shortened
from otto.model.errors import OttoError
from otto.model.host import Host, HostEvent
from otto.model.sign import Sign, Tier
from otto.model.status import SiteStatus
from otto.reconcile.fleet import Fleet
from otto.reconcile.hostview import HostView
from otto.reconcile.kit import Kit
from otto.reconcile.observation.census import CensusTaker
from otto.reconcile.observation.factsdesk import FactsDesk
from otto.reconcile.observation.orphanage import Orphanage
from otto.reconcile.observation.refreshing import Refreshing
from otto.reconcile.observation.rounds import Rounds
from otto.reconcile.observation.sightings import Watched
from otto.reconcile.observation.surveyor import Surveyor
from otto.reconcile.observe import Observer
from otto.reconcile.verify import Verifier

log = structlog.get_logger("otto.sentinel")

# Orphans are looked for when a list of hosts has changed, and every so many lists: specs change, too.
_REVIEW_EVERY = 10
# An event stream that broke is opened again at the latest after so many seconds.
_RECONNECT_CAP = 5.0
# Seconds a round may take beyond its interval before it counts as stuck: all in it has its own time limits.
_PATIENCE = 600.0


class Sentinel:
    """Watches sites between looks. What it sees makes a site due; what is to be done is not its business."""

    def __init__(self, kit: Kit, fleet: Fleet, observer: Observer, verifier: Verifier) -> None:
        self._kit = kit
        self._sightings = observer.sightings
        self._silences = observer.silences
        self._desk = observer.desk
        self._census = CensusTaker(kit)
        self._orphanage = Orphanage(kit, fleet, observer.sightings)
        self._surveyor = Surveyor(kit, verifier, observer.silences)
        probes = kit.probes
        self._probing = Rounds(
            kit.clock, kit.rng, interval=probes.interval, jitter=probes.jitter, batch=probes.batch
        )
        self.refreshing = Refreshing(kit)

    @property
    def desk(self) -> FactsDesk:
        """Asks hosts for facts."""
        return self._desk

    @property
    def silent(self) -> int:
        """How many hosts answer nothing now."""
        return self._silences.count

    def views(self, status: SiteStatus) -> tuple[HostView, ...]:
        """A site's hosts by name, with what was observed of each last. Asks nobody."""
        census = self._census.latest
        live = {host.id: host for host in census.of(status.site)}
        return tuple(
            HostView(
                status.site,
                host,
                status.provider,
                live.get(host.id),
                census.at,
                self._desk.view(host),
                is_declared(host),
            )
            for host in sorted(status.hosts, key=lambda host: host.name)
        )

    def hosts(self) -> Iterator[tuple[str, Host]]:
        """Every host of a site that is watched, as of its last look, with the site's name."""
        for site in self._sightings.sites():
            watched = self._sightings.last(site)
            for host in watched.hosts if watched else ():
                yield site, host

    def watch(self, watched: Watched) -> None:
        """Watch a site by what its last look found."""
        site = watched.desired.site
        before = self._sightings.last(site)
        if before is not None:
            self._forget(before, but=watched)
            # What a glance saw last is what the next one may call fine again.
            watched.glimpsed = before.glimpsed & watched.known
        self._sightings.watch(watched)
        self._probing.join(site)
        self.refreshing.join(site)

    def unwatch(self, site: str) -> None:
        """Watch a site no longer."""
        before = self._sightings.unwatch(site)
        if before is not None:
            self._forget(before)
        self._probing.leave(site)
        self.refreshing.leave(site)

    @contextmanager
    def working(self, site: str) -> Iterator[None]:
        """While a site is worked on nothing is told of it; a host lost meanwhile is told of afterwards."""
        with self._sightings.working(site) as meanwhile:
            try:
                yield
            finally:
                self.refreshing.ended(site)
        watched = self._sightings.last(site)
        present = {host.id for host in watched.hosts} if watched else set()
        for sign in meanwhile:
            if sign.id in present:
                self._tell(site, sign)

    async def run(self) -> None:
        """Work until cancelled."""
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._take_census(), name="census")
                group.create_task(self._probe(group), name="probes")
                group.create_task(self._ask_for_facts(group), name="facts")
                group.create_task(self.refreshing.run(), name="refresh")
                group.create_task(self._follow_events(), name="events")
        finally:
            await self._desk.close()

    async def _take_census(self) -> None:
        taken = 0
        while self._kit.probes.interval > 0:
            self._kit.metrics.health.beat("the census of hosts", self._kit.probes.interval + _PATIENCE)
            await self._guarded("census", self._count_hosts(review=taken % _REVIEW_EVERY == 0))
            taken += 1
            await self._kit.clock.sleep(
                jittered(self._kit.probes.interval, self._kit.rng, self._kit.probes.jitter)
            )

    async def _count_hosts(self, *, review: bool) -> None:
        changed = await self._census.take()
        for site in sorted(changed):
            self._probing.soon(site)
        if changed or review:
            await self._orphanage.review(self._census.latest)

    async def _probe(self, group: asyncio.TaskGroup) -> None:
        """Tier 0. Every site has its own task, so that one which is slow to answer delays nobody."""
        while True:
            batch = await self._probing.batch()
            self._kit.metrics.tier_lag("probes", self._probing.behind)
            for site in batch:
                group.create_task(self._glance(site), name=f"probe-{site}")

    async def _glance(self, site: str) -> None:
        began = self._kit.clock.monotonic()
        watched = self._sightings.watched(site)
        try:
            if watched is None:
                return
            signs = await self._surveyor.glance(watched, self._census.latest)
            # A look that began meanwhile sees for itself.
            if self._sightings.watched(site) is watched:
                self._seen(site, "probes")
                for sign in signs:
                    self._tell(site, sign)
            # A host that went while it was asked is no silent one, now and for ever.
            self._forget(watched, but=self._sightings.last(site))
            self._kit.metrics.looked("probes", "succeeded", self._kit.clock.monotonic() - began)
        except Exception as error:
            self._kit.metrics.looked("probes", "failed", self._kit.clock.monotonic() - began)
            log.exception("probes.failed", site=site, kind=type(error).__name__)
        finally:
            self._probing.done(site)

    async def _ask_for_facts(self, group: asyncio.TaskGroup) -> None:
        """Tier 1. All sites are asked together, so that they share runs; each is judged as it answers.

        Rounds begin an interval apart at most, however long one takes: a host that still owes its answer
        is left out of the next, and its neighbours are not.
        """
        settings = self._kit.facts
        asked: dict[asyncio.Task[None], float] = {}
        while settings.interval > 0:
            self._kit.metrics.health.beat("the round of facts", 2 * settings.interval + _PATIENCE)
            await self._kit.clock.sleep(shortened(settings.interval, self._kit.rng, settings.jitter))
            now = self._kit.clock.monotonic()
            asked = {task: began for task, began in asked.items() if not task.done()}
            oldest = min(asked.values(), default=now)
            self._kit.metrics.tier_lag("facts", max(0.0, now - oldest - settings.interval))
            for site in self._sightings.sites():
                asked[group.create_task(self._look_deep(site), name=f"facts-{site}")] = now

    async def _look_deep(self, site: str) -> None:
        watched = self._sightings.watched(site)
        if watched is None:
            return
        began = self._kit.clock.monotonic()
        silent = self._silences.of(watched.hosts)
        hosts = [host for host in watched.hosts if host.name not in silent and not self._desk.owes(host)]
        if not hosts:
            return
        try:
            async for answered in self._desk.answers(hosts):
                facts = {host.name: self._desk.view(host) for host in answered}
                # A look that began meanwhile sees for itself.
                if self._sightings.watched(site) is watched:
                    for sign in self._surveyor.look_deep(watched, facts, self._census.latest):
                        self._tell(site, sign)
            if self._sightings.watched(site) is watched:
                self._seen(site, "facts")
            self._kit.metrics.looked("facts", "succeeded", self._kit.clock.monotonic() - began)
        except Exception as error:
            self._kit.metrics.looked("facts", "failed", self._kit.clock.monotonic() - began)
            log.exception("facts.failed", site=site, kind=type(error).__name__)

    async def _follow_events(self) -> None:
        failures = 0
        while True:
            self._kit.metrics.event_stream(up=True)
            try:
                async for event in self._kit.infrastructure.events():
                    failures = 0
                    self._take_event(event)
            except OttoError as error:
                failures += 1
                log.debug("events.broken", error=str(error))
            except Exception as error:
                failures += 1
                log.exception("events.failed", kind=type(error).__name__)
            self._kit.metrics.event_stream(up=False)
            await self._kit.clock.sleep(
                backoff(max(1, failures), self._kit.rng, base=1.0, cap=_RECONNECT_CAP)
            )

    def _take_event(self, event: HostEvent) -> None:
        self._kit.metrics.event(event.kind.value)
        self._desk.doubt([event.id])
        at_work = self._sightings.is_working(event.site)
        if self._sightings.last(event.site) is None or (at_work and not event.kind.is_loss):
            return
        sign = Sign(Tier.EVENT, event.kind.value, self._kit.clock.now(), event.host, event.id)
        self._tell(event.site, sign)

    def _seen(self, site: str, tier: str) -> None:
        self._kit.metrics.seen(site, tier, self._kit.clock.now().timestamp())

    def _tell(self, site: str, sign: Sign) -> None:
        """Note a sign and make the site due, unless it is worked on now."""
        if not self._sightings.note(site, sign):
            return
        log.info("sign", site=site, tier=sign.tier.value, host=sign.host, what=sign.what)
        self._kit.metrics.sign(sign.tier.value)
        self._kit.queue.add(site, sign.tier.value)

    async def _guarded(self, what: str, work: Awaitable[None]) -> None:
        """One part that fails must not end the others."""
        try:
            await work
        except Exception as error:
            log.exception("sentinel.failed", what=what, kind=type(error).__name__)

    def _forget(self, before: Watched, but: Watched | None = None) -> None:
        kept = {host.id for host in but.hosts} if but else set()
        gone = {host.id for host in before.hosts} - kept
        self._desk.forget(gone)
        self._silences.forget(gone)
