"""The lock files hold every dependency, exactly, with hashes, and name no place to get them from."""

import re
import tomllib

import pytest
from packaging.markers import Marker
from packaging.requirements import Requirement

from otto import resources

ROOT = resources.root()
LOCKS = ("requirements.lock", "requirements-dev.lock", "infra/setup/bootstrap.lock")


def locked(name: str) -> dict[str, str]:
    text = (ROOT / name).read_text(encoding="utf-8")
    return dict(re.findall(r"^([a-z0-9][a-z0-9.-]*)==([^\s;\\]+)", text, re.MULTILINE))


def canonical(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def asked(*, dev: bool) -> list[Requirement]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    lines = project["dependencies"] + (project["optional-dependencies"]["dev"] if dev else [])
    return [Requirement(line) for line in lines]


@pytest.mark.parametrize(("lock", "dev"), [("requirements.lock", False), ("requirements-dev.lock", True)])
def test_every_dependency_is_locked_to_a_version_that_it_allows(lock: str, *, dev: bool) -> None:
    versions = locked(lock)
    wrong = [
        str(item)
        for item in asked(dev=dev)
        if canonical(item.name) not in versions or not item.specifier.contains(versions[canonical(item.name)])
    ]
    assert wrong == []


@pytest.mark.parametrize("lock", LOCKS)
def test_every_version_has_hashes_and_no_line_names_a_place(lock: str) -> None:
    text = (ROOT / lock).read_text(encoding="utf-8")
    entries = re.split(r"^(?=[a-z0-9])", text, flags=re.MULTILINE)[1:]
    assert entries
    assert [entry for entry in entries if "--hash=sha256:" not in entry] == []
    assert not re.search(r"://|--index|--find-links|--trusted|@ ", text)


def test_markers_can_be_read() -> None:
    text = (ROOT / "requirements-dev.lock").read_text(encoding="utf-8")
    for marker in re.findall(r"^[a-z0-9][^;\n]*; ([^\\\n]+)", text, re.MULTILINE):
        Marker(marker.strip())


def test_shared_dependencies_have_one_version_everywhere() -> None:
    everything = locked("requirements-dev.lock")
    for lock in LOCKS:
        differing = {
            name: (version, everything[name])
            for name, version in locked(lock).items()
            if everything.get(name, version) != version
        }
        assert differing == {}
