"""From a valid document of kind Domain to its spec."""

from collections.abc import Iterator, Mapping
from typing import Any

from otto.adapters.specs.document import Place, find
from otto.adapters.specs.policy import read_limits, read_windows
from otto.adapters.specs.recordvalues import normal
from otto.decide.dns.names import relative
from otto.model.domain import DnsProvider, DnsServer, DomainPolicy, DomainSpec, Record, RecordType
from otto.model.duration import seconds_of

_Fields = Mapping[str, Any]
_ADDRESSES = (RecordType.A, RecordType.AAAA)
_PORTS = {DnsProvider.POWERDNS: 8081}
_DNS = 53


def domain(document: _Fields, path: str, at: Place) -> DomainSpec:
    """The spec that a valid document, its defaults filled in, describes.

    Args:
        document: as it was written.
        path: its file.
        at: where in that it stands, with all that it holds.
    """
    metadata, spec = document["metadata"], document["spec"]
    zone = metadata["name"]
    provider = DnsProvider(spec["provider"])
    return DomainSpec(
        name=zone,
        provider=provider,
        nameservers=tuple(spec["nameservers"]),
        registrar=spec["registrar"],
        records=tuple(sorted(records(spec["records"], zone, at), key=lambda record: record.key)),
        dnssec=spec.get("dnssec"),
        server=_server(spec["server"], provider),
        credentials=spec.get("credentials", ""),
        resolvers=tuple(spec["resolvers"]),
        policy=_policy(spec["policy"]),
        labels=dict(metadata["labels"]),
        suspend=spec["suspend"],
        file=path,
        line=at.line,
    )


def records(found: list[_Fields], zone: str, at: Place) -> Iterator[Record]:
    """The record sets that valid items stand for: two, where one follows a site and names no type."""
    places = find(at, ("spec", "records"))
    for place, item in enumerate(found):
        line = find(places, (place,)).line
        name, ttl = inside(item["name"], zone), item.get("ttl")
        for kind in kinds(item):
            values = tuple(sorted(normal(kind, text, zone) for text in item.get("values", ())))
            yield Record(name, kind, values, ttl, item.get("site", ""), place, line)


def kinds(item: _Fields) -> tuple[RecordType, ...]:
    """The types that an item stands for."""
    return (RecordType(item["type"]),) if "type" in item else _ADDRESSES


def inside(name: str, zone: str) -> str:
    """A record's name as it is kept: "" for the apex, relative to the zone."""
    if name == "@":
        return ""
    return relative(name.removesuffix("."), zone) if name.endswith(".") else name


def _server(server: _Fields, provider: DnsProvider) -> DnsServer:
    return DnsServer(
        address=server.get("address", ""),
        port=server.get("port", _PORTS.get(provider, _DNS)),
        key_name=server.get("keyName", ""),
        key=server.get("key", ""),
        algorithm=server["algorithm"],
    )


def _policy(policy: _Fields) -> DomainPolicy:
    return DomainPolicy(
        exclusive=policy["exclusive"],
        takeover=policy["takeover"],
        ttl=policy["ttl"],
        update_share=float(policy["updateShare"]),
        delete_share=float(policy["deleteShare"]),
        approval=policy["approval"],
        approvers=policy["approvers"],
        approval_expiry=seconds_of(policy["approvalExpiry"]),
        protect=policy["protect"],
        drift=policy["drift"],
        windows=read_windows(policy["windows"]),
        limits=read_limits(policy["limits"]) if "limits" in policy else None,
    )
