"""The kernel's limits."""

from pathlib import Path

from otto.lab import kernel
from otto.lab.kernel import Inotify


def test_a_low_limit_is_raised(tmp_path: Path) -> None:
    file = tmp_path / "max_user_instances"
    file.write_text("128\n")
    assert kernel.ensure_inotify(file) == Inotify(1024, raised=True)
    assert file.read_text() == "1024\n"


def test_a_high_limit_stays(tmp_path: Path) -> None:
    file = tmp_path / "max_user_instances"
    file.write_text("8192\n")
    assert kernel.ensure_inotify(file) == Inotify(8192)


def test_looking_changes_nothing_and_warns(tmp_path: Path) -> None:
    file = tmp_path / "max_user_instances"
    file.write_text("128\n")
    found = kernel.inotify(file)
    assert "sysctl -w fs.inotify.max_user_instances=1024" in found.warning
    assert file.read_text() == "128\n"


def test_another_kind_of_machine(tmp_path: Path) -> None:
    assert kernel.ensure_inotify(tmp_path / "none").instances == 0
