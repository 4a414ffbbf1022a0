"""Reference of log events, from the source: every call of a module's `log`."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import otto
from generator.page import code, joined, table

_LEVELS = {"debug", "info", "warning", "error", "exception", "critical"}
_INTRO = """\
# Log events

The controller logs to standard error (settings `log.format`, `log.level`) and, as JSON lines, to
`OTTO_HOME/logs/otto.jsonl`, which is turned over at 10 MiB and kept five times. An event has one name,
whatever happens in it stands in fields. `site`, `run`, `commit`, `digest` and `step` stand beside every
event that happens inside one; a zone's name stands as `site`, too. What a request of the API caused has its
`request` and `caller`. Values that look like secrets, and secrets OttO knows, are masked, in
tracebacks too: the token of `source.token`, passwords in addresses, and what stands in environment variables
that are named like secrets.

Each line holds `timestamp` (ISO 8601, UTC), `level`, `event`, `logger` and the fields of the table.
Libraries that log by themselves (from `warning` on) come in the same form, under their own logger's name."""


@dataclass(frozen=True, slots=True, order=True)
class _Event:
    name: str
    level: str
    logger: str
    fields: tuple[str, ...]


def render() -> str:
    """The page."""
    root = Path(otto.__file__).parent
    found = sorted({event for path in sorted(root.rglob("*.py")) for event in _events(path)})
    rows = [(code(e.name), e.level, code(e.logger), ", ".join(map(code, e.fields))) for e in found]
    return joined([_INTRO, table(("event", "level", "logger", "fields"), rows)])


def _events(path: Path) -> Iterator[_Event]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    logger = _logger(tree) or _module(path)
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and _is_log(node.func):
            name = node.args[0] if node.args else None
            if isinstance(name, ast.Constant) and isinstance(name.value, str):
                words = {word.arg for word in node.keywords if word.arg}
                level = _level(node.func, traced="exc_info" in words or _is_exception(node.func))
                yield _Event(name.value, level, logger, tuple(sorted(words - {"exc_info"})))


def _module(path: Path) -> str:
    """The module's name, which loggers without a name of their own carry."""
    return ".".join(path.relative_to(Path(otto.__file__).parent.parent).with_suffix("").parts)


def _is_log(function: ast.expr) -> bool:
    if not isinstance(function, ast.Attribute) or function.attr not in _LEVELS:
        return False
    owner = function.value
    return isinstance(owner, ast.Name) and owner.id in ("log", "_log", "logger")


def _level(function: ast.expr, *, traced: bool) -> str:
    level = function.attr if isinstance(function, ast.Attribute) else ""
    level = "error" if level == "exception" else level
    return f"{level}, with its traceback" if traced else level


def _is_exception(function: ast.expr) -> bool:
    return isinstance(function, ast.Attribute) and function.attr == "exception"


def _logger(tree: ast.Module) -> str:
    """The name given to `structlog.get_logger`."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            named = node.args[0] if node.args else None
            if node.func.attr == "get_logger" and isinstance(named, ast.Constant):
                return str(named.value)
    return ""
