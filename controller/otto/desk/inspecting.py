"""What is not as a spec says, and what would be done about it."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from otto.desk.house import House
from otto.desk.question import Question
from otto.model.caller import Scope
from otto.model.difference import Difference
from otto.model.domain import is_zone
from otto.model.infrastructure import Adoptable
from otto.model.plan import Plan
from otto.model.verdict import Allowed, NeedsApproval, Refused, Verdict, Waiting
from otto.model.zone import RecordSet

if TYPE_CHECKING:
    from otto.reconcile.domains.inspect import ZoneInspection, ZoneInspector
    from otto.reconcile.inspect import Inspection
    from otto.reconcile.kit import Kit

# Terraform plans in it, and may have to wait for its turn.
_PATIENCE = 300.0


@dataclass(frozen=True, slots=True)
class Judgement:
    """A verdict of the guard as it travels: the one of these that is there is the verdict."""

    allowed: Allowed | None = None
    needs_approval: NeedsApproval | None = None
    refused: Refused | None = None
    waiting: Waiting | None = None

    @staticmethod
    def of(verdict: Verdict) -> "Judgement":
        """A verdict, packed."""
        match verdict:
            case Allowed():
                return Judgement(allowed=verdict)
            case NeedsApproval():
                return Judgement(needs_approval=verdict)
            case Refused():
                return Judgement(refused=verdict)
            case Waiting():
                return Judgement(waiting=verdict)

    @property
    def verdict(self) -> Verdict:
        """The verdict."""
        found = (self.allowed, self.needs_approval, self.refused, self.waiting)
        return next(item for item in found if item is not None)


@dataclass(frozen=True, slots=True)
class Inspected:
    """A site or zone that was looked at.

    Attributes:
        site: its name.
        commit: where its spec comes from.
        digest: of what is desired.
        differences: what is not as desired.
        plan: what would be done about it, where that was asked for.
        judgement: what the guard would say of that.
    """

    site: str
    commit: str
    digest: str
    differences: tuple[Difference, ...]
    plan: Plan | None = None
    judgement: Judgement | None = None

    @property
    def verdict(self) -> Verdict | None:
        """What the guard would say of the plan."""
        return self.judgement.verdict if self.judgement else None


@dataclass(frozen=True, slots=True)
class Inspect(Question[Inspected]):
    """A fresh look at a site or zone, which changes nothing.

    Attributes:
        site: its name.
        planned: whether what would be done is wanted, too.
    """

    word: ClassVar = "inspect"
    scope: ClassVar = Scope.READ
    patience: ClassVar = _PATIENCE

    site: str
    planned: bool = False

    async def answer(self, house: House) -> Inspected:
        """See `Question`.

        Raises:
            UsageError: no spec wants such a site.
        """
        await house.require_seen(self.site)
        if is_zone(self.site):
            return (await inspected_zone(house, self.site, self.patience, planned=self.planned)).inspected

        async def look(kit: "Kit") -> "Inspection":
            inspector = await house.inspector(kit)
            return await (inspector.plan(self.site) if self.planned else inspector.differences(self.site))

        return _inspected(await house.with_kit(look, self.patience))


def _inspected(found: "Inspection") -> Inspected:
    desired = found.desired
    judgement = Judgement.of(found.verdict) if found.verdict is not None else None
    return Inspected(desired.site, desired.commit, desired.digest, found.differences, found.plan, judgement)


@dataclass(frozen=True, slots=True)
class InspectedZone:
    """A zone that was looked at, with what is somebody else's in it.

    Attributes:
        inspected: as of a site.
        conflicts: record sets of others where the spec wants its own.
        foreign: record sets of others that are left alone.
        lost: sites that records follow and whose addresses are not known.
    """

    inspected: Inspected
    conflicts: tuple[Difference, ...] = ()
    foreign: tuple[RecordSet, ...] = ()
    lost: tuple[str, ...] = ()


async def inspected_zone(house: House, zone: str, patience: float, *, planned: bool) -> InspectedZone:
    """A fresh look at a zone.

    Raises:
        OttoError: no spec wants it, or it cannot be read.
    """

    async def look(kit: "Kit") -> "ZoneInspection":
        zones = await zone_inspector(house, kit)
        return await (zones.plan(zone) if planned else zones.differences(zone))

    found = await house.with_kit(look, patience)
    judgement = Judgement.of(found.verdict) if found.verdict is not None else None
    desired = found.desired
    inspected = Inspected(zone, desired.commit, desired.digest, found.differences, found.plan, judgement)
    return InspectedZone(inspected, found.conflicts, found.foreign, found.lost)


async def zone_inspector(house: House, kit: "Kit") -> "ZoneInspector":
    """Looks at zones for a house."""
    from otto.reconcile.domains.inspect import ZoneInspector  # noqa: PLC0415  (imports the loop)

    zones = ZoneInspector(kit, await house.inspector(kit))
    await zones.load()
    return zones


@dataclass(frozen=True, slots=True)
class SeeAdoptable(Question[tuple[Adoptable, ...]]):
    """What a site's next plan would take into its Terraform state."""

    word: ClassVar = "adoptable"
    scope: ClassVar = Scope.READ
    patience: ClassVar = _PATIENCE

    site: str

    async def answer(self, house: House) -> tuple[Adoptable, ...]:
        """See `Question`.

        Raises:
            UsageError: no spec wants such a site.
        """
        await house.require_seen(self.site)

        async def look(kit: "Kit") -> tuple[Adoptable, ...]:
            from otto.decide.requests import infrastructure_inputs  # noqa: PLC0415  (with the loop)

            desired = await (await house.inspector(kit)).desired(self.site)
            return await kit.infrastructure.adoptable(infrastructure_inputs(desired))

        return await house.with_kit(look, self.patience)
