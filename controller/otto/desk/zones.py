"""Zones, looked at."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from otto.desk.house import House
from otto.desk.inspecting import InspectedZone, inspected_zone
from otto.desk.question import Question
from otto.model.caller import Scope
from otto.model.domain import DomainSpec
from otto.model.zone import Finding, Zone

if TYPE_CHECKING:
    from otto.reconcile.kit import Kit

# Nameservers far away are asked one after the other, and big zones are read.
_PATIENCE = 300.0


@dataclass(frozen=True, slots=True)
class InspectZone(Question[InspectedZone]):
    """A fresh look at a zone and at what is somebody else's in it; nothing is changed.

    Attributes:
        zone: its name.
    """

    word: ClassVar = "zone"
    scope: ClassVar = Scope.READ
    patience: ClassVar = _PATIENCE

    zone: str

    async def answer(self, house: House) -> InspectedZone:
        """See `Question`.

        Raises:
            UsageError: no spec wants such a zone.
        """
        await house.require_seen(self.zone)

        async def look(kit: "Kit") -> InspectedZone:
            return await inspected_zone(kit, await house.inspector(kit), self.zone, planned=True)

        return await house.with_kit(look, self.patience)


@dataclass(frozen=True, slots=True)
class Examine(Question[tuple[Finding, ...]]):
    """All that can be asked about a zone from outside; it need not be one of OttO's.

    Attributes:
        zone: its name.
    """

    word: ClassVar = "examine"
    scope: ClassVar = Scope.OPERATE
    patience: ClassVar = _PATIENCE

    zone: str

    async def answer(self, house: House) -> tuple[Finding, ...]:
        """See `Question`."""
        house.require_all("examine zones")
        return await house.with_kit(self._look, self.patience)

    async def _look(self, kit: "Kit") -> tuple[Finding, ...]:
        from otto.reconcile.domains.inspect import ZoneInspector  # noqa: PLC0415  (imports the loop)
        from otto.reconcile.inspect import Inspector  # noqa: PLC0415

        inspector = Inspector(kit)
        await inspector.load()
        zones = ZoneInspector(kit, inspector)
        await zones.load()
        return await zones.examine(self.zone)


@dataclass(frozen=True, slots=True)
class ReadZone(Question[Zone]):
    """A zone as its provider has it, whether or not a spec wants it.

    Attributes:
        spec: where it is, and how it is reached; references in it are followed where this is answered.
    """

    word: ClassVar = "read-zone"
    scope: ClassVar = Scope.ADMIN
    patience: ClassVar = _PATIENCE

    spec: DomainSpec

    async def answer(self, house: House) -> Zone:
        """See `Question`.

        Raises:
            OttoError: it cannot be read.
        """
        house.require_all("read zones")
        return await house.with_kit(self._read, self.patience)

    async def _read(self, kit: "Kit") -> Zone:
        return await kit.zones.read(self.spec)
