"""A spec of kind Domain, written for a zone that is there."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import yaml

from otto.adapters.specs.limits import SpecLimits
from otto.adapters.specs.parse import YamlSpecs
from otto.adapters.specs.recordvalues import ValueFlaw, normal
from otto.adapters.specs.schema import API_VERSION
from otto.decide.dns.marks import is_mark
from otto.model.domain import DnsServer, DomainSpec, RecordType
from otto.model.problem import Problem
from otto.model.zone import RecordSet

# What servers make by themselves.
_MADE = frozenset({"SOA", "RRSIG", "NSEC", "NSEC3", "NSEC3PARAM", "DNSKEY", "CDS", "CDNSKEY", "TYPE65534"})
_TYPES = frozenset(kind.value for kind in RecordType)
_WIDE = 10_000


@dataclass(frozen=True, slots=True)
class Written:
    """A spec as text.

    Attributes:
        text: YAML.
        left_out: record sets that no spec can hold.
        problems: what is wrong with the spec as it is: the zone itself holds what OttO would not.
    """

    text: str
    left_out: tuple[RecordSet, ...]
    problems: tuple[Problem, ...]


def written(spec: DomainSpec, sets: Iterable[RecordSet], path: str = "") -> Written:
    """The spec of a zone that holds these record sets.

    Args:
        spec: the zone, and how it is reached; its own records are left aside.
        sets: what it holds.
        path: of the file that it is written to, "" for none: problems name it.
    """
    # Whose a record is, whoever says so, is no record of the spec: OttO writes its own beside each.
    found = [item for item in sets if item.type not in _MADE and not is_mark(item.name, item.type)]
    apex = next((item for item in found if item.key == ("", "NS")), None)
    kept = [item for item in found if item is not apex and item.type in _TYPES]
    left_out = tuple(item for item in found if item.type not in _TYPES)
    text = "".join(_lines(spec, apex, kept, left_out))
    limits = SpecLimits(size=len(text) + 1, values=10_000_000)
    parsed = YamlSpecs(limits).parse(path or f"{spec.name}.yaml", text.encode())
    return Written(text, left_out, parsed.problems)


def _lines(
    spec: DomainSpec, apex: RecordSet | None, kept: Sequence[RecordSet], left_out: Sequence[RecordSet]
) -> Iterator[str]:
    usual = Counter(item.ttl for item in kept).most_common(1)
    ttl = usual[0][0] if usual else spec.policy.ttl
    yield "# yaml-language-server: $schema=../schemas/domain.json\n"
    yield f"apiVersion: {API_VERSION}\nkind: Domain\nmetadata:\n  name: {spec.name}\nspec:\n"
    yield f"  provider: {spec.provider.value}\n"
    yield from _server(spec.server)
    yield f"  credentials: {_flow(spec.credentials)}\n" if spec.credentials else ""
    if apex is not None:
        names = sorted(value.removesuffix(".").lower() for value in apex.values)
        yield f"  nameservers: {_flow(names)}\n"
    yield "  policy:\n"
    yield f"    ttl: {ttl}\n"
    yield "    # These records were there before OttO: with this they become its own, after approval.\n"
    yield "    # takeover: true\n"
    yield "  records:\n" if kept else "  records: []\n"
    for item in sorted(kept, key=lambda item: item.key):
        yield f"    - {_flow(_item(item, ttl, spec.name))}\n"
    for item in left_out:
        yield f"    # left out, as no spec holds this type: {item.address} {' '.join(item.values)[:200]!r}\n"


def _server(server: DnsServer) -> Iterator[str]:
    if not server.address:
        return
    fields: dict[str, Any] = {"address": server.address}
    if server.port != DnsServer().port:
        fields["port"] = server.port
    if server.key_name:
        fields |= {"keyName": server.key_name, "key": server.key, "algorithm": server.algorithm}
    yield f"  server: {_flow(fields)}\n"


def _item(item: RecordSet, ttl: int, zone: str) -> dict[str, Any]:
    values = [_value(RecordType(item.type), value, zone) for value in item.values]
    fields: dict[str, Any] = {"name": item.name or "@", "type": item.type, "values": values}
    return fields if item.ttl == ttl else {**fields, "ttl": item.ttl}


def _value(kind: RecordType, value: str, zone: str) -> str:
    """A value as a person writes it: of TXT the plain text, where that says the same."""
    if kind is not RecordType.TXT:
        return value.lower() if kind in (RecordType.CNAME, RecordType.NS, RecordType.MX) else value
    plain = value.replace('" "', "").removeprefix('"').removesuffix('"').replace('\\"', '"')
    try:
        same = not plain.startswith('"') and normal(kind, plain, zone) == value
    except ValueFlaw:
        same = False
    return plain if same and plain.isprintable() else value


def _flow(value: object) -> str:
    text: str = yaml.safe_dump(value, default_flow_style=True, sort_keys=False, width=_WIDE * 10)
    return text.strip().removesuffix("...").strip()
