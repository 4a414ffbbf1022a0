"""The record sets that a spec comes to, with the addresses of the sites that it follows."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from ipaddress import ip_address

from otto.model.domain import DomainSpec, Record, RecordType
from otto.model.zone import RecordSet, Targets

Key = tuple[str, str]
_VERSIONS = {RecordType.A: 4, RecordType.AAAA: 6}


@dataclass(frozen=True)
class Wanted:
    """What a zone is to hold.

    Attributes:
        sets: record sets, sorted by name and type.
        left: keys of those that stay as they are, since no address of their site is known.
        follows: key -> the site whose addresses it holds.
    """

    sets: tuple[RecordSet, ...]
    left: frozenset[Key]
    follows: Mapping[Key, str]

    @cached_property
    def by_key(self) -> Mapping[Key, RecordSet]:
        """The record sets by key."""
        return {item.key: item for item in self.sets}

    @cached_property
    def answered(self) -> tuple[RecordSet, ...]:
        """Those that the zone's servers answer with: what lies below a delegation is another zone's.

        Addresses of nameservers there stand beside the delegation, and in no answer (RFC 1034, 4.2.1).
        """
        cuts = {item.name for item in self.sets if item.type == RecordType.NS and item.name}
        return tuple(item for item in self.sets if not _below(item.name, cuts))


def wanted(domain: DomainSpec, targets: Targets) -> Wanted:
    """What a zone is to hold.

    A site with IPv4 addresses alone has no AAAA record set. With `nameservers`, they are the apex's NS.

    Args:
        domain: its spec.
        targets: addresses of the sites that it follows.
    """
    follows = {record.key: record.site for record in domain.records if record.site}
    left = frozenset(key for key, site in follows.items() if site not in targets)
    sets = [*_sets(domain, targets), *_nameservers(domain)]
    return Wanted(tuple(sorted(sets, key=lambda item: item.key)), left, follows)


def _below(name: str, cuts: set[str]) -> bool:
    above = name.partition(".")[2]
    while above:
        if above in cuts:
            return True
        above = above.partition(".")[2]
    return False


def _sets(domain: DomainSpec, targets: Targets) -> Iterator[RecordSet]:
    for record in domain.records:
        values = _addresses(record, targets) if record.site else record.values
        if values:
            ttl = domain.policy.ttl if record.ttl is None else record.ttl
            yield RecordSet(record.name, record.type.value, ttl, tuple(sorted(values)))


def _addresses(record: Record, targets: Targets) -> tuple[str, ...]:
    version = _VERSIONS[record.type]
    return tuple(item for item in targets.get(record.site, ()) if ip_address(item).version == version)


def _nameservers(domain: DomainSpec) -> Iterator[RecordSet]:
    if domain.nameservers:
        values = tuple(sorted(f"{name}." for name in domain.nameservers))
        yield RecordSet("", RecordType.NS.value, domain.policy.ttl, values)
