"""The programs that run on hosts, loaded as modules."""

import importlib.util
import sys
from importlib.machinery import SourceFileLoader
from pathlib import Path
from typing import Any

import pytest

from otto import resources

ANSIBLE = resources.path("infra", "ansible")


def load(name: str, path: Path) -> Any:
    loader = SourceFileLoader(name, str(path))
    spec = importlib.util.spec_from_loader(name, loader)
    assert spec is not None
    module = importlib.util.module_from_spec(spec)
    writes, sys.dont_write_bytecode = sys.dont_write_bytecode, True
    try:
        loader.exec_module(module)
    finally:
        sys.dont_write_bytecode = writes
    return module


@pytest.fixture(scope="session")
def release() -> Any:
    return load("otto_release", ANSIBLE / "plugins/modules/otto_release.py")


@pytest.fixture(scope="session")
def action() -> Any:
    return load("otto_release_action", ANSIBLE / "plugins/action/otto_release.py")


@pytest.fixture
def state() -> Any:
    return load("otto_state", ANSIBLE / "plugins/modules/otto_state.py")


@pytest.fixture(scope="session")
def servers() -> Any:
    return load("otto_servers", ANSIBLE / "plugins/modules/otto_servers.py")


@pytest.fixture
def fact(tmp_path: Path) -> Any:
    """The fact script, looking at folders of the test instead of the system's."""
    module = load("otto_fact", ANSIBLE / "roles/base/files/otto.fact")
    module.MANAGED = str(tmp_path / "managed.json")
    module.CONFIGURATION = str(tmp_path / "configuration.json")
    module.CURRENT = str(tmp_path / "srv" / "current")
    module.CACHE = str(tmp_path / "run")
    module.STATISTICS = str(tmp_path / "admin.sock")
    return module
