"""Record sets of the model as octoDNS's records, and back."""

import functools
from collections.abc import Sequence
from typing import Any

from octodns.record import Record
from octodns.record.base import value_to_rdata_text
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


def _texts(record: Any) -> Sequence[str]:  # noqa: ANN401
    if record._type == "TXT":  # noqa: SLF001
        return _quoted(tuple(record.values))
    try:
        return [str(text) for text in record.to_rrset().rdatas]
    except (AttributeError, NotImplementedError):  # a type of a provider's own, which no zone file has
        values = getattr(record, "values", None) or [getattr(record, "value", "")]
        return [str(value) for value in values]


@functools.lru_cache(maxsize=256)
def _quoted(values: tuple[Any, ...]) -> tuple[str, ...]:
    """Values of a TXT as in a zone file; all ownership records have the same."""
    return tuple(value_to_rdata_text(value) for value in values)
