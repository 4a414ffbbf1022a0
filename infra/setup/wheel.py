"""Hatchling's build hook: what the package needs at run time travels inside the wheel, under `otto/_data`.

A hook and not the `force-include` table, because that would also copy the folders into the virtual
environment of an editable install, where they would go stale beside the checkout's own.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

FOLDERS = ("schemas", "infra", "images", "specs", "sites")
LEFT_BY_TOOLS = frozenset({"__pycache__", ".ansible", ".terraform", ".terraform.lock.hcl"})


def data_files(root: Path) -> Iterator[Path]:
    """Files that belong into the wheel, relative to the repository's root."""
    for folder in FOLDERS:
        for path in sorted((root / folder).rglob("*")):
            relative = path.relative_to(root)
            if path.is_file() and LEFT_BY_TOOLS.isdisjoint(relative.parts) and ".tfstate" not in path.name:
                yield relative


class DataHook(BuildHookInterface[Any]):
    """Adds the data folders to real wheels only."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Called before a build; `version` is `standard` or `editable`."""
        if version != "editable":
            files = data_files(Path(self.root))
            build_data["force_include"].update({str(file): f"otto/_data/{file}" for file in files})
