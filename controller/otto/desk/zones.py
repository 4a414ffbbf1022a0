"""Zones, looked at."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from otto.desk.house import House
from otto.desk.inspecting import InspectedZone, inspected_zone, zone_inspector
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
        return await inspected_zone(house, self.zone, self.patience, planned=True)


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

        async def look(kit: "Kit") -> tuple[Finding, ...]:
            return await (await zone_inspector(house, kit)).examine(self.zone)

        return await house.with_kit(look, self.patience)


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
