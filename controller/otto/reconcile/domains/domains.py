"""Zones and sites together: the one part of the loop that knows of both."""

from otto.decide.dns import planning
from otto.decide.dns.resolving import Resolution, Zones, resolving
from otto.decide.dns.wanted import Wanted
from otto.decide.dns.wish import wish
from otto.model.domain import DomainSpec
from otto.model.observed import Applied
from otto.model.plan import Plan
from otto.model.spec import SiteSpec
from otto.model.verdict import Verdict
from otto.reconcile.domains.farewell import Farewell
from otto.reconcile.domains.lane import Lane
from otto.reconcile.domains.memory import ZoneBook
from otto.reconcile.domains.reconciler import ZoneReconciler
from otto.reconcile.domains.targets import TargetBook
from otto.reconcile.fleet import Fleet
from otto.reconcile.gatekeeper import Gatekeeper
from otto.reconcile.kit import Kit


class Domains:
    """All zones of this controller.

    Attributes:
        zones: reconciles them.
        lane: works on them beside the workers.
        farewell: has sites leave DNS before they go.
    """

    def __init__(self, kit: Kit, fleet: Fleet, gate: Gatekeeper) -> None:
        self._fleet = fleet
        self._gate = gate
        self._book = ZoneBook(kit.store)
        self._targets = TargetBook(kit, fleet)
        self._targets.follow()
        self.zones = ZoneReconciler(kit, fleet, gate, self._targets, self._book)
        self.lane = Lane(kit.queue, self.zones.reconcile, kit.dns.concurrency)
        self.farewell = Farewell(kit, fleet, self._targets, self._book)

    async def load(self) -> None:
        """Begin with what the store knows."""
        await self._book.load()
        await self._targets.load()
        await self.zones.load()

    def resolving(self, spec: SiteSpec) -> Resolution:
        """Whether the names of a site lead to it."""
        specs = self._fleet.domains_in_force()
        zones = Zones(specs, self._book.all(), self._now, self._book.held, self.zones.troubles)
        return resolving(spec, self._targets.of(spec.name), zones)

    async def foresee(self, spec: DomainSpec, commit: str) -> tuple[Plan, Verdict]:
        """What would be changed of a zone if a spec were in force, and what the guard says of that.

        Raises:
            OttoError: its server cannot be read, or cannot serve what is wanted.
        """
        desired = wish(spec, commit, self._targets.targets(spec.sites))
        look = await self.zones.observer.look(desired)
        plan = planning.plan(look.found, desired, look.last, asked=False)
        protected = look.last is not None and look.last.spec.policy.protect
        judged = await self._gate.assess(plan, spec, Applied(), protected=protected)
        return judged.plan, judged.verdict

    def _now(self, zone: str) -> Wanted:
        known = self._fleet.domain(zone)
        if known is None:  # gone between two questions
            return Wanted((), frozenset(), {})
        return self._book.wanted(self.zones.desired(known))
