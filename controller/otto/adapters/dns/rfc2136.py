"""octoDNS's provider for RFC 2136, with transfers that say what is wrong and updates that compare and set."""

import logging
from collections.abc import Iterator, Sequence
from typing import Any

import dns.name
import dns.rcode
import dns.rdatatype
import dns.zone
from dns.rdatatype import RdataType
from octodns.idna import IdnaError
from octodns.provider.base import BaseProvider
from octodns.record.exception import RecordException
from octodns.zone import Zone as OctoZone
from octodns_bind import Rfc2136Provider

from otto.adapters.dns.access import Server
from otto.adapters.dns.exchange import address_of, key_of, refused, serial_of, tcp
from otto.adapters.dns.records import to_record
from otto.adapters.dns.transfer import transfer
from otto.adapters.dns.updates import batches
from otto.model.errors import StaleError, TransientError
from otto.model.progress import Progress, Report
from otto.model.zone import RecordChange, RecordSet

# What a server makes of its own accord: SOA, and what signing adds.
_SERVERS_OWN = frozenset(
    {
        RdataType.SOA,
        RdataType.RRSIG,
        RdataType.NSEC,
        RdataType.NSEC3,
        RdataType.NSEC3PARAM,
        RdataType.DNSKEY,
        RdataType.CDS,
        RdataType.CDNSKEY,
        RdataType.ZONEMD,
        RdataType.from_text("TYPE65534"),  # BIND's notes on the state of its signing
    }
)
STALE = (dns.rcode.NXRRSET, dns.rcode.YXRRSET, dns.rcode.NXDOMAIN, dns.rcode.YXDOMAIN)
"""Codes that say that a prerequisite does not hold (RFC 2136, section 3.2.5)."""


class Unmade(BaseProvider):  # type: ignore[misc]
    """A zone whose server is yet to be started."""

    SUPPORTS_GEO = SUPPORTS_DYNAMIC = False
    SUPPORTS_ROOT_NS = True
    SUPPORTS = Rfc2136Provider.SUPPORTS

    def __init__(self) -> None:
        self.log = logging.getLogger("Unmade")
        super().__init__("otto", root_ns_warnings=False)

    def populate(self, zone: OctoZone, target: bool = False, lenient: bool = False) -> bool:  # noqa: ARG002
        """There is none."""
        return False


class Rfc2136(Rfc2136Provider):  # type: ignore[misc]  # octoDNS has no types
    """A zone on a server that takes dynamic updates.

    Args:
        server: which.
        seconds: how long a question, or the wait for the next piece of a zone, may take.

    Attributes:
        serial: of the zone as it was read, None while it was not.
        signed: whether the zone that was read is signed.
        nameservers: that it names for itself.
        aside: record sets of it that octoDNS has no notion of.
        found: record sets of it by name and type, just as the server has them: octoDNS reads some values
            otherwise (the strings of a TXT, the digits of a LOC), and a server compares to the letter.
    """

    def __init__(self, server: Server, seconds: float) -> None:
        key_of(server)  # one that is none is told before anything is asked
        super().__init__("otto", address_of(server), server.port, timeout=seconds, root_ns_warnings=False)
        self._server = server
        self.serial: int | None = None
        self.signed: bool | None = None
        self.nameservers: tuple[str, ...] = ()
        self.aside: list[RecordSet] = []
        self.found: dict[tuple[str, str], RecordSet] = {}

    def populate(self, zone: OctoZone, target: bool = False, lenient: bool = False) -> bool:  # noqa: ARG002  (octoDNS's signature)
        """Read the zone; False when the server does not serve it.

        Raises:
            OttoError: it cannot be read.
        """
        name = zone.name.removesuffix(".")
        if serial_of(self._server, name, self.timeout) is None:
            return False
        transferred = transfer(self._server, name, self.timeout)
        self.serial = _serial(transferred)
        self.signed = transferred.get_rdataset(zone.name, RdataType.DNSKEY) is not None
        self.aside, self.found = [], {item.key: item for item in _sets(transferred)}
        for item in self.found.values():
            self._add(zone, item)
        self.nameservers = tuple(zone.root_ns.values) if zone.root_ns else ()
        return True

    def sets(self, name: str) -> tuple[RecordSet, ...]:
        """Record sets of a zone, those left out that a server makes of its own accord.

        Raises:
            OttoError: it cannot be read.
        """
        return tuple(_sets(transfer(self._server, name, self.timeout)))

    def _add(self, zone: OctoZone, item: RecordSet) -> None:
        if item.type in self.SUPPORTS:
            try:
                zone.add_record(to_record(zone, item, lenient=True), lenient=True)
            except (RecordException, IdnaError):  # somebody else's doing; it is not ours to judge
                pass
            else:
                return
        self.aside.append(item)

    def change(self, zone: str, changes: Sequence[RecordChange], report: Report, *, fresh: bool) -> None:
        """Make the changes of a plan, if all is still as it was planned from.

        Raises:
            StaleError: it is not, and nothing was changed.
            TransientError: the same, after a part was done; or the server fails.
            TerminalError: it refuses.
        """
        done = 0
        for batch in batches(zone, changes, fresh=fresh):
            answer = tcp(batch.message, self._server, zone, self.timeout)
            if answer.rcode() in STALE:
                raise stale(answer.rcode(), self._server, zone, done, len(changes))
            if answer.rcode() != dns.rcode.NOERROR:
                refused(answer.rcode(), self._server, zone)
            done += batch.changes
            report(Progress(f"{zone}: {done} of {len(changes)} record sets changed", done, len(changes)))


def stale(code: int, server: Server, zone: str, done: int, total: int) -> TransientError:
    """The error for a prerequisite that does not hold, by how much was done before."""
    name = dns.rcode.to_text(dns.rcode.Rcode.make(code))
    why = f"{zone} moved on since it was planned ({name} from {server})"
    if not done:
        return StaleError(why, mend="plan again")
    return TransientError(f"{why}; {done} of {total} record sets were changed", mend="plan again")


def _serial(zone: dns.zone.Zone) -> int:
    soa = zone.get_rdataset(zone.origin or dns.name.root, RdataType.SOA)
    return int(soa[0].serial) if soa else 0


def _sets(zone: dns.zone.Zone) -> Iterator[RecordSet]:
    origin: Any = zone.origin
    for name, rdataset in zone.iterate_rdatasets():
        if rdataset.rdtype in _SERVERS_OWN:
            continue
        relative = name.relativize(origin).to_text() if name != origin else ""
        values = tuple(sorted(rdata.to_text() for rdata in rdataset))
        yield RecordSet(relative.lower(), dns.rdatatype.to_text(rdataset.rdtype), rdataset.ttl, values)
