"""The schemas of all kinds, compiled once."""

import json
import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError
from jsonschema.validators import extend

from otto import resources
from otto.adapters.specs.quick import Predicate, compiled

API_VERSION = "otto/v1"

# Kind -> file in schemas/. One line per kind; the files are what editors use.
KINDS: Mapping[str, str] = {
    "Site": "site.json",
    "Host": "host.json",
    "Domain": "domain.json",
    "Tombstone": "tombstone.json",
    "FleetPolicy": "fleet-policy.json",
}

Schema = dict[str, Any]

_LONGEST_LIST = 1000

# Keywords that inform people and editors, and only cost time while validating.
_ANNOTATIONS = frozenset(
    {
        "$schema",
        "$id",
        "$defs",
        "title",
        "description",
        "examples",
        "default",
        "patternErrorMessage",
        "format",
    }
)


@cache
def _expression(pattern: str) -> re.Pattern[str]:
    # ECMA-262's `$` is the very end; Python's also matches before a last line break.
    return re.compile(re.sub(r"(?<!\\)\$(?=$|\))", r"\\Z", pattern))


def _pattern(validator: Any, wanted: str, value: object, schema: Schema) -> Iterator[ValidationError]:  # noqa: ANN401
    # A text that is too long is reported as that, and no expression is let loose on it.
    fits = not validator.is_type(value, "string") or len(str(value)) > schema.get("maxLength", math.inf)
    if not fits and not _expression(wanted).search(str(value)):
        yield ValidationError("pattern")


def _unique(_: object, wanted: bool, value: object, schema: Schema) -> Iterator[ValidationError]:
    # Comparing each with each is quadratic: a list that is too long is reported as that alone.
    if wanted and isinstance(value, list) and len(value) <= schema.get("maxItems", _LONGEST_LIST):
        seen: list[object] = []
        for item in value:
            if item in seen:
                yield ValidationError("unique")
                return
            seen.append(item)


def _integer(_: object, value: object) -> bool:
    return type(value) is int  # 2.0 is an integer to JSON Schema, and not to us


_Validator = extend(  # type: ignore[no-untyped-call]
    Draft202012Validator,
    {"pattern": _pattern, "uniqueItems": _unique},
    type_checker=Draft202012Validator.TYPE_CHECKER.redefine("integer", _integer),
)


@dataclass(frozen=True, slots=True)
class Finding:
    """One rule of a schema that a value breaks.

    Attributes:
        keyword: the rule, as JSON Schema calls it.
        wanted: what the schema says there.
        value: what was found, the name itself where `is_name`.
        path: where, from the top of the document.
        schema: the part of the schema that governs the value.
        is_name: whether the name of a field breaks the rule, not its value.
    """

    keyword: str
    wanted: Any
    value: Any
    path: tuple[str | int, ...]
    schema: Schema
    is_name: bool


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of document.

    Attributes:
        name: as in `kind:`.
        schema: in full, with references resolved.
        fits: whether a document is valid, fast.
        validator: finds out why not.
    """

    name: str
    schema: Schema
    fits: Predicate
    validator: Any

    def findings(self, value: object) -> Iterator[Finding]:
        """Everything the schema finds wrong with a document."""
        if not self.fits(value):
            yield from map(self._finding, self.validator.iter_errors(value))

    def _finding(self, error: ValidationError) -> Finding:
        path = tuple(error.absolute_path)
        schema, is_name = self._at(path), "propertyNames" in error.absolute_schema_path
        if is_name:
            schema, path = schema.get("propertyNames", {}), (*path, str(error.instance))
        return Finding(str(error.validator), error.validator_value, error.instance, path, schema, is_name)

    def filled(self, value: Mapping[str, Any]) -> dict[str, Any]:
        """A valid document with the schema's defaults put in."""
        filled: dict[str, Any] = _filled(self.schema, value)
        return filled

    def _at(self, path: tuple[str | int, ...]) -> Schema:
        schema = self.schema
        for step in path:
            schema = _step(schema, step)
        return schema


@cache
def kind(name: str) -> Kind:
    """A kind by name, compiled at first use.

    Raises:
        KeyError: there is no such kind.
    """
    raw = json.loads(resources.path("schemas", KINDS[name]).read_text(encoding="utf-8"))
    schema: Schema = _resolved(raw, raw.get("$defs", {}))
    bare = _stripped(schema)
    return Kind(name, schema, compiled(bare, _expression), _Validator(bare))


def _step(schema: Schema, step: str | int) -> Schema:
    if isinstance(step, int):
        found = schema.get("items", {})
    else:
        found = schema.get("properties", {}).get(step, schema.get("additionalProperties", {}))
    return found if isinstance(found, dict) else {}


def _resolved(schema: Any, definitions: Mapping[str, Schema]) -> Any:  # noqa: ANN401
    """The schema with `#/$defs/NAME` written out, which halves the time of a validation."""
    if isinstance(schema, list):
        return [_resolved(item, definitions) for item in schema]
    if not isinstance(schema, dict):
        return schema
    if isinstance(reference := schema.get("$ref"), str):
        target = definitions[reference.removeprefix("#/$defs/")]
        own = {key: value for key, value in schema.items() if key != "$ref"}
        return _resolved({**target, **own}, definitions)
    return {key: _resolved(value, definitions) for key, value in schema.items()}


def _stripped(schema: Any, *, names: bool = False) -> Any:  # noqa: ANN401
    """The schema without annotations; `names` says that the keys are names of fields."""
    if not isinstance(schema, dict):
        return schema
    return {
        key: _stripped(value, names=key == "properties" and not names)
        for key, value in schema.items()
        if names or key not in _ANNOTATIONS
    }


def _filled(schema: Schema, value: Any) -> Any:  # noqa: ANN401
    if isinstance(value, list):
        return [_filled(schema.get("items", {}), item) for item in value]
    if not isinstance(value, Mapping):
        return value
    filled = dict(value)
    for name, part in schema.get("properties", {}).items():
        if name in filled:
            filled[name] = _filled(part, filled[name])
        elif "default" in part:
            filled[name] = _filled(part, part["default"])
    return filled
