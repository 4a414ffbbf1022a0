"""Reading JSON that other programs wrote: each step says what it expects, nothing is trusted."""

from collections.abc import Mapping, Sequence
from typing import Any


def mapping(value: object) -> Mapping[str, Any]:
    """The value when it is an object, else an empty one."""
    return value if isinstance(value, dict) else {}


def sequence(value: object) -> Sequence[Any]:
    """The value when it is an array, else an empty one."""
    return value if isinstance(value, list) else []


def text(value: object) -> str:
    """The value when it is a string, else ""."""
    return value if isinstance(value, str) else ""


def whole(value: object) -> int:
    """The value when it is a whole number, else 0."""
    return value if isinstance(value, int) and not isinstance(value, bool) else 0


def at(value: object, path: str) -> object:
    """What a dotted path leads to inside nested objects, None when it leads nowhere."""
    for name in path.split("."):
        value = mapping(value).get(name)
    return value
