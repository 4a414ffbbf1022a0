"""Dynamic updates (RFC 2136) that make the changes of a plan, and refuse to when the zone moved on.

What a plan says was there before becomes prerequisites, so the server itself compares and sets: atomically
within one message. All changes at one name, and the ownership records of them, are in one message; whatever
becomes of the others, each record set is beside its ownership record or neither is there.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import dns.name
import dns.rdata
import dns.rdataset
import dns.rdatatype
import dns.update

from otto.adapters.dns.units import about, units
from otto.model.domain import RecordType
from otto.model.errors import TerminalError
from otto.model.zone import RecordChange, RecordSet

MOST = 60_000
"""Bytes of a message at most: TCP carries 65,535, and the signature needs some."""

_PER_RECORD = 10  # type, class, TTL and length (RFC 1035, section 3.2.1)
_CLASS = "IN"


@dataclass(frozen=True, slots=True)
class Batch:
    """One message.

    Attributes:
        message: the update, not signed yet.
        changes: how many record sets it changes.
    """

    message: dns.update.UpdateMessage
    changes: int


def batches(
    zone: str, changes: Sequence[RecordChange], *, fresh: bool = False, most: int = MOST
) -> tuple[Batch, ...]:
    """The messages that make these changes, in the order in which they are to be sent.

    What adds comes before what only deletes, so that a name is there before others stop leading past it.

    Args:
        zone: its name.
        changes: of a plan.
        fresh: whether the zone was made just now, and its apex has NS that no plan knew of.
        most: bytes of a message.

    Raises:
        TerminalError: the changes at one name alone are too many for a message.
    """
    origin = dns.name.from_text(zone)
    made: list[_Draft] = []
    for unit in units(changes):
        draft = _Draft(origin, fresh=fresh)
        for change in unit:
            draft.add(change, unit)
        if draft.size > most:
            raise TerminalError(
                f"{about(unit[0]) or '@'} of {zone}: its changes do not fit into one update of {most} bytes",
                mend="spread the values over more names, or make the change in steps",
            )
        if made and made[-1].size + draft.size <= most:
            made[-1].join(draft)
        else:
            made.append(draft)
    return tuple(Batch(draft.message, draft.changes) for draft in made)


class _Draft:
    """A message in the making, with the bytes it takes at most."""

    def __init__(self, origin: dns.name.Name, *, fresh: bool) -> None:
        self.message = dns.update.UpdateMessage(origin)
        self.size = 0
        self.changes = 0
        self._origin = origin
        self._fresh = fresh

    def add(self, change: RecordChange, unit: Sequence[RecordChange]) -> None:
        """A change, and what has to be so before it."""
        self.changes += 1
        name = dns.name.from_text(change.record.name, self._origin) if change.record.name else self._origin
        before, after = _rdataset(change.before, self._origin), _rdataset(change.after, self._origin)
        self._require(name, change, before, unit)
        if change.is_apex and change.record.type == RecordType.NS:
            self._replace_apex(name, before, after)
            return
        if before is not None:
            self.message.delete(name, before.rdtype)
            self._count(name)
        if after is not None:
            self.message.add(name, after)
            self._count(name, after)

    def join(self, other: "_Draft") -> None:
        """Take another's changes along."""
        self.message.prerequisite += other.message.prerequisite
        self.message.update += other.message.update
        self.size += other.size
        self.changes += other.changes

    def _require(
        self,
        name: dns.name.Name,
        change: RecordChange,
        before: dns.rdataset.Rdataset | None,
        unit: Sequence[RecordChange],
    ) -> None:
        if before is not None:
            before.ttl = 0  # RFC 2136, section 2.4.2
            self.message.present(name, before)
            self._count(name, before)
            return
        if self._fresh and change.is_apex and change.record.type == RecordType.NS:
            return
        for type_ in _absent(change, unit):
            self.message.absent(name, type_)
            self._count(name)

    def _replace_apex(
        self, name: dns.name.Name, before: dns.rdataset.Rdataset | None, after: dns.rdataset.Rdataset | None
    ) -> None:
        """A zone always keeps NS (RFC 2136, section 3.4.2.4): new ones first, then the others one by one."""
        if after is not None:
            self.message.add(name, after)
            self._count(name, after)
        gone = [rdata for rdata in before or () if after is None or rdata not in after]
        if gone:
            self.message.delete(name, *gone)
            self._count(name, gone)

    def _count(self, name: dns.name.Name, rdatas: Iterable[dns.rdata.Rdata] = ()) -> None:
        owner = len(name.to_wire())
        sizes = [len(rdata.to_wire() or b"") for rdata in rdatas] or [0]
        self.size += sum(owner + _PER_RECORD + size for size in sizes)


def _absent(change: RecordChange, unit: Sequence[RecordChange]) -> Iterator[str | None]:
    """What must not be there for a record set to be made; None stands for anything at its name.

    A server passes over a CNAME beside other data, and other data beside a CNAME, without a word (RFC 2136,
    section 3.4.2.2).
    """
    record = change.record
    at = [other for other in unit if other.record.name == record.name and other.before is not None]
    yield record.type
    if record.type == RecordType.CNAME:
        if not at:
            yield None
    elif not any(other.record.type == RecordType.CNAME for other in at):
        yield RecordType.CNAME.value


def _rdataset(item: RecordSet | None, origin: dns.name.Name) -> dns.rdataset.Rdataset | None:
    if item is None:
        return None
    return dns.rdataset.from_text_list(
        _CLASS, item.type, item.ttl, item.values, origin=origin, relativize=False
    )
