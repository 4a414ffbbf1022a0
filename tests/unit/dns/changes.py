"""Changes of record sets, shortly."""

from otto.decide.dns.marks import TTL, mark, value_of
from otto.model.zone import ChangeKind, RecordChange, RecordSet

OWNER = "0123abcd"


def made(name: str, type_: str, *values: str, ttl: int = 300) -> RecordChange:
    return RecordChange(ChangeKind.CREATE, None, RecordSet(name, type_, ttl, values))


def gone(name: str, type_: str, *values: str) -> RecordChange:
    return RecordChange(ChangeKind.DELETE, RecordSet(name, type_, 300, values), None)


def turned(name: str, type_: str, before: str, after: str) -> RecordChange:
    was, will = (RecordSet(name, type_, 300, (value,)) for value in (before, after))
    return RecordChange(ChangeKind.UPDATE, was, will)


def marking(change: RecordChange) -> RecordChange:
    """The change of the ownership record that goes with another."""
    name, type_ = mark(change.record.key)
    item = RecordSet(name, type_, TTL, (f'"{value_of(OWNER)}"',))
    if change.kind is ChangeKind.DELETE:
        return RecordChange(ChangeKind.DELETE, item, None, marks=True)
    return RecordChange(ChangeKind.CREATE, None, item, marks=True)
