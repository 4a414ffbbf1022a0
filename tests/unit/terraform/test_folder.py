"""A site's working folder on disk."""

import stat
from datetime import UTC, datetime
from pathlib import Path

import pytest

from otto.adapters.terraform import tree
from otto.adapters.terraform.folder import Folder, new_token, write
from otto.model.errors import TerminalError

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    made = Folder.of(tmp_path / "sites", "blog")
    made.create()
    return made


def test_it_is_private(folder: Folder) -> None:
    write(folder.variables, "{}")
    log = folder.log(NOW, "plan", new_token())
    assert mode(folder.path) == mode(folder.logs) == 0o700
    assert mode(folder.variables) == mode(log) == 0o600
    folder.path.chmod(0o755)
    folder.create()
    assert mode(folder.path) == 0o700


def test_a_write_is_whole_or_not_at_all(folder: Folder) -> None:
    write(folder.main, "old")
    with pytest.raises(UnicodeEncodeError):
        write(folder.main, "new \ud800")
    assert folder.main.read_text() == "old"
    assert {path.name for path in folder.path.iterdir()} == {"main.tf.json", "logs"}


@pytest.mark.parametrize("name", ["", ".", "..", "a/b", "-a", "a-", "A", "a_b", "a" * 64, "a\n", "ä"])
def test_only_names_of_sites_are_folders(tmp_path: Path, name: str) -> None:
    with pytest.raises(TerminalError):
        Folder.of(tmp_path, name)


@pytest.mark.parametrize("token", ["", "../../etc/passwd", "0" * 15, "0" * 17, "G" * 16])
def test_only_our_tokens_are_plans(folder: Folder, token: str) -> None:
    with pytest.raises(TerminalError):
        folder.plan(token)


def test_plans_are_forgotten_together(folder: Folder) -> None:
    token = new_token()
    for path in (folder.plan(token), folder.note(token), folder.shown(token), folder.imports, folder.main):
        write(path, "")
    folder.drop_plans()
    assert folder.main.exists()
    assert not list(folder.path.glob("plan-*"))
    assert not folder.imports.exists()


def test_logs_go_oldest_first(folder: Folder) -> None:
    logs = [folder.log(NOW.replace(second=second), "plan", new_token()) for second in range(5)]
    folder.keep_logs(2)
    assert sorted(folder.logs.iterdir()) == logs[3:]


def test_removal_leaves_nothing_and_touches_no_other_site(tmp_path: Path, folder: Folder) -> None:
    other = Folder.of(tmp_path / "sites", "blog-two")
    other.create()
    cut_off = folder.path.with_name(".removed-blog-0123456789abcdef")
    another = folder.path.with_name(".removed-blog-two-0123456789abcdef")
    cut_off.mkdir()
    another.mkdir()
    folder.remove()
    assert not folder.exists()
    assert not cut_off.exists()
    assert other.exists()
    assert another.exists()


def test_a_tree_is_named_by_names_and_bytes(tmp_path: Path) -> None:
    (tmp_path / "main.tf").write_text("a")
    first, seen = tree.digest_of(tmp_path), tree.signature(tmp_path)
    for ignored in ("tests", ".terraform", "__pycache__"):
        (tmp_path / ignored).mkdir()
        (tmp_path / ignored / "file.tf").write_text("x")
    for name in ("README.md", ".hidden", "site.tftest.hcl"):
        (tmp_path / name).write_text("x")
    assert tree.digest_of(tmp_path) == first
    assert tree.signature(tmp_path) == seen
    (tmp_path / "main.tf").rename(tmp_path / "other.tf")
    assert tree.digest_of(tmp_path) != first
    assert tree.signature(tmp_path) != seen
