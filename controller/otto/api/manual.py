"""The API's description as a page: text, made from the description itself, with nothing from elsewhere."""

import html
import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from otto.api.problems import PATH, Kind

Description = Mapping[str, Any]

STYLE = """\
:root { color-scheme: light dark; --line: #8884; --soft: #8881; --mark: #2563c9; }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 62rem; margin: 0 auto; padding: 1rem 1.5rem 4rem; }
h1, h2, h3 { line-height: 1.2; }
h2 { margin-top: 3rem; border-bottom: 1px solid var(--line); }
code, pre { font: 14px/1.45 ui-monospace, monospace; }
pre { overflow-x: auto; background: var(--soft); padding: .7rem; }
details { border: 1px solid var(--line); border-radius: .4rem; margin: .5rem 0; padding: .4rem .8rem; }
summary { cursor: pointer; }
.method { display: inline-block; min-width: 4.5rem; font-weight: 700; color: var(--mark); }
table { border-collapse: collapse; width: 100%; }
td, th { text-align: left; vertical-align: top; padding: .3rem .6rem; border-bottom: 1px solid var(--line); }
nav a { margin-right: 1rem; }
a { color: var(--mark); }
"""


def page(description: Description) -> str:
    """The whole of it."""
    info = description["info"]
    by_tag: dict[str, list[str]] = {}
    for path, methods in description["paths"].items():
        for method, operation in methods.items():
            tag = next(iter(operation.get("tags", ())), "other")
            by_tag.setdefault(tag, []).append(_operation(method, path, operation))
    about = {tag["name"]: tag.get("description", "") for tag in description.get("tags", ())}
    names = [*(name for name in about if name in by_tag), *(name for name in by_tag if name not in about)]
    parts = [
        f"<h1>{_text(info['title'])} <small>{_text(info['version'])}</small></h1>",
        _prose(info.get("description", "")),
        f'<p><a href="/openapi.json">For programs</a>. <a href="{PATH}">Kinds of problems</a>.</p>',
        "<nav>" + "".join(f'<a href="#{_text(name)}">{_text(name)}</a>' for name in names) + "</nav>",
    ]
    for name in names:
        parts += [
            f'<h2 id="{_text(name)}">{_text(name)}</h2>',
            f"<p>{_marked(about.get(name, ''))}</p>",
            *by_tag[name],
        ]
    parts += ['<h2 id="schemas">schemas</h2>', *_schemas(description)]
    return _whole(info["title"], parts)


def problems(kinds: Iterable[Kind]) -> str:
    """A page on kinds of problems."""
    parts = ["<h1>Problems</h1>"]
    for kind in kinds:
        parts += [
            f'<h2 id="{kind.slug}">{_text(kind.title)}</h2>',
            f"<p><code>{_text(kind.uri)}</code>, status {kind.status}</p>",
            f"<p>{_marked(kind.meaning)}</p><p>{_marked(kind.mend)}</p>",
        ]
    parts.append(f'<p><a href="{PATH}">All kinds</a>, <a href="/docs">the API</a></p>')
    return _whole("Problems", parts)


def _operation(method: str, path: str, operation: Mapping[str, Any]) -> str:
    summary = f"{_text(operation.get('summary', ''))}"
    head = f'<span class="method">{_text(method.upper())}</span> <code>{_text(path)}</code> {summary}'
    about = f"<p>{_marked(operation.get('description', ''))}{_scope(operation)}</p>"
    body = [about, _parameters(operation), _body(operation)]
    rows = "".join(
        f"<tr><td><code>{_text(status)}</code></td><td>{_text(told.get('description', ''))}</td>"
        f"<td>{', '.join(_content(told))}</td></tr>"
        for status, told in sorted(operation.get("responses", {}).items())
    )
    answers = f"<h4>Answers</h4><table>{rows}</table>"
    name = _text(operation.get("operationId", ""))
    return f'<details id="{name}"><summary>{head}</summary>{"".join(body)}{answers}</details>'


def _scope(operation: Mapping[str, Any]) -> str:
    demanded = [
        scope for item in operation.get("security", ()) for scopes in item.values() for scope in scopes
    ]
    return "".join(f" Needs scope <code>{_text(scope)}</code>." for scope in demanded)


def _parameters(operation: Mapping[str, Any]) -> str:
    rows = "".join(
        f"<tr><td><code>{_text(item['name'])}</code></td><td>{_text(item['in'])}</td>"
        f"<td>{_kind(item.get('schema', {}))}</td><td>{_marked(item.get('description', ''))}</td></tr>"
        for item in operation.get("parameters", ())
    )
    return f"<h4>Parameters</h4><table>{rows}</table>" if rows else ""


def _body(operation: Mapping[str, Any]) -> str:
    content = operation.get("requestBody", {})
    return f"<h4>Body</h4><p>{', '.join(_content(content))}</p>" if content else ""


def _content(node: Mapping[str, Any]) -> Iterator[str]:
    for media_type, content in node.get("content", {}).items():
        yield f"<code>{_text(media_type)}</code> {_kind(content.get('schema', {}))}".rstrip()


def _kind(schema: Mapping[str, Any]) -> str:
    if "$ref" in schema:
        name = str(schema["$ref"]).rpartition("/")[2]
        return f'<a href="#schema-{_text(name)}">{_text(name)}</a>'
    choices = schema.get("anyOf") or schema.get("oneOf")
    if choices:
        return " or ".join(dict.fromkeys(_kind(choice) for choice in choices))
    if "enum" in schema:
        return ", ".join(f"<code>{_text(value)}</code>" for value in schema["enum"])
    if schema.get("type") == "array":
        return f"list of {_kind(schema.get('items', {}))}"
    if "title" in schema and "properties" in schema:
        inner = schema["properties"].get("items", {}).get("items", {})
        return f"page of {_kind(inner)}" if inner else _text(schema["title"])
    kind = schema.get("type", "")
    return _text(" or ".join(kind) if isinstance(kind, list) else kind)


def _schemas(description: Description) -> Iterator[str]:
    for name, schema in sorted(description.get("components", {}).get("schemas", {}).items()):
        text = json.dumps(schema, indent=2, ensure_ascii=False)
        about = _text(schema.get("description", ""))
        yield (
            f'<details id="schema-{_text(name)}"><summary><code>{_text(name)}</code> {about}</summary>'
            f"<pre>{_text(text)}</pre></details>"
        )


def _prose(text: str) -> str:
    """Paragraphs and lists, as the description uses them."""
    parts: list[str] = []
    for block in text.strip().split("\n\n"):
        if block.startswith("* "):
            items = block[2:].split("\n* ")
            parts.append("<ul>" + "".join(f"<li>{_marked(item)}</li>" for item in items) + "</ul>")
        else:
            parts.append(f"<p>{_marked(block)}</p>")
    return "".join(parts)


def _marked(text: object) -> str:
    """Text with `code` and **strong** words."""
    found = _text(text)
    for mark, tag in (("`", "code"), ("**", "strong")):
        pieces = found.split(mark)
        if len(pieces) % 2:
            wrapped = (f"<{tag}>{item}</{tag}>" if number % 2 else item for number, item in enumerate(pieces))
            found = "".join(wrapped)
    return found


def _text(value: object) -> str:
    return html.escape(str(value))


def _whole(title: str, parts: Iterable[str]) -> str:
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{_text(title)}</title>'
        '<meta name="viewport" content="width=device-width"><link rel="stylesheet" href="/docs/style.css">'
        f"</head><body>{''.join(parts)}</body></html>"
    )
