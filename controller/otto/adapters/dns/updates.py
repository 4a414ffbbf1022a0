"""Dynamic updates (RFC 2136) that make the changes of a plan, and refuse to when the zone moved on.

What a plan says was there before becomes prerequisites, so the server itself compares and sets: atomically
within one message. All changes at one name, and the ownership records of them, are in one message; whatever
becomes of the others, each record set is beside its ownership record or neither is there.
"""

import functools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import dns.name
import dns.rdata
import dns.rrset
import dns.update
from dns.rdataclass import RdataClass
from dns.rdatatype import RdataType

from otto.adapters.dns.units import about, units
from otto.model.domain import RecordType
from otto.model.errors import TerminalError
from otto.model.zone import RecordChange, RecordSet

MOST = 60_000
"""Bytes of a message at most: TCP carries 65,535, and the signature needs some."""

_FIXED = 10  # type, class, TTL and length (RFC 1035, section 3.2.1)
_SIZES = {"A": 4, "AAAA": 16}
"""Bytes of data; that of other types is never longer than its text, and two more."""

_IN = RdataClass.IN


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
    return tuple(Batch(draft.message(), draft.changes) for draft in made)


class _Draft:
    """A message in the making, with the bytes it takes at most.

    Record sets are put into its sections directly: dnspython looks each one up first, which for thousands of
    them takes longer than all the rest.
    """

    def __init__(self, origin: dns.name.Name, *, fresh: bool) -> None:
        self.size = 0
        self.changes = 0
        self._origin = origin
        self._fresh = fresh
        self.required: list[dns.rrset.RRset] = []
        self.done: list[dns.rrset.RRset] = []

    def message(self) -> dns.update.UpdateMessage:
        """The message."""
        made = dns.update.UpdateMessage(self._origin)
        made.prerequisite, made.update = self.required, self.done
        return made

    def add(self, change: RecordChange, unit: Sequence[RecordChange]) -> None:
        """A change, and what has to be so before it."""
        self.changes += 1
        name = dns.name.from_text(change.record.name, self._origin) if change.record.name else self._origin
        self._require(name, change, unit)
        if change.is_apex and change.record.type == RecordType.NS:
            self._replace_apex(name, change.before, change.after)
            return
        if change.before is not None:
            self._put(self.done, name, change.before.type, RdataClass.ANY)
        if change.after is not None:
            self._put_set(self.done, name, change.after, change.after.ttl)

    def join(self, other: "_Draft") -> None:
        """Take another's changes along."""
        self.required += other.required
        self.done += other.done
        self.size += other.size
        self.changes += other.changes

    def _require(self, name: dns.name.Name, change: RecordChange, unit: Sequence[RecordChange]) -> None:
        if change.before is not None:
            # The very same values; with a TTL of 0, as RFC 2136, section 2.4.2 wants it.
            self._put_set(self.required, name, change.before, 0)
            return
        if self._fresh and change.is_apex and change.record.type == RecordType.NS:
            return
        for type_ in _absent(change, unit):
            self._put(self.required, name, type_, RdataClass.NONE)

    def _replace_apex(self, name: dns.name.Name, before: RecordSet | None, after: RecordSet | None) -> None:
        """A zone always keeps NS (RFC 2136, section 3.4.2.4): new ones first, then the others one by one."""
        if after is not None:
            self._put_set(self.done, name, after, after.ttl)
        kept = {value.lower() for value in after.values} if after else set()
        gone = tuple(value for value in before.values if value.lower() not in kept) if before else ()
        if before and gone:
            self._put_set(self.done, name, replace(before, values=gone), 0, RdataClass.NONE)

    def _put_set(
        self,
        section: list[dns.rrset.RRset],
        name: dns.name.Name,
        item: RecordSet,
        ttl: int,
        deleting: RdataClass | None = None,
    ) -> None:
        """A record set with its values."""
        rrset = dns.rrset.RRset(name, _IN, _type(item.type), deleting=deleting)
        for text in item.values:
            rrset.add(_rdata(item.type, text), ttl)
        section.append(rrset)
        owner = self._length(name) + _FIXED
        self.size += sum(owner + _SIZES.get(item.type, len(text) + 2) for text in item.values)

    def _put(
        self, section: list[dns.rrset.RRset], name: dns.name.Name, type_: str, deleting: RdataClass
    ) -> None:
        """A record set without values: any of that type, or none."""
        section.append(dns.rrset.RRset(name, RdataClass.ANY, _type(type_), deleting=deleting))
        self.size += self._length(name) + _FIXED

    def _length(self, name: dns.name.Name) -> int:
        """Bytes of a name: its own labels, and the pointer to the zone's name (RFC 1035, section 4.1.4)."""
        own = name.labels[: -len(self._origin.labels)]
        return sum(map(len, own)) + len(own) + 2


@functools.cache
def _type(text: str) -> RdataType:
    return RdataType.from_text(text)


@functools.lru_cache(maxsize=1024)
def _rdata(type_: str, text: str) -> dns.rdata.Rdata:
    """One value; all ownership records have the same."""
    return dns.rdata.from_text(_IN, _type(type_), text, origin=dns.name.root, relativize=False)


def _absent(change: RecordChange, unit: Sequence[RecordChange]) -> Iterator[str]:
    """Types that must not be there for a record set to be made.

    A server passes over a CNAME beside other data, and other data beside a CNAME, without a word (RFC 2136,
    section 3.4.2.2).
    """
    record = change.record
    at = [other for other in unit if other.record.name == record.name and other.before is not None]
    if (record.type == RecordType.CNAME or change.marks) and not at:
        yield "ANY"  # the whole name: an alias stands alone, and nobody writes where ownership records are
        return
    yield record.type
    if record.type != RecordType.CNAME and not any(other.record.type == RecordType.CNAME for other in at):
        yield RecordType.CNAME.value
