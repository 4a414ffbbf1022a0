"""Reading, planning and changing a zone by octoDNS. Blocking; it runs in a worker."""

from collections.abc import Iterable, Mapping
from typing import Any

from octodns.provider.plan import Plan
from octodns.record import Create, Delete, Record, Update
from octodns.zone import Zone as OctoZone

from otto.adapters.dns import delegation
from otto.adapters.dns.access import Access
from otto.adapters.dns.claims import Claims
from otto.adapters.dns.desired import desired_zone
from otto.adapters.dns.exchange import serial_of
from otto.adapters.dns.faults import translated
from otto.adapters.dns.marks import Key, is_mark, marked
from otto.adapters.dns.providers import make, pieces
from otto.adapters.dns.records import to_record, to_set
from otto.adapters.dns.rfc2136 import Rfc2136
from otto.decide.dns.wanted import wanted
from otto.model.domain import DnsProvider, DomainSpec
from otto.model.errors import OttoError, StaleError, TerminalError, TransientError
from otto.model.progress import Progress, Report
from otto.model.zone import ChangeKind, RecordChange, RecordSet, Targets, Zone, ZonePlan

_KINDS = {Create: ChangeKind.CREATE, Update: ChangeKind.UPDATE, Delete: ChangeKind.DELETE}


def prepare() -> None:
    """Have octoDNS judge by the rules that its own program judges by."""
    Record.enable_validators({"legacy"})
    OctoZone.enable_zone_validators({"legacy"})


def serial(domain: DomainSpec, access: Access) -> int | None:
    """Serial of the zone, None where its server has none.

    Raises:
        OttoError: the server does not answer.
    """
    if domain.provider is not DnsProvider.RFC2136 or access.server is None:
        return None
    return serial_of(access.server, domain.name, access.timeout)


def read(domain: DomainSpec, access: Access) -> Zone:
    """The zone as it is, and its delegation.

    Raises:
        Exception: of a provider's library, or one of ours.
    """
    provider = make(domain, access)
    zone = OctoZone(f"{domain.name}.", [])
    exists = bool(provider.populate(zone, target=True, lenient=True))
    ours, others = _sorted_out(domain, access, zone)
    return Zone(
        domain.name,
        exists,
        serial=_serial(provider),
        ours=_sorted(to_set(record) for record in ours.values()),
        foreign=_sorted([*(to_set(record) for record in others.values()), *_aside(provider)]),
        signed=_signed(provider),
        delegation=delegation.current(domain, access),
    )


def plan(domain: DomainSpec, targets: Targets, access: Access) -> ZonePlan:
    """What octoDNS would change, in our terms, and what is to become of signing and delegation.

    Raises:
        Exception: as `read`; TerminalError for what no zone may hold, or this provider cannot.
    """
    want = wanted(domain, targets)
    desired = desired_zone(domain, want)
    provider = make(domain, access)
    claims = Claims(access.owner, domain.policy, want.left)
    desired = claims.process_source_zone(desired, [])
    made = provider.plan(desired, processors=[claims])
    made = claims.process_plan(made, [], provider)
    exists = bool(made.exists) if made else claims.seen or _exists(provider, domain)
    if not exists and domain.provider is DnsProvider.RFC2136 and not access.lab:
        raise TerminalError(
            f"{access.server} does not serve {domain.name}",
            mend="make the zone there, or correct spec.server.address",
        )
    planned = ZonePlan(
        domain.name,
        changes=_changes(made, claims, _found(provider)),
        managed=claims.managed,
        makes_zone=not exists,
        foreign=_sorted([*claims.foreign, *_aside(provider)]),
        conflicts=tuple(claims.conflicts),
        serial=_serial(provider),
    )
    return delegation.planned(domain, planned, _signed(provider), access)


def apply(domain: DomainSpec, planned: ZonePlan, access: Access, report: Report) -> None:
    """Make these very changes to the records.

    Raises:
        StaleError: what they were planned from is no longer so, and nothing was changed.
        Exception: as `read`.
    """
    if not planned.changes and not planned.makes_zone:
        return
    provider = make(domain, access)
    if isinstance(provider, Rfc2136):
        provider.change(domain.name, planned.changes, report, fresh=planned.makes_zone)
        return
    existing = OctoZone(f"{domain.name}.", [])
    exists = provider.populate(existing, target=True, lenient=True)
    if bool(exists) == planned.makes_zone:
        what = "is there already" if exists else "is gone"
        raise StaleError(f"{domain.name} moved on since it was planned: the zone {what}", mend="plan again")
    _compare(domain.name, existing, planned.changes)
    _change(domain, provider, existing, planned, report)


def _sorted_out(domain: DomainSpec, access: Access, zone: OctoZone) -> tuple[dict[Key, Any], dict[Key, Any]]:
    """Records of a zone that are ours, and others'."""
    wanted_keys = {record.key for record in domain.records}
    names = zone.root_ns.values if zone.root_ns else ()
    return Claims(access.owner, domain.policy).sort(zone, wanted_keys, names)


def _change(domain: DomainSpec, provider: Any, existing: OctoZone, planned: ZonePlan, report: Report) -> None:  # noqa: ANN401
    """Hand the changes to octoDNS's provider, piece by piece: each is atomic where the API can do that."""
    known = {(record.name, record._type): record for record in existing.records}  # noqa: SLF001
    desired = existing.copy()
    changes = [_octo(existing, change, known) for change in planned.changes]
    desired.apply(changes)
    done, total = 0, len(changes)
    for piece in pieces(domain, list(zip(planned.changes, changes, strict=True))) or ([],):
        made = Plan(existing, desired, piece, not planned.makes_zone)
        made.changes = piece  # in our order: octoDNS sorts by name
        try:
            provider.apply(made)
        except Exception as error:
            told = translated(error, domain.provider.value, planned.zone)
            raise _halfway(told, planned.zone, done, total) from error
        done += len(piece)
        report(Progress(f"{planned.zone}: {done} of {total} record sets changed", done, total))


def _halfway(error: OttoError, zone: str, done: int, total: int) -> OttoError:
    """An error that says so when a part was done: it is stale only while nothing was changed."""
    if not done or not isinstance(error, StaleError):
        return error
    return TransientError(
        f"{zone} moved on since it was planned; {done} of {total} record sets were changed", mend="plan again"
    )


def _octo(zone: OctoZone, change: RecordChange, known: dict[tuple[str, str], Any]) -> Any:  # noqa: ANN401
    after = to_record(zone, change.after, lenient=True) if change.after else None
    if change.before is None:
        return Create(after)
    before = known[change.before.key]
    return Update(before, after) if after else Delete(before)


def _compare(zone: str, existing: OctoZone, changes: Iterable[RecordChange]) -> None:
    """Have what was there before be there still: these APIs have no way to ask for that with the change."""
    found = {(record.name, record._type): record for record in existing.records}  # noqa: SLF001
    for change in changes:
        record = found.get(change.record.key)
        now = to_set(record) if record else None
        # A new zone comes with NS of its own.
        if now != change.before and not (
            change.is_apex and change.record.type == "NS" and change.before is None
        ):
            raise StaleError(
                f"{zone} moved on since it was planned: {change.record.address} is {now or 'gone'}",
                mend="plan again",
            )


def _changes(made: Any, claims: Claims, there: Mapping[Key, RecordSet]) -> tuple[RecordChange, ...]:  # noqa: ANN401
    found = [_change_of(change, claims, there) for change in made.changes] if made else []
    return tuple(sorted(found, key=lambda change: change.record.key))


def _change_of(change: Any, claims: Claims, there: Mapping[Key, RecordSet]) -> RecordChange:  # noqa: ANN401
    key = (change.record.name, change.record._type)  # noqa: SLF001
    before = (there.get(key) or to_set(change.existing)) if change.existing else None
    after = to_set(change.new) if change.new else None
    kind = _KINDS[type(change)]
    marks = is_mark(*key)
    taken = key in claims.taken or (marks and marked(key[0]) in claims.taken)
    return RecordChange(kind, before, after, takes_over=taken, marks=marks)


def _exists(provider: Any, domain: DomainSpec) -> bool:  # noqa: ANN401
    return bool(provider.populate(OctoZone(f"{domain.name}.", []), target=True, lenient=True))


def _signed(provider: object) -> bool | None:
    return provider.signed if isinstance(provider, Rfc2136) else None


def _serial(provider: object) -> int | None:
    return provider.serial if isinstance(provider, Rfc2136) else None


def _found(provider: object) -> Mapping[Key, RecordSet]:
    return provider.found if isinstance(provider, Rfc2136) else {}


def _aside(provider: object) -> list[RecordSet]:
    return provider.aside if isinstance(provider, Rfc2136) else []


def _sorted(items: Iterable[RecordSet]) -> tuple[RecordSet, ...]:
    return tuple(sorted(items, key=lambda item: item.key))
