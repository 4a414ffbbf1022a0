"""The fleet's policy in a file: read anew when it changes, the last good one kept."""

import errno
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from otto.adapters.policies import FilePolicies
from otto.adapters.specs import parse_fleet_policy
from otto.model.errors import UsageError
from otto.model.policy import FleetPolicy

HEAD = "apiVersion: otto/v1\nkind: FleetPolicy\nspec:\n"


def write(path: Path, text: str) -> None:
    """Put a new version in place, by rename as editors do."""
    new = path.with_suffix(".new")
    new.write_text(HEAD + text)
    new.chmod(0o600)
    new.replace(path)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "policy.yaml"


@pytest.fixture
def logs() -> Iterator[list[dict[str, object]]]:
    with capture_logs() as found:
        yield found  # type: ignore[misc]


def events(logs: list[dict[str, object]]) -> list[object]:
    return [entry["event"] for entry in logs]


def test_without_a_file_the_default_policy_is_in_force(path: Path) -> None:
    policies = FilePolicies(path, parse_fleet_policy)
    assert policies.fleet() == FleetPolicy()
    assert policies.problem == ""


def test_a_changed_file_is_read_again(path: Path, logs: list[dict[str, object]]) -> None:
    policies = FilePolicies(path, parse_fleet_policy)
    write(path, "  ttlWarnings: [5m]\n")
    assert policies.fleet().ttl_warnings == (300.0,)
    write(path, "  ttlWarnings: [6m]\n")
    assert policies.fleet().ttl_warnings == (360.0,)
    assert events(logs) == ["policy.changed", "policy.changed"]


def test_an_unchanged_file_is_not_read_again(path: Path) -> None:
    write(path, "  ttlWarnings: [5m]\n")
    asked = []

    def parse(name: str, data: bytes) -> tuple[FleetPolicy | None, tuple[()]]:
        asked.append(name)
        return FleetPolicy(), ()

    policies = FilePolicies(path, parse)
    policies.fleet()
    policies.fleet()
    assert asked == [str(path)]


def test_a_bad_version_is_told_once_and_the_last_good_one_stays(
    path: Path, logs: list[dict[str, object]]
) -> None:
    write(path, "  ttlWarnings: [5m]\n")
    policies = FilePolicies(path, parse_fleet_policy)
    write(path, "  ttlWarnings: [six]\n")
    assert [policies.fleet().ttl_warnings for _ in range(3)] == [(300.0,)] * 3
    assert f"{path}:4:17" in policies.problem
    assert "/spec/ttlWarnings/0" in policies.problem
    assert events(logs).count("policy.bad") == 1
    write(path, "  ttlWarnings: [seven]\n")
    policies.fleet()
    assert events(logs).count("policy.bad") == 2
    write(path, "  ttlWarnings: [6m]\n")
    assert policies.fleet().ttl_warnings == (360.0,)
    assert policies.problem == ""


def test_a_file_that_vanishes_takes_no_limit_away(path: Path, logs: list[dict[str, object]]) -> None:
    write(path, "  ttlWarnings: [5m]\n")
    policies = FilePolicies(path, parse_fleet_policy)
    path.unlink()
    assert [policies.fleet().ttl_warnings for _ in range(2)] == [(300.0,)] * 2
    assert "is gone" in policies.problem
    assert events(logs).count("policy.bad") == 1


@pytest.mark.parametrize("what", ["open", "stat"])
@pytest.mark.parametrize("new", ["  ttlWarnings: [5m]\n", "  ttlWarnings: [6m]\n"])
def test_a_file_that_could_not_be_read_is_read_again(
    path: Path, logs: list[dict[str, object]], monkeypatch: pytest.MonkeyPatch, what: str, new: str
) -> None:
    def fails(*_: object, **__: object) -> None:
        raise OSError(errno.EMFILE, "Too many open files")

    write(path, "  ttlWarnings: [5m]\n")
    policies = FilePolicies(path, parse_fleet_policy)
    write(path, new)
    with monkeypatch.context() as broken:
        broken.setattr(Path, what, fails)
        assert [policies.fleet().ttl_warnings for _ in range(2)] == [(300.0,)] * 2
        assert policies.problem == f"{path} cannot be read: Too many open files"
    assert policies.fleet().ttl_warnings == ((360.0,) if "6m" in new else (300.0,))
    assert policies.problem == ""
    assert events(logs).count("policy.bad") == 1


def test_nothing_starts_with_a_bad_file(path: Path) -> None:
    write(path, "  limits: {count: 100}\n")
    with pytest.raises(UsageError) as raised:
        FilePolicies(path, parse_fleet_policy)
    assert f"{path}:4" in str(raised.value)
    assert "reason" in str(raised.value)
    assert "otto validate" in raised.value.mend


def test_a_folder_in_its_place_is_a_bad_file(path: Path) -> None:
    path.mkdir()
    with pytest.raises(UsageError, match="cannot be read"):
        FilePolicies(path, parse_fleet_policy)


def test_a_file_that_others_may_write_is_warned_of(path: Path, logs: list[dict[str, object]]) -> None:
    write(path, "  ttlWarnings: [5m]\n")
    policies = FilePolicies(path, parse_fleet_policy)
    assert "policy.writable" not in events(logs)
    os.chmod(path, 0o662)  # noqa: PTH101, S103  (that is what is warned of)
    policies.fleet()
    policies.fleet()
    assert events(logs).count("policy.writable") == 1
