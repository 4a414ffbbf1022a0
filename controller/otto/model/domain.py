"""A zone as a person wants it: `kind: Domain`, validated, with defaults filled in.

Names are ASCII (IDNA A-labels), in lower case, without a last dot. Lengths of time are seconds.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from otto.model.policy import Limits, Windows


def is_zone(key: str) -> bool:
    """Whether a key of the queue, the store or the ledger names a zone: a site's name holds no dot."""
    return "." in key


class DnsProvider(StrEnum):
    """Who serves a zone."""

    RFC2136 = "rfc2136"  # dynamic updates (RFC 2136) and AXFR: Knot, BIND; the lab's own
    ROUTE53 = "route53"
    DIGITALOCEAN = "digitalocean"
    GOOGLECLOUD = "googlecloud"
    POWERDNS = "powerdns"


class RecordType(StrEnum):
    """Types of records that a Domain may hold."""

    A = "A"
    AAAA = "AAAA"
    ALIAS = "ALIAS"
    CAA = "CAA"
    CNAME = "CNAME"
    MX = "MX"
    NS = "NS"
    SRV = "SRV"
    TXT = "TXT"


@dataclass(frozen=True, slots=True)
class Record:
    """One record set.

    Attributes:
        name: relative to the zone; "" is the apex, "*" and "*.x" are wildcards.
        type: its type.
        values: as in a zone file (RFC 1035, section 5.1), sorted; empty while `site` says it.
        ttl: seconds, None for the policy's.
        site: the site whose balancers' addresses it holds, "" for none; A and AAAA only.
        place: its number in the spec's list, from 0 on, for who speaks of it; no part of the wish.
        line: of its file, 0 where it came from no file; no part of the wish either.
    """

    name: str
    type: RecordType
    values: tuple[str, ...] = ()
    ttl: int | None = None
    site: str = ""
    place: int = field(default=0, compare=False)
    line: int = field(default=0, compare=False)

    @property
    def key(self) -> tuple[str, str]:
        """What names it within its zone."""
        return (self.name, self.type.value)


@dataclass(frozen=True, slots=True)
class DnsServer:
    """Where a zone is updated and read from (RFC 2136); empty for the lab's own nameserver.

    Attributes:
        address: host name or address, "" for the lab's.
        port: of both UDP and TCP.
        key_name: name of the TSIG key.
        key: reference to its secret (`env:…`, `file:…`, `vault:…`), never the secret.
        algorithm: of the key (RFC 8945), as `hmac-sha256`.
    """

    address: str = ""
    port: int = 53
    key_name: str = ""
    key: str = ""
    algorithm: str = "hmac-sha256"


@dataclass(frozen=True, slots=True)
class DomainPolicy:
    """What OttO may do to a zone by itself.

    Attributes:
        exclusive: whether every record of the zone is OttO's; else those that it did not make are left alone.
        takeover: whether records of others that the spec names become OttO's.
        ttl: of records that name none.
        update_share: share of the managed records that one plan may change before a person is asked.
        delete_share: the same of deletions.
        approval: `auto`, `destructive` or `always`, as for sites.
        approvers: how many different people have to approve.
        approval_expiry: seconds an approval holds.
        protect: whether deletions, and changes of the apex's NS, are out of the question.
        drift: `repair`, `report` or `ask`.
        windows: when changes may be made.
        limits: as for sites, None for the fleet's.
    """

    exclusive: bool = False
    takeover: bool = False
    ttl: int = 300
    update_share: float = 0.3
    delete_share: float = 0.3
    approval: str = "destructive"
    approvers: int = 1
    approval_expiry: float = 24 * 3600.0
    protect: bool = False
    drift: str = "repair"
    windows: Windows = field(default_factory=Windows)
    limits: Limits | None = None


@dataclass(frozen=True, slots=True)
class DomainSpec:
    """A zone as its spec describes it. `file` and `line` say where; they are no part of the wish.

    Attributes:
        name: of the zone; it holds a dot, which no site's name does, so that both share one set of keys.
        provider: who serves it.
        nameservers: host names that the parent is to delegate to; empty leaves the delegation alone.
        registrar: who changes the delegation: `lab`, `route53domains`, "" for nobody.
        records: record sets, sorted by name and type.
        dnssec: whether the zone is to be signed; None leaves that alone.
        server: where it is updated (`rfc2136`, `powerdns`).
        credentials: reference to what the provider's API asks for, "" for its environment.
        resolvers: addresses of resolvers that have to answer as well, besides the authoritative servers.
        policy: what may be done to it.
        labels: as for sites.
        suspend: whether it is left alone.
    """

    name: str
    provider: DnsProvider = DnsProvider.RFC2136
    nameservers: tuple[str, ...] = ()
    registrar: str = ""
    records: tuple[Record, ...] = ()
    dnssec: bool | None = None
    server: DnsServer = field(default_factory=DnsServer)
    credentials: str = ""
    resolvers: tuple[str, ...] = ()
    policy: DomainPolicy = field(default_factory=DomainPolicy)
    labels: Mapping[str, str] = field(default_factory=dict)
    suspend: bool = False
    file: str = ""
    line: int = 0

    @property
    def sites(self) -> frozenset[str]:
        """Sites that its records follow."""
        return frozenset(record.site for record in self.records if record.site)
