"""Log events have names that the reference can list: constant, of one form, from a logger of ours."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import otto

ROOT = Path(otto.__file__).parent
LEVELS = {"debug", "info", "warning", "error", "exception", "critical"}
PAGE = Path(__file__).resolve().parents[3] / "docs" / "reference" / "log-events.md"
MODULES = sorted(path for path in ROOT.rglob("*.py") if "get_logger" in path.read_text(encoding="utf-8"))


def calls(path: Path) -> Iterator[ast.Call]:
    """Every call of a method named like a level, on a name or on anything that looks like a logger.

    `exception()` alone is what a future and `sys` are asked.
    """
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
            continue
        if node.func.attr in LEVELS and (node.func.attr != "exception" or node.args or node.keywords):
            yield node


def test_there_are_modules_that_log() -> None:
    assert len(MODULES) > 10


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_event_of_a_module_is_named_and_listed(path: Path) -> None:
    listed = PAGE.read_text(encoding="utf-8")
    for call in calls(path):
        assert isinstance(call.func, ast.Attribute)
        where = f"{path.name}:{call.lineno}"
        assert isinstance(call.func.value, ast.Name), f"{where}: log through the module's `log`"
        assert call.func.value.id == "log", f"{where}: log through the module's `log`"
        name = call.args[0] if call.args else None
        event = name.value if isinstance(name, ast.Constant) else None
        assert isinstance(event, str), f"{where}: an event's name is constant"
        assert re.fullmatch(r"[a-z]+(\.[a-z_]+)?", event), f"{where}: {event}"
        assert len(call.args) == 1, f"{where}: what happens goes into fields"
        assert f"| `{event}` |" in listed, f"{where}: run docs/generate.py"


def test_nobody_else_logs() -> None:
    spoken = re.compile(r"^\s*(log|logger|_log)\.(debug|info|warning|error|exception)\(", re.MULTILINE)
    others = set(ROOT.rglob("*.py")) - set(MODULES)
    assert [path for path in others if spoken.search(path.read_text(encoding="utf-8"))] == []
