"""What a zone should be, and what OttO remembers of it between two looks."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from otto.model.domain import DomainSpec
from otto.model.observed import CheckFailure


@dataclass(frozen=True, slots=True)
class DesiredZone:
    """What one zone should be.

    Attributes:
        spec: the validated spec.
        commit: where it was read; told to people, never part of the digest.
        targets: addresses of the sites that its records follow, as far as they are known.
        digest: names all that its servers would be told; `otto.decide.dns.wish` makes it.
    """

    spec: DomainSpec
    commit: str
    targets: Mapping[str, tuple[str, ...]]
    digest: str

    @property
    def zone(self) -> str:
        """The zone's name."""
        return self.spec.name


@dataclass(frozen=True, slots=True)
class ZoneMemory:
    """What is remembered of a zone.

    Attributes:
        zone: its name.
        desired: the wish that was last put in place and found in the zone, None before.
        serial: of the zone when it was read in full last; None where the provider has none.
        read_at: when that was, None before.
        settled: whether nothing was left to do then.
        checked: digest of the wish whose answers were asked for last, "" before.
        failures: what was answered otherwise than desired.
    """

    zone: str
    desired: DesiredZone | None = None
    serial: int | None = None
    read_at: datetime | None = None
    settled: bool = False
    checked: str = ""
    failures: tuple[CheckFailure, ...] = field(default=())
