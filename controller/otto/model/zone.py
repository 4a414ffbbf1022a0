"""A zone as its servers have it, and what would be changed of it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property

from otto.model.canonical import digest
from otto.model.domain import RecordType
from otto.model.observed import CheckFailure

Targets = Mapping[str, tuple[str, ...]]
"""Site -> addresses of its balancers, IPv4 and IPv6, sorted.

A site that is not in it has none that are known: its record sets stay as they are. One with an empty tuple
leaves DNS: its record sets go. `otto.decide.dns.wanted` makes record sets of a spec and these.
"""


@dataclass(frozen=True, slots=True)
class RecordSet:
    """A record set with its values: as in a zone file, sorted, names absolute with their last dot.

    `type` is text: a zone may hold types that no spec can.
    """

    name: str
    type: str
    ttl: int
    values: tuple[str, ...]

    @property
    def key(self) -> tuple[str, str]:
        """What names it within its zone."""
        return (self.name, self.type)

    @property
    def address(self) -> str:
        """Its key for people: `www A`, `@ MX`."""
        return f"{self.name or '@'} {self.type}"

    def __str__(self) -> str:
        return f"{', '.join(self.values)} (ttl {self.ttl})"


class ChangeKind(StrEnum):
    """What happens to a record set."""

    CREATE = "create"
    UPDATE = "update"
    DELETE = "delete"


@dataclass(frozen=True, slots=True)
class RecordChange:
    """One record set, before and after; one of them is None where it is made or goes.

    Attributes:
        kind: what happens.
        before: as it is.
        after: as it will be.
        takes_over: whether what is there is somebody else's, and becomes OttO's (`policy.takeover`).
        marks: whether it is a record that only says whose another one is: nobody is served by it, and
            neither people nor the guard count it.
    """

    kind: ChangeKind
    before: RecordSet | None
    after: RecordSet | None
    takes_over: bool = False
    marks: bool = False

    @property
    def record(self) -> RecordSet:
        """The set as it will be, or was."""
        found = self.after or self.before
        if found is None:
            raise ValueError("a change of nothing")
        return found

    @property
    def is_apex(self) -> bool:
        """Whether it is about the zone's own name."""
        return not self.record.name

    @property
    def is_wildcard(self) -> bool:
        """Whether it is about every name there is no record of."""
        return self.record.name.split(".")[0] == "*"

    @property
    def weighs_most(self) -> bool:
        """Whether much depends on it: apex, NS and DS, MX, wildcard."""
        return self.is_apex or self.is_wildcard or self.record.type in (RecordType.NS, RecordType.MX, "DS")


@dataclass(frozen=True)
class Zone:
    """A zone as it was seen.

    Attributes:
        name: of the zone.
        exists: whether its servers serve it at all.
        serial: of its SOA, None where the provider has none.
        ours: record sets that OttO made, by its ownership records; with an exclusive zone, all.
        foreign: record sets of others.
        signed: whether it is signed, None where that was not found out.
        delegation: nameservers that the parent's servers name, None where they were not asked.
    """

    name: str
    exists: bool
    serial: int | None = None
    ours: tuple[RecordSet, ...] = ()
    foreign: tuple[RecordSet, ...] = ()
    signed: bool | None = None
    delegation: tuple[str, ...] | None = None


@dataclass(frozen=True)
class ZonePlan:
    """What would be done to one zone; its digest is part of what people approve.

    Attributes:
        zone: its name.
        changes: record sets that change, ownership records included, sorted by name and type.
        managed: how many record sets of the zone are OttO's before it, ownership records left out; shares
            are reckoned from it.
        makes_zone: whether the zone itself is made first.
        dnssec: whether it is signed (True) or no longer (False), None where nothing changes.
        delegation: nameservers before and after, where the delegation changes.
        foreign: record sets that are left alone.
        conflicts: record sets of others in the way of the spec's; they are not changed without `takeover`.
        serial: of the zone when it was planned.
    """

    zone: str
    changes: tuple[RecordChange, ...] = ()
    managed: int = 0
    makes_zone: bool = False
    dnssec: bool | None = None
    delegation: tuple[tuple[str, ...], tuple[str, ...]] | None = None
    foreign: tuple[RecordSet, ...] = field(default=())
    conflicts: tuple[RecordSet, ...] = field(default=())
    serial: int | None = None

    @cached_property
    def digest(self) -> str:
        """Names what would be done."""
        what = {
            "zone": self.zone,
            "changes": self.changes,
            "makes": self.makes_zone,
            "dnssec": self.dnssec,
            "delegation": self.delegation,
        }
        return digest(what)

    def __bool__(self) -> bool:
        return bool(self.changes or self.makes_zone or self.dnssec is not None or self.delegation)


class Aspect(StrEnum):
    """What a zone is examined for."""

    DELEGATION = "delegation"  # the parent's servers name the nameservers that are meant
    SOA = "soa"  # all nameservers answer with authority, and with one serial
    NS = "ns"  # all nameservers name the same ones, and they are those of the parent
    DNSSEC = "dnssec"  # the chain of trust from the parent down
    CAA = "caa"  # who may issue certificates
    ANSWERS = "answers"  # what is desired is answered


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was found when a zone was examined.

    Attributes:
        aspect: what was asked about.
        holds: whether all is well; None where it cannot be told, or does not apply.
        message: what was found, in one line.
        failures: what is wrong, each with the request as a person would repeat it.
    """

    aspect: Aspect
    holds: bool | None
    message: str
    failures: tuple[CheckFailure, ...] = ()
