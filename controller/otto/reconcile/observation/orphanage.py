"""Keeps the list of hosts that are nobody's, and says so. It never removes one."""

import json
from collections import Counter

import structlog

from otto.decide.costing import cost_of_live
from otto.decide.orphans import orphans
from otto.model.canonical import to_data
from otto.model.errors import OttoError
from otto.model.host import LiveHost
from otto.model.spec import Role
from otto.reconcile import pricing
from otto.reconcile.fleet import Fleet
from otto.reconcile.kit import Kit
from otto.reconcile.observation.census import Census
from otto.reconcile.observation.sightings import Sightings

log = structlog.get_logger("otto.orphans")

ORPHANS = "orphans"


class Orphanage:
    """Compares every census with what specs ask for and states hold."""

    def __init__(self, kit: Kit, fleet: Fleet, sightings: Sightings) -> None:
        self._kit = kit
        self._fleet = fleet
        self._sightings = sightings
        self._known: dict[str, LiveHost] | None = None

    async def review(self, census: Census) -> None:
        """Find the orphans of a census; those that are new or gone are told of."""
        wanted: dict[str, frozenset[str]] = {}
        states: dict[str, frozenset[str]] = {}
        for site in census.hosts:
            wanted[site] = self._wanted(site)
            try:
                state = await self._kit.infrastructure.state(site)
            except OttoError:
                # Unknown is not nobody's: a state that cannot be read may hold them all.
                states[site] = frozenset(host.id for host in census.of(site))
                continue
            states[site] = frozenset(host.id for host in state.hosts) if state else frozenset()
        # What is at work may be making a host just now: of its hosts only those told of before stay orphans.
        known = self._known or {}
        settled = (host for host in census.all() if host.id in known or not self._at_work(host))
        await self._tell({host.id: host for host in orphans(settled, wanted, states)})

    def _at_work(self, host: LiveHost) -> bool:
        return self._sightings.is_working(host.site)

    def _wanted(self, site: str) -> frozenset[str]:
        known = self._fleet.in_force(site)
        return (
            frozenset(name for role in Role for name in known.spec.host_names(role)) if known else frozenset()
        )

    async def _tell(self, found: dict[str, LiveHost]) -> None:
        before = self._known if self._known is not None else {}
        for host_id in sorted(found.keys() - before.keys()):
            host = found[host_id]
            mend = f"otto reap {host.name}"
            log.warning("orphan.found", site=host.site, host=host.name, id=host.id[:12], mend=mend)
        for host_id in sorted(before.keys() - found.keys()):
            log.info("orphan.gone", site=before[host_id].site, host=before[host_id].name)
        if self._known is None or found != self._known:
            listed = [to_data(host) for _, host in sorted(found.items())]
            await self._kit.store.set_value(ORPHANS, json.dumps(listed))
        self._known = found
        self._kit.metrics.orphans(Counter(host.site for host in found.values()))
        cost = cost_of_live(found.values(), pricing.tables(self._kit.prices))
        self._kit.metrics.orphan_cost(cost, pricing.currency(self._kit.prices))
