"""Nameservers in memory."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from otto.decide.dns.names import absolute
from otto.decide.dns.wanted import Key, wanted
from otto.model.domain import DomainSpec, RecordType
from otto.model.errors import StaleError, TerminalError
from otto.model.observed import CheckFailure
from otto.model.progress import Progress, Report
from otto.model.zone import (
    Aspect,
    ChangeKind,
    Finding,
    RecordChange,
    RecordSet,
    Targets,
    Zone,
    ZonePlan,
)
from otto.testing.failures import Failures


@dataclass
class SimZone:
    """A zone as its servers have it; tests change it as they like, with `touch`.

    Attributes:
        records: record sets by key.
        owned: keys of those that OttO made.
        serial: of its SOA; None for a provider without one.
        delegation: what its parent delegates to.
        signed: whether it is signed.
        slow: servers -> the record sets that they still answer, a secondary that lags behind.
    """

    records: dict[Key, RecordSet] = field(default_factory=dict)
    owned: set[Key] = field(default_factory=set)
    serial: int | None = 1
    delegation: tuple[str, ...] = ()
    signed: bool = False
    slow: dict[str, dict[Key, RecordSet]] = field(default_factory=dict)

    def touch(self, *changed: RecordSet, gone: Iterable[Key] = ()) -> None:
        """Change records by hand, as a person or another program would; the serial moves."""
        for record in changed:
            self.records[record.key] = record
        for key in gone:
            self.records.pop(key, None)
        self._move()

    def take(self, change: RecordChange) -> None:
        """Carry out one of OttO's changes."""
        key = change.record.key
        if change.after is None:
            self.records.pop(key, None)
            self.owned.discard(key)
        else:
            self.records[key] = change.after
            self.owned.add(key)

    def moved(self) -> None:
        """Move the serial after OttO's changes."""
        self._move()

    def _move(self) -> None:
        if self.serial is not None:
            self.serial += 1


class MemoryZones:
    """Port `Zones` over zones in memory; a zone that is not there is made by the first plan for it.

    `failures` knows every method's name, alone and with the zone, as `apply:example.org`.

    Attributes:
        zones: by name.
        servers: names of the servers that every zone has.
        applied: every plan that was carried out, with its zone.
    """

    def __init__(self) -> None:
        self.zones: dict[str, SimZone] = {}
        self.servers: tuple[str, ...] = ("ns1", "ns2")
        self.applied: list[ZonePlan] = []
        self.failures = Failures()

    def records(self, zone: str) -> Mapping[str, tuple[str, ...]]:
        """What a zone holds: address (`www A`) -> values."""
        found = self.zones.get(zone, SimZone()).records
        return {item.address: item.values for item in found.values()}

    async def serial(self, domain: DomainSpec) -> int | None:
        """Serial of the zone."""
        await self._meet("serial", domain)
        known = self.zones.get(domain.name)
        return known.serial if known else None

    async def read(self, domain: DomainSpec) -> Zone:
        """The zone as it is."""
        await self._meet("read", domain)
        known = self.zones.get(domain.name)
        if known is None:
            return Zone(domain.name, exists=False)
        ours = [item for item in known.records.values() if self._is_ours(domain, known, item)]
        foreign = [item for item in known.records.values() if item not in ours]
        return Zone(
            domain.name,
            exists=True,
            serial=known.serial,
            ours=_sorted(ours),
            foreign=_sorted(foreign),
            signed=known.signed,
            delegation=known.delegation,
        )

    async def plan(self, domain: DomainSpec, targets: Targets) -> ZonePlan:
        """What would be changed."""
        await self._meet("plan", domain)
        return self._plan(domain, targets)

    def _plan(self, domain: DomainSpec, targets: Targets) -> ZonePlan:
        known = self.zones.get(domain.name)
        zone = known or SimZone()
        wants, ours = wanted(domain, targets), self._ours(domain, zone)
        changes: list[RecordChange] = []
        conflicts: list[RecordSet] = []
        for record in wants.sets:
            have = zone.records.get(record.key)
            if have is not None and record.key not in ours and not domain.policy.takeover:
                conflicts += [] if _alike(have, record) else [have]
            elif have is None:
                changes.append(RecordChange(ChangeKind.CREATE, None, record))
            elif not _alike(have, record) or record.key not in ours:
                takes_over = record.key not in ours
                changes.append(RecordChange(ChangeKind.UPDATE, have, record, takes_over=takes_over))
        # octoDNS never takes a zone's own NS records out: without them it would be none.
        unwanted = sorted(ours - wants.by_key.keys() - wants.left - {("", RecordType.NS.value)})
        changes += [RecordChange(ChangeKind.DELETE, zone.records[key], None) for key in unwanted]
        signed = domain.dnssec if domain.dnssec not in (None, zone.signed) else None
        foreign = [item for key, item in zone.records.items() if key not in ours]
        return ZonePlan(
            domain.name,
            tuple(sorted(changes, key=lambda change: change.record.key)),
            len(ours),
            makes_zone=known is None,
            dnssec=signed,
            delegation=_delegation(domain, zone),
            foreign=_sorted(foreign),
            conflicts=_sorted(conflicts),
            serial=known.serial if known else None,
        )

    def _ours(self, domain: DomainSpec, zone: SimZone) -> set[Key]:
        return {item.key for item in zone.records.values() if self._is_ours(domain, zone, item)}

    def _is_ours(self, domain: DomainSpec, zone: SimZone, item: RecordSet) -> bool:
        return domain.policy.exclusive or item.key in zone.owned

    async def apply(self, domain: DomainSpec, plan: ZonePlan, report: Report) -> None:
        """Carry a plan out, all of it or nothing."""
        await self._meet("apply", domain)
        self._apply(domain, plan)
        report(Progress(f"{len(plan.changes)} record sets changed"))

    def _apply(self, domain: DomainSpec, plan: ZonePlan) -> None:
        zone = self.zones.get(domain.name)
        if zone is None and not plan.makes_zone:
            raise TerminalError(f"there is no zone {domain.name}")
        zone = zone or self.zones.setdefault(domain.name, SimZone())
        for change in plan.changes:
            if zone.records.get(change.record.key) != change.before:
                raise StaleError(f"{change.record.address} of {domain.name} is not as it was planned from")
        for change in plan.changes:
            zone.take(change)
        zone.signed = zone.signed if plan.dnssec is None else plan.dnssec
        if plan.delegation is not None:
            zone.delegation = plan.delegation[1]
        zone.moved()
        self.applied.append(plan)

    async def remove(self, domain: DomainSpec, plan: ZonePlan, report: Report) -> None:
        """Take OttO's records out."""
        await self._meet("remove", domain)
        self._apply(domain, plan)
        report(Progress(f"{len(plan.changes)} record sets removed"))

    async def check(self, domain: DomainSpec, targets: Targets) -> tuple[CheckFailure, ...]:
        """What servers and resolvers answer otherwise than desired."""
        await self._meet("check", domain)
        zone = self.zones.get(domain.name, SimZone())
        found: list[CheckFailure] = []
        for server in (*self.servers, *domain.resolvers):
            held = zone.slow.get(server, zone.records)
            for record in wanted(domain, targets).sets:
                have = held.get(record.key)
                if have is None or not _alike(have, record):
                    found.append(_failure(domain, server, record, have))
        return tuple(found)

    async def examine(self, domain: DomainSpec, targets: Targets) -> tuple[Finding, ...]:
        """One finding: what `check` says."""
        await self._meet("examine", domain)
        wrong = await self.check(domain, targets)
        return (Finding(Aspect.ANSWERS, not wrong, "answers as desired" if not wrong else "differs", wrong),)

    async def _meet(self, name: str, domain: DomainSpec) -> None:
        await self.failures.meet(name)
        await self.failures.meet(f"{name}:{domain.name}")


def _alike(have: RecordSet, want: RecordSet) -> bool:
    return (have.ttl, sorted(have.values)) == (want.ttl, sorted(want.values))


def _sorted(records: Iterable[RecordSet]) -> tuple[RecordSet, ...]:
    return tuple(sorted(records, key=lambda item: item.key))


def _delegation(domain: DomainSpec, zone: SimZone) -> tuple[tuple[str, ...], tuple[str, ...]] | None:
    wanted_servers = tuple(sorted(domain.nameservers))
    if not domain.registrar or tuple(sorted(zone.delegation)) == wanted_servers:
        return None
    return zone.delegation, wanted_servers


def _failure(domain: DomainSpec, server: str, want: RecordSet, have: RecordSet | None) -> CheckFailure:
    name = f"{absolute(want.name, domain.name)} {want.type}"
    received = ", ".join(have.values) if have else "no such record"
    return CheckFailure(name, server, f"{name} at {server}", ", ".join(want.values), received)
