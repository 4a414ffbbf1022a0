"""What a schema cannot say of a Domain: values by their types, and record sets that exclude each other."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Any

import idna

from otto.adapters.specs import rules
from otto.adapters.specs.document import Flaw, Place
from otto.adapters.specs.domain import inside, kinds
from otto.adapters.specs.recordvalues import ValueFlaw, normal
from otto.adapters.specs.text import quoted
from otto.decide.dns.aliases import circles
from otto.decide.dns.marks import excess, is_mark
from otto.decide.dns.names import absolute
from otto.model.domain import RecordType

_Path = tuple[str | int, ...]
_Fields = Mapping[str, Any]
_SHOWN = 6  # names of a circle
_LONGEST_NAME = 253  # RFC 1035, 2.3.4, as text without the last dot
_SINGLE = frozenset({RecordType.CNAME, RecordType.ALIAS})
_ADDRESSES = frozenset({RecordType.A, RecordType.AAAA})
_ALIASES = frozenset({"googlecloud", "powerdns"})
_SERVERS = frozenset({"rfc2136", "powerdns"})
# The host name is the last word of these (RFC 2181, 10.3: it may not be an alias).
_TARGETS = frozenset({RecordType.MX, RecordType.NS, RecordType.SRV})


@dataclass(frozen=True, slots=True)
class _Item:
    """One record set as the spec has it, with what is wrong with no value of it."""

    place: int
    name: str
    type: RecordType
    values: tuple[str, ...]

    @property
    def target(self) -> str:
        """What an alias leads to, with its last dot; "" for what is none."""
        return self.values[0] if self.type in _SINGLE and self.values else ""

    @property
    def path(self) -> _Path:
        return ("spec", "records", self.place)


def flaws(document: _Fields, place: Place) -> Iterator[Flaw]:
    """What is wrong with a document that its schema accepts."""
    zone, spec = document["metadata"]["name"], document["spec"]
    yield from _zone(zone, place)
    yield from _servers(spec, place)
    yield from _records(zone, spec, place, frozenset())
    yield from rules.domain_policy(spec.get("policy", {}), place, ("spec", "policy"))


def beside(document: _Fields, place: Place, bad: Sequence[_Path]) -> Iterator[Flaw]:
    """What is wrong with the records that the schema accepts, of a document that it does not.

    Args:
        document: the document.
        place: where it stands.
        bad: paths of what the schema finds wrong.
    """
    whole = (("metadata", "name"), ("spec", "records"), ("spec", "provider"))
    if any(path == outer[: len(path)] for path in bad for outer in whole):
        return
    skip = frozenset(path[2] for path in bad if path[:2] == whole[1])
    yield from _records(document["metadata"]["name"], document["spec"], place, skip)


def _records(zone: str, spec: _Fields, place: Place, skip: AbstractSet[str | int]) -> Iterator[Flaw]:
    items: list[_Item] = []
    for number, item in enumerate(spec.get("records", ())):
        found = list(_record(number, item, zone, place)) if number not in skip else None
        yield from found or ()
        if found == []:
            items += _items(number, item, zone)
    yield from _together(items, zone, spec, place)


def _zone(zone: str, place: Place) -> Iterator[Flaw]:
    yield from _international(zone, place, ("metadata", "name"))


def _international(name: str, place: Place, path: _Path) -> Iterator[Flaw]:
    for label in name.split("."):
        if label.startswith("xn--") and not _decodes(label):
            message = "this is not the ASCII form (RFC 5890) of any international name"
            yield rules.flaw(place, path, message, found=quoted(label), mend="write the name as it is meant")


def _decodes(label: str) -> bool:
    try:
        idna.decode(label)
    except UnicodeError:
        return False
    return True


def _servers(spec: _Fields, place: Place) -> Iterator[Flaw]:
    provider = spec["provider"]
    if spec.get("server") and provider not in _SERVERS:
        message, mend = f"{provider} is reached by its API, not at a server", "remove it"
        yield rules.flaw(place, ("spec", "server"), message, mend=mend)
    if provider == "powerdns" and not spec.get("server", {}).get("address"):
        message, mend = "powerdns needs the address of its API", 'add "server" with "address" and "key"'
        yield rules.flaw(place, ("spec", "provider"), message, mend=mend)
    if spec.get("registrar") and not spec.get("nameservers"):
        message, mend = "there is nothing to tell the registrar", 'add "nameservers", or remove it'
        yield rules.flaw(place, ("spec", "registrar"), message, mend=mend)
    for number, text in enumerate(spec.get("resolvers", ())):
        try:
            ip_address(text)
        except ValueError:
            path = ("spec", "resolvers", number)
            yield rules.flaw(place, path, "this is no IP address", found=quoted(text))


def _record(number: int, item: _Fields, zone: str, place: Place) -> Iterator[Flaw]:
    """What is wrong with one record set by itself."""
    path: _Path = ("spec", "records", number)
    yield from _name(item["name"], zone, place, (*path, "name"))
    if "site" in item:
        wrong = list(_following(item, place, path))
        yield from wrong or _ownership(item, zone, place, path)
        return
    for field in ("type", "values"):
        if field not in item:
            message, mend = f'missing field "{field}"', 'add "type" and "values", or "site" alone'
            yield rules.flaw(place, path, message, mend=mend)
    if "type" in item and "values" in item:
        yield from _values(RecordType(item["type"]), item["values"], zone, place, (*path, "values"))
    yield from _ownership(item, zone, place, path)


def _ownership(item: _Fields, zone: str, place: Place, path: _Path) -> Iterator[Flaw]:
    """Beside each record set there has to be room for the record that says whose it is."""
    name, at = inside(item["name"], zone), (*path, "name")
    if any(is_mark(name, kind) for kind in kinds(item)):
        message = "this is where OttO writes whose a record is"
        yield rules.flaw(place, at, message, found=quoted(name), mend="take the record out")
    over = max(excess((name, kind.value), zone) for kind in kinds(item))
    if over and len(absolute(name, zone)) <= _LONGEST_NAME:
        message = f"this name is {over} characters too long to have an ownership record"
        yield rules.flaw(place, at, message, found=quoted(item["name"]), mend="shorten the name")


def _name(text: str, zone: str, place: Place, path: _Path) -> Iterator[Flaw]:
    name = text.removesuffix(".")
    within = name == zone or name.endswith(f".{zone}")
    if text.endswith(".") and not within:
        message, mend = f"this name is outside of the zone {zone}", "write it into the Domain of its own zone"
        yield rules.flaw(place, path, message, found=quoted(text), mend=mend)
        return
    yield from _international(name, place, path)
    if within and not text.endswith("."):
        short = inside(f"{name}.", zone) or "@"
        message = f"names are inside the zone: this one would be {quoted(f'{name}.{zone}', 120)}"
        yield rules.flaw(place, path, message, found=quoted(text), mend=f'write "{short}"')
    if len(absolute(inside(text, zone), zone)) > _LONGEST_NAME:
        allowed = f"at most {_LONGEST_NAME} characters with the zone's name"
        yield rules.flaw(place, path, "this name is too long", found=quoted(text), allowed=allowed)


def _following(item: _Fields, place: Place, path: _Path) -> Iterator[Flaw]:
    if "values" in item:
        message, mend = "a record that follows a site has no values of its own", 'keep "site" or "values"'
        yield rules.flaw(place, (*path, "values"), message, mend=mend)
    if item.get("type", "A") not in ("A", "AAAA"):
        message = "a record that follows a site holds addresses"
        found, allowed = quoted(item["type"]), "A, AAAA, or neither for both"
        yield rules.flaw(place, (*path, "type"), message, found=found, allowed=allowed)
        return


def _values(kind: RecordType, values: Sequence[str], zone: str, place: Place, path: _Path) -> Iterator[Flaw]:
    if not values:
        yield rules.flaw(place, path, "this may not be empty")
    if kind in _SINGLE and len(values) > 1:
        yield rules.flaw(place, path, f"{kind.value} has one value", mend="keep one of them")
    seen: dict[str, int] = {}
    for number, text in enumerate(values):
        at: _Path = (*path, number)
        try:
            value = normal(kind, text, zone)
        except ValueFlaw as error:
            yield rules.flaw(
                place, at, error.message, found=quoted(text), allowed=error.allowed, mend=error.mend
            )
            continue
        if value in seen:
            message = f"this is the same as value {seen[value] + 1}"
            yield rules.flaw(place, at, message, found=quoted(text), mend="keep one of them")
        seen.setdefault(value, number)
    if len(seen) > 1 and any(value.endswith(" .") for value in seen):
        message = "a record that says there is no such service stands alone"
        yield rules.flaw(place, path, message, mend="keep it, or the others")


def _items(number: int, item: _Fields, zone: str) -> Iterator[_Item]:
    name = inside(item["name"], zone)
    for kind in kinds(item):
        yield _Item(number, name, kind, tuple(normal(kind, text, zone) for text in item.get("values", ())))


def _together(items: Sequence[_Item], zone: str, spec: _Fields, place: Place) -> Iterator[Flaw]:
    """What is wrong with record sets beside each other."""
    by_name: defaultdict[str, list[_Item]] = defaultdict(list)
    for item in items:
        by_name[item.name].append(item)
    cuts = {name for name, found in by_name.items() if name and _has(found, RecordType.NS)}
    for name, found in by_name.items():
        yield from _twice(found, place)
        yield from _alone(found, place)
        yield from _placed(name, found, spec, place)
        yield from _delegated(name, found, cuts, place)
    aliases = {absolute(name, zone) for name, found in by_name.items() if _has(found, RecordType.CNAME)}
    yield from _targets(items, aliases, place)
    yield from _circles(items, zone, place)


def _circles(items: Sequence[_Item], zone: str, place: Place) -> Iterator[Flaw]:
    """Aliases that lead back to themselves; what stands beside one is told of already."""
    plain = {item.name: "" for item in items if not item.target}
    for circle in circles({item.name: item.target for item in items} | plain, zone):
        at = min((item for item in items if item.name in circle), key=lambda item: item.place)
        message = "this alias leads back to itself, so nobody is ever answered"
        way = " -> ".join(absolute(name, zone) for name in (*circle[:_SHOWN], circle[0]))
        yield rules.flaw(place, (*at.path, "values"), message, found=way, mend="name what has addresses")


def _has(found: Sequence[_Item], kind: RecordType) -> bool:
    return any(item.type is kind for item in found)


def _twice(found: Sequence[_Item], place: Place) -> Iterator[Flaw]:
    first: dict[RecordType, _Item] = {}
    for item in found:
        before = first.setdefault(item.type, item)
        if before is not item:
            message = f"{item.name or '@'} {item.type.value} stands in the list twice"
            line = rules.flaw(place, before.path, "").line
            mend = f"keep this one or that of line {line}"
            if item.type not in _SINGLE and item.values and before.values:
                mend = f"put all values into that of line {line}"
            yield rules.flaw(place, (*item.path, "name"), message, mend=mend)


def _alone(found: Sequence[_Item], place: Place) -> Iterator[Flaw]:
    """CNAME excludes everything (RFC 1034, 3.6.2), ALIAS other addresses, NS of a child all but itself."""
    for item in found:
        others = {other.type for other in found if other.place != item.place}
        beside = others - {RecordType.CNAME} if item.type is RecordType.CNAME else set()
        if item.type is RecordType.ALIAS:
            beside = others & _ADDRESSES
        if item.type is RecordType.NS and item.name:
            beside = others - {RecordType.NS, RecordType.CNAME}
        if beside:
            names = ", ".join(sorted(kind.value for kind in beside))
            message = f"{item.type.value} cannot stand beside {names} of the same name"
            yield rules.flaw(place, item.path, message, mend="give one of them another name")


def _placed(name: str, found: Sequence[_Item], spec: _Fields, place: Place) -> Iterator[Flaw]:
    for item in found:
        if item.type is RecordType.CNAME and not name:
            message = "the zone itself cannot be a CNAME: it has SOA and NS records"
            mend = 'follow a site ("site"), or name the addresses (A, AAAA)'
            yield rules.flaw(place, item.path, message, mend=mend)
        if item.type is RecordType.NS and not name:
            message, mend = "the zone's own nameservers are named once", 'write them into "spec.nameservers"'
            yield rules.flaw(place, item.path, message, mend=mend)
        if item.type is RecordType.NS and name.startswith("*"):
            message = "a wildcard cannot be delegated (RFC 4592, 4.2)"
            yield rules.flaw(place, item.path, message, mend="name what is delegated")
        if item.type is RecordType.ALIAS and spec["provider"] not in _ALIASES:
            message = f"{spec['provider']} has no ALIAS records"
            mend = "use CNAME, or for the zone itself addresses"
            yield rules.flaw(place, (*item.path, "type"), message, mend=mend)
        if item.type is RecordType.SRV and not _is_service(name):
            message = "an SRV record has a name that begins with _SERVICE._PROTOCOL (RFC 2782)"
            yield rules.flaw(place, (*item.path, "name"), message, mend="as _sip._tcp")


def _is_service(name: str) -> bool:
    labels = name.removeprefix("*.").split(".")
    return len(labels) > 1 and all(label.startswith("_") for label in labels[:2])


def _delegated(name: str, found: Sequence[_Item], cuts: set[str], place: Place) -> Iterator[Flaw]:
    """Below a delegation only addresses of its nameservers are ever given out (RFC 1034, 4.2.1)."""
    cut = next((cut for cut in cuts if name.endswith(f".{cut}")), "")
    if not cut:
        return
    for item in found:
        if item.type not in _ADDRESSES:
            message = f"this lies in {cut}, which is delegated to other nameservers"
            yield rules.flaw(place, item.path, message, mend="write it into that zone")


def _targets(items: Sequence[_Item], aliases: set[str], place: Place) -> Iterator[Flaw]:
    for item in items:
        for value in item.values if item.type in _TARGETS else ():
            target = value.rpartition(" ")[2].removesuffix(".")
            if target in aliases:
                message = f"{item.type.value} cannot lead to {target}, which is a CNAME (RFC 2181, 10.3)"
                yield rules.flaw(place, (*item.path, "values"), message, mend="name what that leads to")
