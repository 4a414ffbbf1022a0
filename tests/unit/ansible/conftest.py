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
def rotation(tmp_path: Path) -> Any:
    """The program that takes servers out of rotation, with its notes in a folder of the test."""
    module = load("otto_rotation", ANSIBLE / "questions/rotation.py")
    module.ORDERS = tmp_path / "orders"
    return module


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


@pytest.fixture
def culprits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The program that looks for culprits, looking at folders of the test instead of the system's."""
    module = load("otto_culprits", ANSIBLE / "questions/culprits.py")
    module.PROC, module.PASSWD = tmp_path / "proc", tmp_path / "passwd"
    module.MANAGED = tmp_path / "managed.json"
    module.UNITS = [tmp_path / "etc/system", tmp_path / "lib/system"]
    module.CRON = [tmp_path / "crontab", tmp_path / "cron.d"]
    module.PASSWD.write_text("root:x:0:0::/:/bin/sh\nanna:x:1001:1001::/:/bin/sh\n")
    for folder in ("proc", "etc/system", "lib/system", "cron.d"):
        (tmp_path / folder).mkdir(parents=True)
    module.PROC.joinpath("stat").write_text("cpu 1 2\nbtime 1000000000\n")
    monkeypatch.setattr(module, "output", lambda _command: "")
    return module
