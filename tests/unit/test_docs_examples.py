"""The workflow files of docs/examples: read as CI systems read them, calling what there is."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer
import yaml

from otto.cli.main import app

EXAMPLES = sorted((Path(__file__).resolve().parents[2] / "docs" / "examples").glob("*.yml"))
HOWTO = Path(__file__).resolve().parents[2] / "docs" / "how-to" / "validate-in-ci.md"


def scripts(value: Any) -> Iterator[str]:
    """Every line of shell in a workflow."""
    if isinstance(value, dict):
        for key, item in value.items():
            if key in ("run", "script", "before_script"):
                yield from item.splitlines() if isinstance(item, str) else item
            else:
                yield from scripts(item)
    elif isinstance(value, list):
        for item in value:
            yield from scripts(item)


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.name)
def test_commands_exist_with_their_options(path: Path) -> None:
    calls = [
        shlex.split(line) for line in scripts(yaml.safe_load(path.read_text())) if line.startswith("otto")
    ]
    assert calls
    group: Any = typer.main.get_command(app)
    for words in calls:
        assert words[:3] == ["otto", "ci", "validate"]
        command = group.commands["ci"].commands["validate"]
        # The parser knows options, their values and how many arguments there may be.
        command.make_context("validate", words[3:], resilient_parsing=False)


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.name)
def test_nothing_of_others_is_put_into_a_script(path: Path) -> None:
    for line in scripts(yaml.safe_load(path.read_text())):
        assert "${{" not in line, line
        assert re.search(r'(?<!")\$\{?[A-Z]', line.replace('"origin/$', '"$')) is None, line


def test_each_is_shown() -> None:
    assert len(EXAMPLES) == 2
    for path in EXAMPLES:
        assert f"../examples/{path.name}" in HOWTO.read_text()
