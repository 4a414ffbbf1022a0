"""Whether the names of a site lead visitors to it, as far as OttO has a hand in them."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from otto.decide.dns.names import absolute, covers, relative, zone_of
from otto.decide.dns.wanted import Wanted
from otto.model.domain import DomainSpec, Record, RecordType
from otto.model.observed import CheckFailure
from otto.model.spec import SiteSpec
from otto.model.status import Truth
from otto.model.zone import RecordSet
from otto.model.zonememory import ZoneMemory

_LEADS = frozenset({RecordType.A, RecordType.AAAA, RecordType.CNAME, RecordType.ALIAS})
_ADDRESSES = frozenset({RecordType.A, RecordType.AAAA})
_LONGEST_CHAIN = 8
# Failures of these at a zone's own name concern all of it.
_WHOLE = frozenset({"SOA", "NS"})


@dataclass(frozen=True, slots=True)
class Resolution:
    """Whether a site's names resolve, why, and in words."""

    status: Truth
    reason: str
    message: str


@dataclass(frozen=True, slots=True)
class Zones:
    """The zones that there are.

    Attributes:
        specs: the specs in force, by name.
        memories: what is remembered of each.
        now: what each is to hold.
        before: what it was to hold when its nameservers were asked last.
        troubles: zones that cannot be looked at now, and why.
    """

    specs: Mapping[str, DomainSpec]
    memories: Mapping[str, ZoneMemory]
    now: Callable[[str], Wanted]
    before: Callable[[str], Wanted | None]
    troubles: Mapping[str, str]


NOT_MANAGED = Resolution(Truth.UNKNOWN, "NotManaged", "no domain is managed")


def resolving(spec: SiteSpec, have: tuple[str, ...], zones: Zones) -> Resolution:
    """Whether every name of a site that is of a zone of OttO's leads there, as nameservers were seen to say.

    Args:
        spec: the site.
        have: its addresses.
        zones: the zones.
    """
    managed = [name for name in spec.domains if zone_of(name, zones.specs)]
    if not managed:
        return NOT_MANAGED
    found = [_name(name, spec.name, have, zones) for name in managed]
    wrong = [item for item in found if item.status is Truth.FALSE]
    unknown = [item for item in found if item.status is Truth.UNKNOWN]
    if wrong or unknown:
        first = (wrong or unknown)[0]
        more = len(wrong or unknown) - 1
        words = f" (and {more} more)" if more else ""
        return Resolution(first.status, first.reason, first.message + words)
    others = len(spec.domains) - len(managed)
    more_words = f"; {others} of no zone of OttO's" if others else ""
    count = f"{len(managed)} name{'s' if len(managed) > 1 else ''}"
    message = f"every nameserver answers as desired for {count}{more_words}"
    return Resolution(Truth.TRUE, "AsDesired", message)


def astray(spec: SiteSpec, domains: Mapping[str, DomainSpec]) -> tuple[str, ...]:
    """What is wrong with the names of a site beside the zones that are described, a line each.

    It is no problem of either spec: each of two commits that need each other may come first.

    Args:
        spec: the site.
        domains: the zones by name.
    """
    managed = [name for name in spec.domains if zone_of(name, domains)]
    found = (_astray(name, spec.name, tuple(_way(name, domains))[-1]) for name in managed)
    return tuple(item.message for item in found if item is not None)


def _astray(name: str, site: str, end: "_Link") -> Resolution | None:
    """What is wrong with a name by the specs alone."""
    if not end.records:
        message = f"{name}: no record of the zone {end.zone} leads to {site}; add one with site: {site}"
        return Resolution(Truth.FALSE, "NoRecord", message)
    sites = {record.site for record in end.records if record.site}
    if sites and site not in sites:
        message = f"{name}: its record follows the site {', '.join(sorted(sites))}, not {site}"
        return Resolution(Truth.FALSE, "OtherSite", message)
    return None


def _name(name: str, site: str, have: tuple[str, ...], zones: Zones) -> Resolution:
    way = tuple(_way(name, zones.specs))
    end = way[-1]
    if wrong := _astray(name, site, end):
        return wrong
    if end.within and not any(record.site for record in end.records):
        given = {value for record in end.records for value in record.values}
        if have and not given & set(have):
            message = f"{name}: its record holds {', '.join(sorted(given))}, {site} is at {', '.join(have)}"
            return Resolution(Truth.FALSE, "OtherAddress", message)
    if not have:
        return Resolution(Truth.FALSE, "NoAddress", f"{name}: no address of {site} is known yet")
    return _answers(name, way, zones)


def _answers(name: str, way: "tuple[_Link, ...]", zones: Zones) -> Resolution:
    """What the nameservers of every zone on the way were seen to answer."""
    for link in way:
        if trouble := zones.troubles.get(link.zone):
            return Resolution(Truth.UNKNOWN, "NotSeen", f"{name}: {trouble}")
        before = zones.before(link.zone)
        if before is None or _sets(before, link) != _sets(zones.now(link.zone), link):
            message = f"{name}: the zone {link.zone} does not hold what is desired yet"
            return Resolution(Truth.FALSE, "NotYet", message)
        memory = zones.memories.get(link.zone)
        for failure in memory.failures if memory else ():
            if _concerns(failure, link):
                return Resolution(Truth.FALSE, "Failed", str(failure))
    return Resolution(Truth.TRUE, "AsDesired", "")


def _sets(held: Wanted, link: "_Link") -> list[RecordSet | None]:
    return [held.by_key.get((link.name, kind.value)) for kind in sorted(_LEADS)]


def _concerns(failure: CheckFailure, link: "_Link") -> bool:
    """Whether what a nameserver answers otherwise is about that name, or about its zone as a whole."""
    about, _, kind = failure.check.partition(" ")
    named = about in (absolute(link.name, link.zone), absolute(link.asked, link.zone))
    return (named and kind in _LEADS) or (about == link.zone and kind in _WHOLE)


@dataclass(frozen=True, slots=True)
class _Link:
    """A name on the way to a site.

    Attributes:
        zone: the zone it is of.
        asked: the name inside the zone.
        name: of the record that answers for it: its own, or a wildcard.
        records: what answers; empty for none.
        within: whether the way ends in a zone of OttO's.
    """

    zone: str
    asked: str
    name: str
    records: tuple[Record, ...]
    within: bool = True


def _way(name: str, specs: Mapping[str, DomainSpec]) -> Iterator[_Link]:
    """From a name over aliases to what ends them."""
    for _ in range(_LONGEST_CHAIN):
        zone = zone_of(name, specs)
        asked = relative(name, zone)
        key, records = _answering(specs[zone], asked)
        alias = next((item for item in records if item.type not in _ADDRESSES and item.values), None)
        target = alias.values[0].removesuffix(".") if alias else ""
        outside = bool(target) and not zone_of(target, specs)
        yield _Link(zone, asked, key, records, within=not outside)
        if not target or outside:
            return
        name = target
    yield _Link(zone, asked, asked, ())  # aliases of aliases of aliases: resolvers give up as well


def _answering(spec: DomainSpec, asked: str) -> tuple[str, tuple[Record, ...]]:
    """The records that answer for a name: its own, else those of the nearest wildcard (RFC 4592)."""
    own = tuple(item for item in spec.records if item.name == asked)
    if own:
        return asked, tuple(item for item in own if item.type in _LEADS)
    stars = {item.name for item in spec.records if covers(item.name, asked)}
    if not stars:
        return asked, ()
    nearest = max(stars, key=len)
    return nearest, tuple(item for item in spec.records if item.name == nearest and item.type in _LEADS)
