"""Changes that belong together, in an order that leaves a zone whole wherever it ends."""

from collections.abc import Sequence

from otto.adapters.dns.marks import is_mark, marked
from otto.model.zone import ChangeKind, RecordChange

Unit = tuple[RecordChange, ...]


def units(changes: Sequence[RecordChange]) -> tuple[Unit, ...]:
    """Changes by the name they are about, ownership records with what they mark; only deletions come last.

    So a name is there before others stop leading past it, and each record set is beside its ownership record,
    or neither is there. Inside a unit, in the order in which an API that knows one change at a time is to be
    told: what makes room, whose it will be, what it is, and last what is nobody's any more.
    """
    found: dict[str, list[RecordChange]] = {}
    for change in changes:
        found.setdefault(about(change), []).append(change)
    whole = (tuple(sorted(unit, key=_turn)) for unit in found.values())
    return tuple(sorted(whole, key=_only_deletes))


def about(change: RecordChange) -> str:
    """The name that a change is about: for an ownership record, that of what it marks."""
    record = change.record
    return marked(record.name)[0] if is_mark(record.name, record.type) else record.name


def _only_deletes(unit: Unit) -> bool:
    return all(change.kind is ChangeKind.DELETE for change in unit)


def _turn(change: RecordChange) -> int:
    if change.kind is ChangeKind.DELETE:
        return 3 if change.marks else 0
    return 1 if change.marks else 2
