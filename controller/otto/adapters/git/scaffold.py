"""A new spec repository for a person to begin with."""

import shutil
from pathlib import Path

import pygit2

from otto import resources
from otto.adapters.git.seed import OPERATORS
from otto.model.errors import UsageError

_README = """\
# Sites run by OttO

- `specs/`: one file per site, `kind: Site`. Editors that know yaml-language-server check them as you type.
- `sites/`: the files the sites serve; a spec names its folder as `spec.content.path`.

Check before you push:

    otto validate .

Push to the controller's repository and read on the terminal what it made of it:

    git remote add otto PATH-OR-SSH-ADDRESS-OF/specs.git
    git push otto main
"""

_PRE_COMMIT = """\
# https://pre-commit.com: `pre-commit install` checks specs before every commit.
repos:
  - repo: local
    hooks:
      - id: otto-validate
        name: otto validate
        entry: otto validate
        language: system
        files: ^specs/.*\\.ya?ml$
"""


def scaffold(path: Path) -> tuple[Path, ...]:
    """Write a new spec repository: example specs and sites, schemas for editors, README, pre-commit.

    Args:
        path: folder to fill; made when it is missing, left alone when it holds anything but `.git`.

    Returns:
        What was written, in order of path.

    Raises:
        UsageError: the folder is in use.
    """
    used = [child.name for child in path.iterdir() if child.name != ".git"] if path.is_dir() else []
    if used or (path.exists() and not path.is_dir()):
        raise UsageError(f"{path} is not an empty folder", mend="name a new one")
    path.mkdir(parents=True, exist_ok=True)
    ignored = shutil.ignore_patterns("__pycache__", ".git")
    for name in ("specs", "sites"):
        shutil.copytree(resources.path(name), path / name, ignore=ignored, dirs_exist_ok=True)
    (path / "schemas").mkdir(exist_ok=True)
    for schema in resources.path("schemas").glob("*.json"):
        if schema.name not in OPERATORS:
            shutil.copyfile(schema, path / "schemas" / schema.name)
    (path / "README.md").write_text(_README, encoding="utf-8")
    (path / ".pre-commit-config.yaml").write_text(_PRE_COMMIT, encoding="utf-8")
    if not (path / ".git").exists():
        pygit2.init_repository(str(path), initial_head="main")
    return tuple(sorted(file for file in path.rglob("*") if file.is_file() and ".git" not in file.parts))
