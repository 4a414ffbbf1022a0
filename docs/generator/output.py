"""Reference of what `--json` prints, from the schemas in `schemas/output`."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from generator.page import code, joined, table
from otto import resources

Schema = Mapping[str, Any]
_FIRST = "status.json"
_INTRO = """\
# Output as JSON

With `--json` commands print plain data: one document, or for commands that go on for a while one object per
line. Each is described by a JSON Schema in `schemas/output`, which the tables below are made from. Every field is
there unless it is called optional. Times are ISO 8601 in UTC.

    otto status --json | python3 -c 'import json, sys; print([s["name"] for s in json.load(sys.stdin)["sites"] if not s["ready"]])'

prints the names of sites that are not Ready."""  # noqa: E501  (a command to copy)


def render() -> str:
    """The page."""
    folder = resources.path("schemas", "output")
    files = sorted(folder.glob("*.json"), key=lambda path: (path.name != _FIRST, path.name))
    return joined([_INTRO, *(_section(path) for path in files)])


def _section(path: Path) -> str:
    schema = json.loads(path.read_text(encoding="utf-8"))
    title = f"## {path.stem.capitalize()}"
    about = f"`{schema.get('title', path.stem)}`: {_sentence(schema)}"
    link = f"Schema: [schemas/output/{path.name}](../../schemas/output/{path.name})."
    variants = schema.get("oneOf")
    if variants is None:
        return joined([title, about, _fields(schema, schema), link])
    return joined([title, about, *(_variant(schema, variant) for variant in variants), link])


def _sentence(schema: Schema) -> str:
    words = str(schema.get("description", ""))
    return words[:1].lower() + words[1:]


def _variant(root: Schema, variant: Schema) -> str:
    name = variant.get("properties", {}).get("event", {}).get("const", "")
    heading = f"### {code(name)}" if name else ""
    return joined([heading, variant.get("description", ""), _fields(root, variant)])


def _fields(root: Schema, node: Schema) -> str:
    return table(("field", "type", ""), _rows(root, node, "", ()))


def _rows(root: Schema, node: Schema, path: str, inside: tuple[str, ...]) -> Iterator[tuple[str, str, str]]:
    """A row for every field, an object's own before those inside it; a type that holds itself ends there."""
    required = node.get("required", ())
    for name, raw in node.get("properties", {}).items():
        field = _resolved(root, raw)
        inner = f"{path}.{name}" if path else name
        optional = "" if name in required else "Optional. "
        yield code(inner), _type(root, field), optional + str(field.get("description", ""))
        yield from _below(root, raw, inner, inside)


def _below(root: Schema, raw: Schema, path: str, inside: tuple[str, ...]) -> Iterator[tuple[str, str, str]]:
    for suffix, child in (("", raw), ("[]", _resolved(root, raw).get("items", {}))):
        for option in _options(child):
            reference = option.get("$ref", "")
            if reference not in inside or not reference:
                known = (*inside, reference) if reference else inside
                yield from _rows(root, _resolved(root, option), path + suffix, known)


def _options(node: Schema) -> Iterator[Schema]:
    """The node itself, or each of those it may be."""
    yield from node.get("oneOf") or node.get("anyOf") or (node,)


def _type(root: Schema, node: Schema) -> str:
    node = _resolved(root, node)
    choices = node.get("oneOf") or node.get("anyOf")
    if choices:
        return " or ".join(dict.fromkeys(_type(root, choice) for choice in choices))
    if "const" in node:
        return code(node["const"])
    if "enum" in node:
        return ", ".join(code(value) for value in node["enum"])
    kind = node.get("type", "value")
    kinds = kind if isinstance(kind, list) else [str(kind)]
    if kinds == ["array"]:
        return f"list of {_type(root, node.get('items', {}))}s"
    time = node.get("format") == "date-time"
    return " or ".join("time" if time and name == "string" else name for name in kinds)


def _resolved(root: Schema, node: Schema) -> Schema:
    reference = node.get("$ref")
    if reference is None:
        return node
    found: Any = root
    for part in str(reference).removeprefix("#/").split("/"):
        found = found[part]
    return {**found, **node}
