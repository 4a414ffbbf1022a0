"""Specs of zones, plans and changes, shortly."""

from collections.abc import Mapping
from typing import Any

from otto.adapters.dns import engine
from otto.adapters.dns.access import Access
from otto.model.domain import DomainPolicy, DomainSpec, Record, RecordType
from otto.model.progress import silent
from otto.model.zone import ZonePlan

ZONE = "example.test"


def record(name: str, type_: str, *values: str, ttl: int | None = None, site: str = "") -> Record:
    return Record(name, RecordType(type_), tuple(sorted(values)), ttl, site)


def domain(
    *records: Record, name: str = ZONE, exclusive: bool = False, takeover: bool = False, **more: Any
) -> DomainSpec:
    policy = DomainPolicy(exclusive=exclusive, takeover=takeover)
    return DomainSpec(name, records=records, policy=policy, **more)


def planned(
    spec: DomainSpec, access: Access, targets: Mapping[str, tuple[str, ...]] | None = None
) -> ZonePlan:
    return engine.plan(spec, targets or {}, access)


def applied(
    spec: DomainSpec, access: Access, targets: Mapping[str, tuple[str, ...]] | None = None
) -> ZonePlan:
    plan = planned(spec, access, targets)
    engine.apply(spec, plan, access, silent)
    return plan


def changed(plan: ZonePlan) -> dict[str, str]:
    """What happens to which record set, ownership records left out."""
    return {change.record.address: change.kind.value for change in plan.changes if not change.marks}
