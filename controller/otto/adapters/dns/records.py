"""Record sets of the model as octoDNS's records, and back."""

from typing import Any

from octodns.record import Record
from octodns.record.rr import Rrset
from octodns.zone import Zone as OctoZone

from otto.model.zone import RecordSet


def to_record(zone: OctoZone, item: RecordSet, *, lenient: bool = False) -> Any:  # noqa: ANN401  (octoDNS has no types)
    """A record of octoDNS's.

    Raises:
        RecordException: it is none, by octoDNS's rules.
    """
    fqdn = f"{item.name}.{zone.name}" if item.name else zone.name
    return Record.from_rrset(zone, Rrset(fqdn, item.type, item.ttl, item.values), lenient=lenient)


def to_set(record: Any) -> RecordSet:  # noqa: ANN401
    """A record set, its values as in a zone file and sorted."""
    return RecordSet(record.name, record._type, record.ttl, tuple(sorted(_texts(record))))  # noqa: SLF001


def _texts(record: Any) -> list[str]:  # noqa: ANN401
    try:
        return [str(text) for text in record.to_rrset().rdatas]
    except (AttributeError, NotImplementedError):  # a type of a provider's own, which no zone file has
        values = getattr(record, "values", None) or [getattr(record, "value", "")]
        return [str(value) for value in values]
