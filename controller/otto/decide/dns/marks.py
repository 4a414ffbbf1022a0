"""Ownership records: TXT record sets beside others that say whose those are, as octoDNS makes them."""

import re

Key = tuple[str, str]

NAME = "_owner"
TTL = 3600
"""Seconds; nobody asks for them but who changes zones."""

_MARK = re.compile(rf"{NAME}\.[a-z0-9]+(\..+)?")
_LONGEST = 253  # with the last dot, as octoDNS counts


def value_of(owner: str) -> str:
    """What an ownership record of that owner says."""
    return f"heritage=otto,owner={owner}"


def is_mark(name: str, type_: str) -> bool:
    """Whether a record set says whose another one is, whoever wrote it."""
    return type_ == "TXT" and _MARK.fullmatch(name) is not None


def marked(name: str) -> Key:
    """What an ownership record of that name speaks of."""
    _, type_, *rest = name.split(".", 2)
    return "".join(rest).replace("_wildcard", "*"), type_.upper()


def mark(key: Key) -> Key:
    """The key of the ownership record of a record set."""
    name, type_ = key
    parts = (NAME, type_.lower(), name.replace("*", "_wildcard"))
    return ".".join(filter(None, parts)), "TXT"


def excess(key: Key, zone: str) -> int:
    """Characters by which the name of a record set is too long for an ownership record; 0 when it fits."""
    name = mark(key)[0]
    return max(0, len(f"{name}.{zone}.") - _LONGEST)
