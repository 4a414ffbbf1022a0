"""Zone files (RFC 1035, section 5), read."""

from collections.abc import Iterable

from otto.model.errors import UsageError
from otto.model.zone import RecordSet

LARGEST = 16 * 1024 * 1024


def record_sets(zone: str, data: bytes) -> tuple[RecordSet, ...]:
    """The record sets of a zone file, names absolute with their last dot in values.

    Args:
        zone: the zone, where the file names no `$ORIGIN`.
        data: the file; `$INCLUDE` is not followed.

    Raises:
        UsageError: it is too big, or no zone file of that zone.
    """
    import dns.exception  # noqa: PLC0415  (only for imports)
    import dns.zone  # noqa: PLC0415

    if len(data) > LARGEST:
        raise UsageError(f"the zone file is too big: {len(data)} bytes", mend=f"at most {LARGEST}")
    try:
        text = data.decode("utf-8")
        found = dns.zone.from_text(text, f"{zone}.", relativize=False, check_origin=False)
    except (dns.exception.DNSException, UnicodeDecodeError, ValueError) as error:
        words = " ".join(str(error).split()).replace("<string>:", "near line ")[:300]
        raise UsageError(f"this is no zone file of {zone}: {words}", mend="see its lines") from error
    return tuple(sorted(_sets(zone, found.iterate_rdatasets()), key=lambda item: item.key))


def _sets(zone: str, found: Iterable[tuple[object, object]]) -> Iterable[RecordSet]:
    for name, rdatas in found:
        full = str(name).lower().removesuffix(".")
        inside = "" if full == zone else full.removesuffix(f".{zone}")
        values = tuple(sorted(rdata.to_text() for rdata in rdatas))  # type: ignore[attr-defined]
        yield RecordSet(inside, rdatas.rdtype.name, int(rdatas.ttl), values)  # type: ignore[attr-defined]
