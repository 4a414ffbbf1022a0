"""Look at a zone without touching it: for `otto plan`, `otto diff` and `otto dns`."""

from dataclasses import dataclass, field

from otto.decide.dns import planning
from otto.model.difference import Difference
from otto.model.domain import DomainSpec
from otto.model.errors import UsageError
from otto.model.observed import Applied
from otto.model.plan import Plan
from otto.model.verdict import Verdict
from otto.model.zone import Finding, RecordSet
from otto.model.zonememory import DesiredZone
from otto.reconcile.domains.memory import ZoneBook
from otto.reconcile.domains.observer import ZoneObserver
from otto.reconcile.domains.targets import TargetBook
from otto.reconcile.domains.wishes import Wishes
from otto.reconcile.inspect import Inspector
from otto.reconcile.kit import Kit


@dataclass(frozen=True, slots=True)
class ZoneInspection:
    """What a zone is and what would be done about it.

    Attributes:
        desired: what should be.
        differences: what differs.
        conflicts: record sets of others where the spec wants its own.
        foreign: record sets of others that are left alone.
        lost: sites that records follow and whose addresses are not known.
        plan: what would be done, where that was asked for.
        verdict: what the guard would say of that.
    """

    desired: DesiredZone
    differences: tuple[Difference, ...]
    conflicts: tuple[Difference, ...] = ()
    foreign: tuple[RecordSet, ...] = field(default=())
    lost: tuple[str, ...] = ()
    plan: Plan | None = None
    verdict: Verdict | None = None


class ZoneInspector:
    """Inspects zones as of the newest commit; changes nothing.

    Args:
        kit: the ports.
        inspector: of sites, loaded: it has read the repository.
    """

    def __init__(self, kit: Kit, inspector: Inspector) -> None:
        self._kit = kit
        self._inspector = inspector
        self._book = ZoneBook(kit.store)
        self._targets = TargetBook(kit, inspector.fleet)
        self._observer = ZoneObserver(kit, self._book)
        self._wishes = Wishes(self._targets)

    async def load(self) -> None:
        """Read what is remembered of zones and sites."""
        await self._book.load()
        await self._targets.load()

    def desired(self, zone: str) -> DesiredZone:
        """What a zone should be.

        Raises:
            UsageError: no spec wants such a zone.
        """
        known = self._inspector.fleet.domain(zone)
        if known is None:
            names = ", ".join(sorted(self._inspector.fleet.domains_in_force())) or "none"
            raise UsageError(f"no spec describes a zone {zone!r}", mend=f"zones with a spec: {names}")
        return self._wishes.of(known)

    async def differences(self, zone: str) -> ZoneInspection:
        """What differs now.

        Raises:
            OttoError: the zone cannot be read, or no spec wants it.
        """
        desired = self.desired(zone)
        look = await self._observer.look(desired)
        lost = tuple(sorted(desired.spec.sites - desired.targets.keys()))
        return ZoneInspection(desired, look.differences, look.conflicts, look.found.foreign, lost)

    async def plan(self, zone: str) -> ZoneInspection:
        """What would be done about it, and what the guard would say.

        Raises:
            OttoError: as `differences`.
        """
        desired = self.desired(zone)
        look = await self._observer.look(desired)
        lost = tuple(sorted(desired.spec.sites - desired.targets.keys()))
        plan = planning.plan(look.found, desired, look.last)
        protected = look.last is not None and look.last.spec.policy.protect
        judged = await self._inspector.gate.assess(plan, desired.spec, Applied(), protected=protected)
        return ZoneInspection(
            desired,
            look.differences,
            look.conflicts,
            look.found.foreign,
            lost,
            judged.plan,
            judged.verdict,
        )

    async def examine(self, zone: str) -> tuple[Finding, ...]:
        """Everything that can be asked about a zone from outside; of one without a spec, what is its own."""
        known = self._inspector.fleet.domain(zone)
        desired = self._wishes.of(known) if known else DesiredZone(DomainSpec(zone), "", {}, "")
        return await self._kit.zones.examine(desired.spec, desired.targets)
