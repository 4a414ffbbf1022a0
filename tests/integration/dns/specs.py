"""Specs of zones, shortly."""

from typing import Any

from otto.model.domain import DomainPolicy, DomainSpec, Record, RecordType

ZONE = "example.test"


def record(name: str, type_: str, *values: str, ttl: int | None = None, site: str = "") -> Record:
    return Record(name, RecordType(type_), tuple(sorted(values)), ttl, site)


def domain(
    *records: Record, name: str = ZONE, exclusive: bool = False, takeover: bool = False, **more: Any
) -> DomainSpec:
    return DomainSpec(
        name, records=records, policy=DomainPolicy(exclusive=exclusive, takeover=takeover), **more
    )
