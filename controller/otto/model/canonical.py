"""One canonical form for values, so that a digest names content and nothing else.

The form is JSON with sorted keys and no spare space (RFC 8785 in spirit: our values hold no floats
whose text form could differ between platforms other than Python's own shortest one).
"""

import dataclasses
import enum
import functools
import hashlib
import json
from collections.abc import Hashable, Mapping
from datetime import UTC, datetime
from typing import Any, cast

_PLAIN = frozenset({str, int, float, bool, type(None)})

Data = None | bool | int | float | str | list["Data"] | dict[str, "Data"]


def to_data(value: object) -> Data:
    """Turn a value of the model into plain data that JSON can hold.

    Dataclasses become objects, enums their values, times ISO 8601 in UTC, sets sorted lists.

    Raises:
        TypeError: if the value holds something that has no canonical form.
    """
    kind = type(value)
    if kind in _PLAIN:
        return value  # type: ignore[return-value]  # its type says so
    names = _fields_of(cast("Hashable", kind))
    if names is not None:
        # Most fields are plain: not calling for each of them halves the time of a large value.
        found = ((name, getattr(value, name)) for name in names)
        return {name: item if type(item) in _PLAIN else to_data(item) for name, item in found}
    if kind is tuple or kind is list:
        return [item if type(item) in _PLAIN else to_data(item) for item in value]  # type: ignore[attr-defined]
    return _other(value)


@functools.cache
def _fields_of(kind: Any) -> tuple[str, ...] | None:  # noqa: ANN401  (a type, which mypy takes for no key)
    return tuple(field.name for field in dataclasses.fields(kind)) if dataclasses.is_dataclass(kind) else None


def _other(value: object) -> Data:
    if isinstance(value, enum.Enum):
        return to_data(value.value)
    if isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, datetime):
        return (value if value.tzinfo is UTC else value.astimezone(UTC)).isoformat()
    if isinstance(value, Mapping):
        return {str(key): to_data(item) for key, item in value.items()}
    if isinstance(value, frozenset | set):
        return [to_data(item) for item in sorted(value)]
    if isinstance(value, list | tuple):
        return [to_data(item) for item in value]
    raise TypeError(f"{type(value).__name__} has no canonical form")


def canonical(value: object) -> str:
    """The canonical JSON text of a value."""
    return json.dumps(to_data(value), sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def digest(value: object) -> str:
    """SHA-256 of the canonical text, as 64 hex digits."""
    return hashlib.sha256(canonical(value).encode()).hexdigest()


def short(name: str, length: int = 12) -> str:
    """The first digits of a digest or commit id, for people."""
    return name[:length]


def instant(text: str) -> datetime:
    """Read back a time that `to_data` wrote."""
    return datetime.fromisoformat(text)


def load(text: str) -> Any:  # noqa: ANN401  (JSON is what it is until a type reads it)
    """Parse JSON text that OttO wrote itself."""
    return json.loads(text)
