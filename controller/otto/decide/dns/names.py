"""Names of DNS: which zone they are of, and how they are written inside it.

Names are ASCII in lower case without a last dot; inside a zone, "" is the apex.
"""

from collections.abc import Container, Iterator


def zone_of(name: str, zones: Container[str]) -> str:
    """The zone that a name is of: the longest of these that it is, or lies below; "" for none."""
    return next((part for part in _above(name) if part in zones), "")


def parent_of(zone: str, zones: Container[str]) -> str:
    """The nearest zone above one, "" for none."""
    return zone_of(zone.partition(".")[2], zones)


def relative(name: str, zone: str) -> str:
    """A name as it is written inside its zone; "" for the apex."""
    return "" if name == zone else name.removesuffix(f".{zone}")


def absolute(name: str, zone: str) -> str:
    """A name of a zone in full, without a last dot."""
    return f"{name}.{zone}" if name else zone


def covers(wildcard: str, name: str) -> bool:
    """Whether a wildcard of a zone, as `*` or `*.dev`, stands for a name of it (RFC 4592)."""
    star, _, base = wildcard.partition(".")
    if star != "*":
        return False
    return bool(name) and (name.endswith(f".{base}") if base else True)


def _above(name: str) -> Iterator[str]:
    """The name itself and every name it lies below."""
    while name:
        yield name
        name = name.partition(".")[2]
