"""Aliases that lead back to themselves."""

from collections.abc import Iterator, Mapping

from otto.decide.dns.names import relative


def circles(targets: Mapping[str, str], zone: str) -> Iterator[tuple[str, ...]]:
    """Names whose aliases lead round in a circle, each circle once: resolvers give up on them.

    Args:
        targets: every name of a zone that has records -> what it is an alias of, with its last dot; "" for
            what is no alias.
        zone: its name.
    """
    there = _existing(targets)
    seen: dict[str, str] = {}
    for start in targets:
        way: list[str] = []
        name: str | None = start
        while name is not None and name not in seen and targets.get(name):
            seen[name] = start
            way.append(name)
            name = _answering(targets[name].removesuffix("."), zone, targets, there)
        if name is not None and name in way:
            yield tuple(way[way.index(name) :])


def _answering(name: str, zone: str, targets: Mapping[str, str], there: frozenset[str]) -> str | None:
    """The name whose records answer for another: its own, or the nearest wildcard (RFC 4592, 3.3)."""
    if name != zone and not name.endswith(f".{zone}"):
        return None
    inside = relative(name, zone)
    if inside in there:
        return inside
    above = inside.partition(".")[2]
    while above not in there:
        above = above.partition(".")[2]
    star = f"*.{above}" if above else "*"
    return star if star in targets else None


def _existing(names: Mapping[str, str]) -> frozenset[str]:
    """These names and all that they lie below: what has something below it is there, too."""
    found = {""}
    for name in names:
        part = name
        while part and part not in found:
            found.add(part)
            part = part.partition(".")[2]
    return frozenset(found)
