"""Reference of the HTTP API, from its own description."""

from collections.abc import Iterator, Mapping
from typing import Any

from generator.page import code, joined, table
from otto.api.app import described
from otto.api.problems import Kind

Operation = Mapping[str, Any]

_INTRO = """\
# The HTTP API

The controller describes its API itself: `/openapi.json` (OpenAPI 3.1) for programs, `/docs` as a page that
loads nothing from elsewhere. This page is made from the same description. How to use it is told in
[Use the HTTP API](../how-to/api.md); who may, in [Tokens](../how-to/tokens.md)."""
_DESK = "desk"


def render() -> str:
    """The page."""
    found = described("")
    about = {tag["name"]: tag.get("description", "") for tag in found["tags"]}
    by_tag: dict[str, list[tuple[str, str, Operation]]] = {}
    for path, methods in found["paths"].items():
        for method, operation in methods.items():
            tag = operation.get("tags", ["other"])[0]
            by_tag.setdefault(tag, []).append((method.upper(), path, operation))
    names = [*(name for name in about if name in by_tag), *(name for name in by_tag if name not in about)]
    sections = [_section(name, about.get(name, ""), by_tag[name]) for name in names]
    return joined([_INTRO, found["info"]["description"], *sections, _problems()])


def _section(name: str, about: str, operations: list[tuple[str, str, Operation]]) -> str:
    rows = (
        (code(f"{method} {path}"), operation.get("summary", ""), ", ".join(map(code, _scopes(operation))))
        for method, path, operation in operations
    )
    listed = table(("request", "", "scope"), rows)
    more = [] if name == _DESK else [_operation(*item) for item in operations]
    return joined([f"## {name.capitalize()}", about, listed, *more])


def _operation(method: str, path: str, operation: Operation) -> str:
    parameters = [
        (code(item["name"]), item["in"], _kind(item.get("schema", {})), item.get("description", ""))
        for item in operation.get("parameters", ())
    ]
    rows = [
        (code(status), told.get("description", ""), _content(told)) for status, told in _answers(operation)
    ]
    body = _content(operation.get("requestBody", {}))
    return joined(
        [
            f"### {code(f'{method} {path}')}",
            operation.get("description", ""),
            table(("parameter", "in", "type", ""), parameters) if parameters else "",
            f"Body: {body}." if body else "",
            table(("status", "", "body"), rows),
        ]
    )


def _answers(operation: Operation) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Those that are this route's own: what any request may be told is listed once, with the problems."""
    common = {str(kind.status) for kind in _COMMON}
    for status, told in sorted(operation.get("responses", {}).items()):
        if status not in common:
            yield status, told


_COMMON = (
    Kind.MALFORMED,
    Kind.UNAUTHENTICATED,
    Kind.FORBIDDEN,
    Kind.METHOD_NOT_ALLOWED,
    Kind.TOO_LARGE,
    Kind.INVALID,
    Kind.TOO_MANY,
    Kind.INTERNAL,
    Kind.UNAVAILABLE,
)


def _problems() -> str:
    about = (
        "What is wrong is told as `application/problem+json` (RFC 9457). `type` leads to the same words on "
        "the controller itself. `detail` says what went wrong this time, `mend` what to do about it, and "
        "`errors` where what was sent does not fit; `instance` and `request_id` name the request, as "
        "the log does."
    )
    rows = ((code(kind.uri), str(kind.status), kind.meaning, kind.mend) for kind in Kind)
    return joined(["## Problems", about, table(("type", "status", "means", "what to do"), rows)])


def _scopes(operation: Operation) -> list[str]:
    return [scope for item in operation.get("security", ()) for scopes in item.values() for scope in scopes]


def _content(node: Mapping[str, Any]) -> str:
    return ", ".join(
        f"{code(media_type)} {_kind(content.get('schema', {}))}".strip()
        for media_type, content in node.get("content", {}).items()
    )


def _kind(schema: Mapping[str, Any]) -> str:
    if "$ref" in schema:
        return code(str(schema["$ref"]).rpartition("/")[2])
    choices = schema.get("anyOf") or schema.get("oneOf")
    if choices:
        return " or ".join(dict.fromkeys(filter(None, map(_kind, choices))))
    if "enum" in schema:
        return ", ".join(code(value) for value in schema["enum"])
    if schema.get("type") == "array":
        return f"list of {_kind(schema.get('items', {}))}"
    inner = schema.get("properties", {}).get("items", {}).get("items")
    if inner:
        return f"page of {_kind(inner)}"
    kind = schema.get("type", "")
    return " or ".join(kind) if isinstance(kind, list) else str(kind)
