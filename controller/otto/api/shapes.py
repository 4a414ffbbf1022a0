"""What values of the model look like as JSON: schemas out of their types, for the API's description."""

import dataclasses
import enum
import types
import typing
from collections.abc import Mapping
from datetime import datetime
from typing import Any

Schema = dict[str, Any]

_PLAIN: dict[object, Schema] = {
    str: {"type": "string"},
    bool: {"type": "boolean"},
    int: {"type": "integer"},
    float: {"type": "number"},
    datetime: {"type": "string", "format": "date-time"},
}
_DEEP = 2
_ANYTHING: Schema = {}


def shape_of(kind: Any, depth: int = _DEEP) -> Schema:  # noqa: ANN401  (type hints have no common type)
    """The schema of what `otto.model.canonical.to_data` makes of a type; what lies deeper is anything.

    Args:
        kind: a type that `otto.model.reading` reads.
        depth: levels of objects that are told.
    """
    if kind in _PLAIN:
        return dict(_PLAIN[kind])
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if origin in (typing.Union, types.UnionType):
        return _one_of([shape_of(item, depth) for item in arguments if item is not types.NoneType], arguments)
    if origin in (tuple, list, frozenset):
        return {"type": "array", "items": shape_of(arguments[0], depth) if arguments else _ANYTHING}
    if isinstance(origin, type) and issubclass(origin, Mapping):
        return {"type": "object", "additionalProperties": shape_of(arguments[1], depth)}
    if isinstance(kind, type) and issubclass(kind, enum.Enum):
        return {"enum": [member.value for member in kind]}
    if isinstance(kind, type) and dataclasses.is_dataclass(kind):
        return _object(kind, depth)
    return dict(_ANYTHING)


def _one_of(shapes: list[Schema], arguments: tuple[Any, ...]) -> Schema:
    if types.NoneType in arguments:
        shapes = [*shapes, {"type": "null"}]
    return shapes[0] if len(shapes) == 1 else {"anyOf": shapes}


def _object(kind: type, depth: int) -> Schema:
    if not depth:
        return {"type": "object"}
    hints = typing.get_type_hints(kind)
    fields = dataclasses.fields(kind)
    needed = [
        field.name
        for field in fields
        if field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING
    ]
    schema: Schema = {
        "type": "object",
        "properties": {field.name: shape_of(hints[field.name], depth - 1) for field in fields},
    }
    return schema | ({"required": needed} if needed else {})
