"""Changes that belong together, in an order that leaves a zone whole wherever it ends."""

from collections.abc import Sequence

from otto.decide.dns.marks import is_mark, marked
from otto.model.zone import ChangeKind, RecordChange

Unit = tuple[RecordChange, ...]

_LEADING = frozenset({"CNAME", "MX", "NS", "SRV"})


def units(changes: Sequence[RecordChange]) -> tuple[Unit, ...]:
    """Changes by the name they are about, ownership records with what they mark; only deletions come last.

    So a name is there before others lead to it, and until they no longer do: BIND refuses anything else. And
    each record set is beside its ownership record, or neither is there. Inside a unit, in the order in which
    an API that knows one change at a time is to be told: what makes room, whose it will be, what it is, and
    last what is nobody's any more.
    """
    found: dict[str, list[RecordChange]] = {}
    for change in changes:
        found.setdefault(about(change), []).append(change)
    whole = (tuple(sorted(unit, key=_turn)) for unit in found.values())
    return tuple(sorted(whole, key=_rank))


def about(change: RecordChange) -> str:
    """The name that a change is about: for an ownership record, that of what it marks."""
    record = change.record
    return marked(record.name)[0] if is_mark(record.name, record.type) else record.name


def _rank(unit: Unit) -> int:
    leads = any(change.record.type in _LEADING for change in unit)
    if all(change.kind is ChangeKind.DELETE for change in unit):
        return 2 if leads else 3
    return 1 if leads else 0


def _turn(change: RecordChange) -> int:
    if change.kind is ChangeKind.DELETE:
        return 3 if change.marks else 0
    return 1 if change.marks else 2
