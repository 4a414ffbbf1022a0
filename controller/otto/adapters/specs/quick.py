"""A yes or no to whether a value fits a schema, many times faster than asking for the reasons.

Nearly every document of a repository is valid, and jsonschema builds a validator per value on its way
down. So a schema is also compiled to plain predicates; only a document they refuse goes to jsonschema,
which finds the reasons. A test holds the two to the same answers. Only the keywords that our schemas
use are known here: any other fails at once, when the schema is loaded.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any

Predicate = Callable[[Any], bool]
Schema = Mapping[str, Any]

_TYPES: Mapping[str, tuple[type, ...]] = {
    "object": (dict,),
    "array": (list,),
    "string": (str,),
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
    "null": (type(None),),
}


def compiled(schema: Schema, expression: Callable[[str], re.Pattern[str]]) -> Predicate:
    """The predicate of a schema.

    Args:
        schema: with references resolved and annotations removed.
        expression: compiles a pattern as JSON Schema means it.

    Raises:
        KeyError: the schema uses a keyword that is not known here.
    """

    def inner(part: Schema) -> Predicate:
        rules = [
            _RULES[keyword](wanted, part, inner) for keyword, wanted in part.items() if keyword != "pattern"
        ]
        if "pattern" in part:
            search = expression(part["pattern"]).search
            rules.append(lambda value: not isinstance(value, str) or search(value) is not None)
        return rules[0] if len(rules) == 1 else lambda value: all(rule(value) for rule in rules)

    return inner(schema)


_Rule = Callable[[Any, Schema, Callable[[Schema], Predicate]], Predicate]


def _type(wanted: str | list[str], *_: object) -> Predicate:
    names = [wanted] if isinstance(wanted, str) else wanted
    allowed = tuple(kind for name in names for kind in _TYPES[name])
    return lambda value: type(value) in allowed


def _equal(wanted: Any, *_: object) -> Predicate:  # noqa: ANN401
    allowed = frozenset(wanted if isinstance(wanted, list) else [wanted])
    return lambda value: isinstance(value, str) and value in allowed


def _fields(wanted: Mapping[str, Schema], _: Schema, inner: Callable[[Schema], Predicate]) -> Predicate:
    rules = {name: inner(part) for name, part in wanted.items()}

    def fits(value: Any) -> bool:  # noqa: ANN401
        if type(value) is not dict:
            return True
        return all(rules[name](item) for name, item in value.items() if name in rules)

    return fits


def _others(wanted: Any, schema: Schema, inner: Callable[[Schema], Predicate]) -> Predicate:  # noqa: ANN401
    known = frozenset(schema.get("properties", ()))
    if wanted is False:
        return lambda value: type(value) is not dict or known.issuperset(value)
    rule = inner(wanted)
    return lambda value: (
        type(value) is not dict or all(rule(value[name]) for name in value if name not in known)
    )


def _names(wanted: Schema, _: Schema, inner: Callable[[Schema], Predicate]) -> Predicate:
    rule = inner(wanted)
    return lambda value: type(value) is not dict or all(map(rule, value))


def _items(wanted: Schema, _: Schema, inner: Callable[[Schema], Predicate]) -> Predicate:
    rule = inner(wanted)
    return lambda value: type(value) is not list or all(map(rule, value))


def _required(wanted: list[str], *_: object) -> Predicate:
    return lambda value: type(value) is not dict or all(name in value for name in wanted)


def _dependent(wanted: Mapping[str, list[str]], *_: object) -> Predicate:
    pairs = [(name, other) for name, needed in wanted.items() for other in needed]
    return lambda value: (
        type(value) is not dict or all(other in value for name, other in pairs if name in value)
    )


def _unique(wanted: bool, *_: object) -> Predicate:
    # Lists in our schemas hold texts; one that holds anything else is refused by its items' type.
    return lambda value: not wanted or type(value) is not list or len(set(map(str, value))) == len(value)


def _length(kind: type[str | list[Any] | dict[str, Any]], limit: int, *, least: bool = False) -> Predicate:
    if least:
        return lambda value: not isinstance(value, kind) or len(value) >= limit
    return lambda value: not isinstance(value, kind) or len(value) <= limit


def _number(value: Any) -> bool:  # noqa: ANN401
    return type(value) in (int, float)


_RULES: Mapping[str, _Rule] = {
    "type": _type,
    "const": _equal,
    "enum": _equal,
    "properties": _fields,
    "additionalProperties": _others,
    "propertyNames": _names,
    "items": _items,
    "required": _required,
    "dependentRequired": _dependent,
    "uniqueItems": _unique,
    "maxLength": lambda wanted, *_: _length(str, wanted),
    "maxItems": lambda wanted, *_: _length(list, wanted),
    "maxProperties": lambda wanted, *_: _length(dict, wanted),
    "minProperties": lambda wanted, *_: _length(dict, wanted, least=True),
    "minimum": lambda wanted, *_: lambda value: not _number(value) or value >= wanted,
    "maximum": lambda wanted, *_: lambda value: not _number(value) or value <= wanted,
}
