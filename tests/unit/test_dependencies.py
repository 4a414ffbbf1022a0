"""What is imported is declared, and what is declared has its reason in docs/decisions."""

import ast
import re
import sys
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
# What an adapter takes into its hand of what its library brings: the library's line speaks for them.
BROUGHT = {
    "boto3": "octodns-route53",
    "botocore": "octodns-route53",
    "multidict": "aiohttp",
    "requests": "octodns-digitalocean",
    "yarl": "aiohttp",
}


def named(requirements: list[str]) -> list[str]:
    return [re.split(r"[\[<>=!~ ;]", text)[0].lower() for text in requirements]


def imported() -> set[str]:
    found = set()
    for path in (ROOT / "controller" / "otto").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                found |= {alias.name.split(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                found.add(node.module.split(".")[0])
    return found - sys.stdlib_module_names - {"otto"}


def test_what_is_imported_is_declared() -> None:
    known, declared = packages_distributions(), set(named(PROJECT["dependencies"]))
    for module in sorted(imported()):
        names = {name.lower().replace("_", "-") for name in known.get(module, [])}
        names |= {BROUGHT[module]} if module in BROUGHT else set()
        assert names & declared, f"{module} comes with {names or 'nobody'}, and is not declared"


@pytest.mark.parametrize("name", named([*PROJECT["dependencies"], *PROJECT["optional-dependencies"]["dev"]]))
def test_every_dependency_has_its_reason(name: str) -> None:
    table = (ROOT / "docs" / "decisions" / "0012-dependencies.md").read_text(encoding="utf-8")
    rows = [line.split("|")[1].lower() for line in table.splitlines() if line.startswith("| ")]
    assert any(re.search(rf"(?<![\w-]){re.escape(name)}(?![\w-])", row) for row in rows)
