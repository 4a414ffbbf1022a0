"""What is wrong with zones beside each other, and beside the sites that they follow."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from difflib import get_close_matches

from otto.decide.dns.names import parent_of, relative
from otto.model.domain import DomainSpec, Record, RecordType
from otto.model.problem import Problem

_NAMED = 3  # others in a message
_SUGGESTED = 5  # names that a similar one is looked for
_ADDRESSES = frozenset({RecordType.A, RecordType.AAAA})


def declared_twice(domains: Mapping[str, Sequence[DomainSpec]]) -> Iterator[Problem]:
    """Zones that more than one document describes: none of them is used."""
    for zone, specs in domains.items():
        if len(specs) == 1:
            continue
        places = sorted(map(_where, specs))
        for spec in specs:
            others = [place for place in places if place != _where(spec)]
            more = f" and {len(others) - _NAMED} more" if len(others) > _NAMED else ""
            message = f'the zone "{zone}" is described twice, so neither is used'
            found = f"also in {', '.join(others[:_NAMED])}{more}"
            yield _problem(spec, "/metadata/name", message, found=found, mend="keep one of them")


def unknown_sites(
    domains: Mapping[str, DomainSpec], sites: set[str], buried: frozenset[str]
) -> Iterator[Problem]:
    """Records that follow a site which there is not.

    Args:
        domains: the zones.
        sites: names of sites that have a spec, good or bad.
        buried: names of sites that are to be taken down.
    """
    suggested = 0
    for spec in domains.values():
        for record in _followers(spec):
            if record.site in buried:
                message = f'the site "{record.site}" is to be taken down: it has a tombstone'
                yield _of_record(spec, record, "site", message, mend="take the record out")
            elif record.site not in sites:
                # To look for a similar name takes milliseconds among thousands: worth it, a few times.
                few = sorted(sites) if suggested < _SUGGESTED else []
                near = get_close_matches(record.site, few, n=1, cutoff=0.7)
                suggested += 1
                mend = f'did you mean "{near[0]}"?' if near else "add that site, or name addresses"
                message = f'there is no site "{record.site}" to follow'
                yield _of_record(spec, record, "site", message, mend=mend)


def overlapping(domains: Mapping[str, DomainSpec]) -> Iterator[Problem]:
    """Records of a zone that lie in another zone below it: nobody would ever be given them."""
    for zone, spec in domains.items():
        parent = parent_of(zone, domains)
        if parent:
            yield from _inside(domains[parent], spec, relative(zone, parent))


def _inside(parent: DomainSpec, child: DomainSpec, cut: str) -> Iterator[Problem]:
    for record in parent.records:
        if record.name == cut and record.type is RecordType.NS:
            yield from _delegation(parent, child, record)
        elif record.name == cut or (record.name.endswith(f".{cut}") and not _is_glue(record)):
            message = f'this name belongs to the zone "{child.name}", which is described by itself'
            found, mend = f"in {_where(child)}", "write it into that zone, or take it out"
            yield _of_record(parent, record, "name", message, found=found, mend=mend)


def _is_glue(record: Record) -> bool:
    return record.type in _ADDRESSES and not record.site


def _delegation(parent: DomainSpec, child: DomainSpec, record: Record) -> Iterator[Problem]:
    wanted = {f"{name}." for name in child.nameservers}
    if wanted and wanted != set(record.values):
        message = f'the zone "{child.name}" names other nameservers than these'
        found = f"{', '.join(sorted(wanted))} in {_where(child)}"
        mend = "have both say the same"
        yield _of_record(parent, record, "values", message, found=found, mend=mend)


def _followers(spec: DomainSpec) -> Iterator[Record]:
    """One record of each item that follows a site: an item may stand for two."""
    return iter({record.place: record for record in spec.records if record.site}.values())


def _of_record(
    spec: DomainSpec, record: Record, field: str, message: str, *, mend: str, found: str = ""
) -> Problem:
    """A problem of one record, where that stands in its file."""
    problem = _problem(spec, f"/spec/records/{record.place}/{field}", message, found=found, mend=mend)
    return replace(problem, line=record.line or spec.line)


def _problem(spec: DomainSpec, pointer: str, message: str, *, found: str = "", mend: str = "") -> Problem:
    return Problem(spec.file, spec.line, 1, pointer, message, found=found, mend=mend, site=spec.name)


def _where(spec: DomainSpec) -> str:
    return f"{spec.file}:{spec.line}"
