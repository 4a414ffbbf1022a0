"""Schemas of answers in the API's description: those of `schemas/output` and `schemas/api`, as they are.

What a command prints with `--json` and what the API answers is one document, described once. OpenAPI 3.1
speaks JSON Schema 2020-12 itself, so that nothing is translated: definitions become components, references
lead there.
"""

import functools
import json
from collections.abc import Iterator, Mapping
from typing import Any

from otto import resources

Schema = dict[str, Any]

_DEFINITION = "#/$defs/"
COMPONENT = "#/components/schemas/"

# Component -> folder, file and definition in it; "" for the document itself.
_NAMED: Mapping[str, tuple[str, str, str]] = {
    "SiteStatus": ("output", "status", "site"),
    "Why": ("output", "why", ""),
    "Diff": ("output", "diff", ""),
    "Plan": ("output", "plan", ""),
    "Run": ("output", "history", "run"),
    "Pipeline": ("output", "pipelines", "pipeline"),
    "AuditRecord": ("output", "audit", "record"),
    "Image": ("output", "images-show", ""),
    "ListedImage": ("api", "image", ""),
    "Orphan": ("output", "orphans", "host"),
    "Said": ("output", "said", ""),
    "Token": ("output", "token-list", "token"),
    "NewToken": ("output", "token-create", ""),
    "Host": ("api", "host", ""),
    "Asked": ("api", "asked", ""),
    "Controller": ("api", "controller", ""),
    "Event": ("api", "event", ""),
    "Problem": ("api", "problem", ""),
    "Written": ("api", "written", ""),
    "Foreseen": ("api", "foreseen", ""),
    "Zone": ("api", "zone", ""),
    "Record": ("api", "record", ""),
    "Nameservers": ("api", "nameservers", ""),
    "Site": ("", "site", ""),
    "DeclaredHost": ("", "host", ""),
    "Domain": ("", "domain", ""),
    "Health": ("api", "health", ""),
}


def ref(name: str) -> Schema:
    """A reference to a component."""
    return {"$ref": COMPONENT + name}


def page_of(name: str) -> Schema:
    """The schema of a page of a list."""
    return {
        "type": "object",
        "title": f"{name}Page",
        "properties": {
            "items": {"type": "array", "items": ref(name), "description": "In the list's order."},
            "next": {
                "type": ["string", "null"],
                "description": "`cursor` of the next page; null behind the last.",
            },
        },
        "required": ["items", "next"],
        "additionalProperties": False,
    }


@functools.cache
def components() -> Mapping[str, Schema]:
    """Every component, by name."""
    return dict(_components())


def _components() -> Iterator[tuple[str, Schema]]:
    for name, (folder, file, definition) in _NAMED.items():
        path = resources.path("schemas", folder, f"{file}.json")
        document = json.loads(path.read_text(encoding="utf-8"))
        inner = document.pop("$defs", {})
        for own in ("$schema", "$id"):
            document.pop(own, None)
        # A definition that is the component itself goes by the component's name.
        names = {key: name if key == definition else f"{name}.{key}" for key in inner}
        chosen = inner[definition] if definition else document
        yield name, _led(chosen, names)
        for key in sorted(_needed(chosen, inner) - {definition}):
            yield names[key], _led(inner[key], names)


def _needed(node: object, inner: Mapping[str, Any]) -> frozenset[str]:
    """Definitions that a schema leads to, over whatever others."""
    found: set[str] = set()
    left = [node]
    while left:
        for reference in _references(left.pop()):
            key = reference.removeprefix(_DEFINITION)
            if key not in found:
                found.add(key)
                left.append(inner[key])
    return frozenset(found)


def _references(node: object) -> Iterator[str]:
    if isinstance(node, dict):
        if isinstance(node.get("$ref"), str):
            yield node["$ref"]
        for value in node.values():
            yield from _references(value)
    elif isinstance(node, list):
        for value in node:
            yield from _references(value)


def _led(node: Any, names: Mapping[str, str]) -> Any:  # noqa: ANN401  (JSON)
    """A schema whose references lead to components."""
    if isinstance(node, list):
        return [_led(value, names) for value in node]
    if not isinstance(node, dict):
        return node
    led = {key: _led(value, names) for key, value in node.items()}
    if isinstance(node.get("$ref"), str):
        led["$ref"] = COMPONENT + names[node["$ref"].removeprefix(_DEFINITION)]
    return led
