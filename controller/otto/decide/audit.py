"""The audit record as a chain of hashes: what was changed, dropped or slipped in afterwards shows.

Each record's hash covers its number, its entry and the hash of the one before it. Who can write to the
database can make the whole chain anew; who keeps one hash of it elsewhere sees even that: the log has them
all.
"""

from collections.abc import Iterable

from otto.model.canonical import digest
from otto.model.history import AuditEntry, AuditRecord


def record(entry: AuditEntry, last: AuditRecord | None) -> AuditRecord:
    """The record that follows the last one."""
    number, before = (last.number + 1, last.hash) if last else (1, "")
    return AuditRecord(number, entry, before, _hash(number, entry, before))


def broken(records: Iterable[AuditRecord], last: AuditRecord | None = None) -> str:
    """What is wrong with a stretch of the chain, "" when nothing is.

    Args:
        records: the stretch, oldest first.
        last: the record before it, None when it begins with the first.
    """
    number, before = (last.number, last.hash) if last else (0, "")
    for item in records:
        if item.number != number + 1:
            return f"record {number + 1} is missing"
        if item.before != before:
            return f"record {item.number} does not follow record {number}"
        if item.hash != _hash(item.number, item.entry, item.before):
            return f"record {item.number} was changed"
        number, before = item.number, item.hash
    return ""


def _hash(number: int, entry: AuditEntry, before: str) -> str:
    return digest({"number": number, "entry": entry, "before": before})
