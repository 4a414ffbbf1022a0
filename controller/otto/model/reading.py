"""Values read back from plain data: the inverse of `otto.model.canonical.to_data`.

What is read was written by OttO, perhaps by another version of it, so reading is strict about what is
there and easy about what is not: a value of the wrong type is an error that says where, a key nobody
knows is left alone, and a missing one takes its field's default.
"""

import dataclasses
import enum
import types
import typing
from collections.abc import Callable, Hashable, Iterable, Mapping
from datetime import UTC, datetime
from functools import cache
from typing import Any, TypeVar

from otto.model.errors import TerminalError

T = TypeVar("T")
Reader = Callable[[Any], Any]

_PLAIN: Mapping[object, str] = {str: "text", bool: "true or false", int: "a whole number", float: "a number"}

_AS_IT_IS = frozenset({str, bool, int})


def read(cls: type[T], data: object) -> T:
    """Read a value of `cls` from what `to_data` made of one.

    Args:
        cls: a dataclass of the model, or any type such a dataclass has fields of.
        data: plain data, as `json.loads` gives it.

    Raises:
        TerminalError: the data does not fit; the message names the place.
        TypeError: `cls` itself holds a type that has no reading (a mistake of ours).
    """
    try:
        value: T = reader(typing.cast("Hashable", cls))(data)
    except _MisfitError as misfit:
        place = ".".join((getattr(cls, "__name__", str(cls)), *reversed(misfit.path)))
        raise TerminalError(f"{place}: expected {misfit.expected}, found {misfit.found}") from None
    return value


class _MisfitError(Exception):
    """Data that does not fit; the path grows on the way up, from the inside out."""

    def __init__(self, expected: str, found: str) -> None:
        super().__init__(expected, found)
        self.expected = expected
        self.found = found
        self.path: list[str] = []


def _misfit(expected: str, found: object) -> _MisfitError:
    text = repr(found)
    return _MisfitError(expected, text if len(text) <= 60 else f"{text[:57]}...")  # noqa: PLR2004  (a line's worth)


@cache
def reader(hint: Any) -> Reader:  # noqa: ANN401  (type hints have no common type)
    """The function that reads one type; made once per type."""
    if hint in (Any, object):
        return _anything
    if hint in _PLAIN:
        return _plain(hint)
    if hint in (None, types.NoneType):
        return _nothing
    if hint is datetime:
        return _time
    return _generic(hint) if typing.get_origin(hint) else _named(hint)


def _named(hint: Any) -> Reader:  # noqa: ANN401
    if isinstance(hint, type) and issubclass(hint, enum.Enum):
        return _enum(hint)
    if dataclasses.is_dataclass(hint) and isinstance(hint, type):
        return _dataclass(hint, {})
    if isinstance(hint, TypeVar):
        return _anything
    raise TypeError(f"{hint!r} has no reading")


def _generic(hint: Any) -> Reader:  # noqa: ANN401
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin in (typing.Union, types.UnionType):
        return _union(arguments)
    if dataclasses.is_dataclass(origin) and isinstance(origin, type):
        return _dataclass(origin, dict(zip(origin.__parameters__, arguments, strict=True)))  # type: ignore[attr-defined]
    if origin is tuple:
        return _tuple(arguments)
    if origin in (frozenset, list):
        return _sequence(origin, arguments[0])
    if isinstance(origin, type) and issubclass(origin, Mapping):
        return _mapping(*arguments)
    raise TypeError(f"{hint!r} has no reading")


def _anything(data: Any) -> Any:  # noqa: ANN401
    return data


def _nothing(data: object) -> None:
    if data is not None:
        raise _misfit("nothing", data)


def _plain(kind: type) -> Reader:
    expected = _PLAIN[kind]

    def number(data: object) -> object:
        if type(data) is float or type(data) is int:
            return float(data)
        raise _misfit(expected, data)

    def exact(data: object) -> object:
        if type(data) is kind:
            return data
        raise _misfit(expected, data)

    return number if kind is float else exact


def _time(data: object) -> datetime:
    try:
        value = datetime.fromisoformat(data)  # type: ignore[arg-type]
        if value.tzinfo is not None:
            return value if value.tzinfo is UTC else value.astimezone(UTC)
    except (TypeError, ValueError, OverflowError):
        raise _misfit("a time as ISO 8601", data) from None
    raise _misfit("a time with its zone", data)


def _enum(kind: type[enum.Enum]) -> Reader:
    members = {member.value: member for member in kind}

    def one(data: object) -> object:
        try:
            return members[data]
        except (KeyError, TypeError):
            raise _misfit("one of " + ", ".join(str(value) for value in members), data) from None

    return one


def _tuple(arguments: tuple[Any, ...]) -> Reader:
    if len(arguments) == 2 and arguments[1] is Ellipsis:  # noqa: PLR2004
        return _sequence(tuple, arguments[0])
    readers = tuple(reader(argument) for argument in arguments)

    def fixed(data: object) -> object:
        if not isinstance(data, list) or len(data) != len(readers):
            raise _misfit(f"a list of {len(readers)}", data)
        return tuple(_at(str(n), one, item) for n, (one, item) in enumerate(zip(readers, data, strict=True)))

    return fixed


def _at(key: str, one: Reader, item: object) -> Any:  # noqa: ANN401
    try:
        return one(item)
    except _MisfitError as misfit:
        misfit.path.append(key)
        raise


def _sequence(make: Callable[[Iterable[Any]], object], item: Any) -> Reader:  # noqa: ANN401
    one = reader(item)

    def many(data: object) -> object:
        if type(data) is not list:
            raise _misfit("a list", data)
        try:
            return make([one(value) for value in data])
        except _MisfitError:
            return make([_at(str(n), one, value) for n, value in enumerate(data)])

    return many


def _mapping(key: Any, item: Any) -> Reader:  # noqa: ANN401
    name, one = reader(key), reader(item)

    def pairs(data: object) -> object:
        if type(data) is not dict:
            raise _misfit("an object", data)
        try:
            return {name(k): one(value) for k, value in data.items()}
        except _MisfitError:
            return {_at(k, name, k): _at(k, one, value) for k, value in data.items()}

    return pairs


def _union(members: tuple[Any, ...]) -> Reader:
    inner = tuple(member for member in members if member is not types.NoneType)
    optional = len(inner) < len(members)
    chosen = reader(inner[0]) if len(inner) == 1 else _choice(inner)

    def some(data: object) -> object:
        if data is None and optional:
            return None
        return chosen(data)

    return some


def _choice(members: tuple[Any, ...]) -> Reader:
    """Several types in one place: data tells them apart by the fields it has.

    Members that no data could tell apart are refused here, when the reader is made.
    """
    shapes = {member: _required(member) for member in members}
    if len(set(shapes.values())) < len(members):
        raise TypeError(f"{members!r} cannot be told apart by their fields")
    by_weight = sorted(members, key=lambda member: -len(shapes[member]))

    def best(data: object) -> object:
        keys = data.keys() if isinstance(data, dict) else frozenset()
        for member in by_weight:
            if shapes[member] <= keys:
                return reader(member)(data)
        raise _misfit(
            "an object with " + " or ".join(sorted(", ".join(sorted(s)) for s in shapes.values())), data
        )

    return best


def _required(member: Any) -> frozenset[str]:  # noqa: ANN401
    kind = typing.get_origin(member) or member
    if not dataclasses.is_dataclass(kind):
        raise TypeError(f"{member!r} cannot be read beside other types")
    return frozenset(field.name for field in dataclasses.fields(kind) if _obligatory(field))


def _obligatory(field: dataclasses.Field[Any]) -> bool:
    return field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING


def _dataclass(kind: type, bound: Mapping[Any, Any]) -> Reader:
    plan: dict[str, tuple[type | None, Reader]] = {}

    def build(data: object) -> object:
        if type(data) is not dict:
            raise _misfit("an object", data)
        if not plan:  # filled on first use and not before, so that a type may hold itself
            plan.update(_fields(kind, bound))
        values: dict[str, Any] = {}
        name = ""
        try:
            for name, value in data.items():
                if name in plan:
                    as_it_is, one = plan[name]
                    # Most fields are text: not calling their reader halves the time of a large read.
                    values[name] = value if type(value) is as_it_is else one(value)
        except _MisfitError as misfit:
            misfit.path.append(name)
            raise
        return _made(kind, values, data)

    return build


def _fields(kind: type, bound: Mapping[Any, Any]) -> Iterable[tuple[str, tuple[type | None, Reader]]]:
    hints = typing.get_type_hints(kind)
    for field in dataclasses.fields(kind):
        hint = _bind(hints[field.name], bound)
        yield field.name, (hint if hint in _AS_IT_IS else None, reader(hint))


def _made(kind: type, values: dict[str, Any], data: object) -> object:
    try:
        return kind(**values)
    except TypeError:
        missing = _required(kind) - values.keys()
        if missing:
            raise _misfit(f"an object with {', '.join(sorted(missing))}", data) from None
        raise


def _bind(hint: Any, bound: Mapping[Any, Any]) -> Any:  # noqa: ANN401
    return bound.get(hint, hint) if isinstance(hint, TypeVar) else hint
