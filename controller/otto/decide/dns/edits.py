"""Edits of a zone's document: its nameservers and its records. Nothing that is given is changed."""

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from otto.decide.dns.names import relative
from otto.model.document import Data
from otto.model.domain import RecordType
from otto.model.errors import UsageError

Item = Mapping[str, Any]
"""A record set as the document has it: `name`, `type`, `values`, `site`, `ttl`."""

_LONGEST = 253  # characters of a name
_NUMBER = re.compile(r"[0-9]{1,10}")
_TYPES = frozenset(kind.value for kind in RecordType)
_FORM = "write NAME [TTL] TYPE VALUE, as in a zone file: www 300 A 192.0.2.10"


@dataclass(frozen=True, slots=True)
class Selector:
    """Which record sets, or values of them, are meant.

    Attributes:
        name: of the sets; as in the document.
        type: of the set, "" for all of the name.
        value: one value of it, "" for the set.
    """

    name: str
    type: str = ""
    value: str = ""


def selector(text: str) -> Selector:
    """Out of `NAME`, `NAME TYPE`, or `NAME TYPE VALUE`; a time to live in between is passed over.

    Raises:
        UsageError: it is none of these.
    """
    words = text.split(None, 2)
    if len(words) > 1 and _NUMBER.fullmatch(words[1]) and len(words) > 2:  # noqa: PLR2004  (NAME TTL REST)
        return selector(f"{words[0]} {words[2]}")
    if not words or (len(words) > 1 and words[1].upper() not in _TYPES):
        raise UsageError("a record is named by NAME, NAME TYPE or NAME TYPE VALUE", mend=_FORM)
    name, kind, value = [*words, "", ""][:3]
    return Selector(name.lower(), kind.upper(), value)


def item(text: str) -> dict[str, Any]:
    """A record out of `NAME [TTL] TYPE VALUE`.

    Raises:
        UsageError: it is none.
    """
    name, _, rest = text.strip().partition(" ")
    first, _, after = rest.strip().partition(" ")
    ttl = None
    if _NUMBER.fullmatch(first):
        ttl, (first, _, after) = int(first), after.strip().partition(" ")
    kind, value = first.upper(), after.strip()
    if not name or kind not in _TYPES or not value:
        raise UsageError("this is no record", mend=_FORM)
    found: dict[str, Any] = {"name": name.lower(), "type": kind, "values": [value]}
    return found if ttl is None else found | {"ttl": ttl}


def together(items: Iterable[Item]) -> list[dict[str, Any]]:
    """Records of one name and type made one set."""
    found: list[dict[str, Any]] = []
    for one in items:
        _add(found, one, "")
    return found


def nameservers(data: Data) -> list[Any]:
    """Those that a zone's document names."""
    return _list(data, "nameservers")


def with_nameservers(data: Data, names: Sequence[str]) -> Data:
    """The document with these nameservers and no others."""
    return _with(data, "nameservers", list(dict.fromkeys(names)))


def without_nameservers(data: Data, names: Sequence[str]) -> Data:
    """The document without these nameservers; without any, when none is named."""
    gone = set(names)
    return _with(data, "nameservers", [one for one in nameservers(data) if gone and one not in gone])


def records(data: Data) -> list[Any]:
    """Record sets of a zone's document, in its order."""
    return _list(data, "records")


def with_records(data: Data, items: Iterable[Item]) -> Data:
    """The document with more records: values are added to the set of their name and type, or make one."""
    found = [dict(one) if isinstance(one, Mapping) else one for one in records(data)]
    for one in items:
        _add(found, one, _zone(data))
    return _with(data, "records", found)


def replaced_records(data: Data, items: Sequence[Item], only: Sequence[Selector] = ()) -> Data:
    """The document with these records in place of all, or of those that are meant."""
    if not only:
        return _with(data, "records", _in_order_of(records(data), items, _zone(data)))
    left = records(without_records(data, only))
    return _with(data, "records", [*left, *(dict(one) for one in items)])


def without_records(data: Data, only: Sequence[Selector]) -> Data:
    """The document without the records that are meant; without any, when none is named."""
    zone = _zone(data)
    found: list[Any] = []
    for one in records(data) if only else ():
        left = _left(one, only, zone)
        if left is not None:
            found.append(left)
    return _with(data, "records", found)


def selected(data: Data, only: Sequence[Selector]) -> list[Any]:
    """The record sets that are meant, all when none is named."""
    zone = _zone(data)
    return [one for one in records(data) if not only or any(_meant(one, which, zone) for which in only)]


Place = tuple[str, str, int]
"""Where a record set stands in a list: its name within the zone, its type, and its number among such."""


def sorted_by_name(data: Data, items: Sequence[Any]) -> list[tuple[Place, Any]]:
    """Record sets of a document by name and type, each with its place, which changes with no other's."""
    zone, count, found = _zone(data), Counter[tuple[str, str]](), list[tuple[Place, Any]]()
    for one in items:
        known = _words(one, zone)
        found.append(((*known, count[known]), one))
        count[known] += 1
    return sorted(found, key=lambda placed: placed[0])


def _words(one: object, zone: str) -> tuple[str, str]:
    """Name and type of what may be no record at all."""
    name, kind = _key(one, zone) if isinstance(one, Mapping) else ("", "")
    return str(name)[:_LONGEST], str(kind or "")[:_LONGEST]


def _in_order_of(known: Sequence[Any], items: Sequence[Item], zone: str) -> list[dict[str, Any]]:
    """Items in the order of those that are there, new ones behind them: order means nothing in a zone."""
    places = {_words(one, zone): place for place, one in enumerate(known)}
    ordered = sorted(items, key=lambda one: places.get(_words(one, zone), len(known)))
    return [dict(one) for one in ordered]


def _left(one: Any, only: Sequence[Selector], zone: str) -> Any:  # noqa: ANN401  (of a document)
    """What is left of a record set, None for nothing."""
    for which in only:
        if _meant(one, which, zone):
            if not which.value:
                return None
            values = [value for value in one.get("values", []) if value != which.value]
            if not values and "site" not in one:
                return None
            one = {**one, "values": values} if "values" in one else one
    return one


def _meant(one: object, which: Selector, zone: str) -> bool:
    if not isinstance(one, Mapping):
        return False
    kind = one.get("type", "")
    same = _inside(one.get("name"), zone) == _inside(which.name, zone)
    followed = "site" in one and not kind and which.type in ("A", "AAAA")
    return same and (not which.type or kind == which.type or followed)


def _add(found: list[Any], one: Item, zone: str) -> None:
    for place, known in enumerate(found):
        if isinstance(known, Mapping) and _key(known, zone) == _key(one, zone):
            more = [value for value in one.get("values", []) if value not in known.get("values", [])]
            changes = {name: one[name] for name in ("ttl", "site") if name in one}
            values = {"values": [*known.get("values", []), *more]} if more else {}
            found[place] = {**known, **changes, **values}
            return
    found.append(dict(one))


def _key(one: Item, zone: str) -> tuple[object, object]:
    return _inside(one.get("name"), zone), one.get("type")


def _inside(name: object, zone: str) -> object:
    """A name as it is kept, however it is written: "" for the zone itself."""
    if not isinstance(name, str):
        return name
    plain = name.lower()
    if plain == "@":
        return ""
    return relative(plain.removesuffix("."), zone) if plain.endswith(".") else plain


def _zone(data: Data) -> str:
    metadata = data.get("metadata")
    name = metadata.get("name") if isinstance(metadata, Mapping) else None
    return name if isinstance(name, str) else ""


def _list(data: Data, field: str) -> list[Any]:
    spec = data.get("spec")
    found = spec.get(field) if isinstance(spec, Mapping) else None
    return list(found) if isinstance(found, list) else []


def _with(data: Data, field: str, value: list[Any]) -> Data:
    """The document with a list of its spec being another; one that was not there does not come in empty."""
    spec = data.get("spec")
    kept = dict(spec) if isinstance(spec, Mapping) else {}
    if value or field in kept:
        kept[field] = value
    return {**data, "spec": kept}
