"""Making repositories: the embedded one, and one for a person to begin with."""

import stat
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from otto.adapters.git import open_source, scaffold, seed
from otto.adapters.specs.check import validate_paths
from otto.model.errors import TerminalError, UsageError

from .gitting import Work, git

NOW = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture
def folders(tmp_path: Path) -> tuple[Path, Path]:
    for name, text in {
        "specs/hello.yaml": "a",
        "sites/hello/index.html": "b",
        "sites/hello/deep/x.css": "c",
        "sites/__pycache__/x.pyc": "d",
        "sites/empty/.git/HEAD": "e",
    }.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    (tmp_path / "sites/link").symlink_to("/etc/passwd")
    (tmp_path / "sites/hello/run").write_text("#!/bin/sh\n")
    (tmp_path / "sites/hello/run").chmod(0o755)
    return tmp_path / "specs", tmp_path / "sites"


async def test_the_first_commit_is_the_folders(tmp_path: Path, folders: tuple[Path, Path]) -> None:
    path = seed(tmp_path / "home", *folders, now=NOW)
    listed = git(path, "ls-tree", "-r", "--format=%(objectmode) %(path)", "main").splitlines()
    assert listed == [
        "100644 sites/hello/deep/x.css",
        "100644 sites/hello/index.html",
        "100755 sites/hello/run",
        "100644 specs/hello.yaml",
    ]
    assert git(path, "log", "--format=%an <%ae> %at %s", "main").strip() == (
        "OttO <otto@localhost> 1767225600 Specs and sites to begin with"
    )
    assert git(path, "symbolic-ref", "HEAD").strip() == "refs/heads/main"
    assert git(path, "fsck", "--strict") == ""
    commit = await open_source(tmp_path / "home").fetch()
    assert commit == git(path, "rev-parse", "main").strip()


def test_schemas_for_editors_alone_are_taken_along(tmp_path: Path, folders: tuple[Path, Path]) -> None:
    schemas = tmp_path / "schemas"
    (schemas / "output").mkdir(parents=True)
    for name in ("site.json", "prices.json", "README.md", "output/plan.json"):
        (schemas / name).write_text("{}")
    path = seed(tmp_path / "home", *folders, schemas=schemas)
    assert git(path, "ls-tree", "-r", "--name-only", "main", "schemas").split() == ["schemas/site.json"]


def test_the_same_folders_make_the_same_commit(tmp_path: Path, folders: tuple[Path, Path]) -> None:
    commits = {
        git(seed(tmp_path / name, *folders, now=NOW), "rev-parse", "main").strip() for name in ("one", "two")
    }
    assert len(commits) == 1


def test_it_can_be_cloned_and_pushed_back(tmp_path: Path, folders: tuple[Path, Path]) -> None:
    path = seed(tmp_path / "home", *folders)
    git(tmp_path, "clone", "-q", str(path), "clone")
    clone = Work(tmp_path / "clone")
    clone.commit({"specs/hello.yaml": "changed"})
    assert "OttO is not running: the push is stored" in clone.push("origin")


def test_a_repository_that_is_there_is_kept(tmp_path: Path, folders: tuple[Path, Path]) -> None:
    path = seed(tmp_path / "home", tmp_path / "none", tmp_path / "none")
    seed(tmp_path / "home", *folders)
    assert git(path, "for-each-ref") == ""


def test_a_killed_seed_leaves_no_half_repository(
    tmp_path: Path, folders: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed(self: Path, target: Path) -> Path:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Path, "rename", killed)
        with pytest.raises(KeyboardInterrupt):
            seed(tmp_path / "home", *folders)
    assert list((tmp_path / "home").iterdir()) == []
    assert git(seed(tmp_path / "home", *folders), "rev-parse", "main")


def test_something_else_in_its_place(tmp_path: Path, folders: tuple[Path, Path]) -> None:
    (tmp_path / "home").mkdir()
    (tmp_path / "home/specs.git").write_text("mine")
    with pytest.raises(TerminalError, match="no git repository"):
        seed(tmp_path / "home", *folders)
    assert (tmp_path / "home/specs.git").read_text() == "mine"


def test_hooks_are_brought_up_to_date(tmp_path: Path, folders: tuple[Path, Path]) -> None:
    hooks = seed(tmp_path / "home", *folders) / "hooks"
    post, pre = hooks / "post-receive", hooks / "pre-receive"
    assert stat.S_IMODE(post.stat().st_mode) == 0o755
    assert sys.executable in post.read_text()
    assert not pre.exists()
    post.write_text(post.read_text() + "# an older version\n")
    seed(tmp_path / "home", *folders, reject_invalid=True)
    assert "older" not in post.read_text()
    assert pre.exists()
    seed(tmp_path / "home", *folders)
    assert not pre.exists()


def test_somebody_elses_hook_is_set_aside(tmp_path: Path, folders: tuple[Path, Path]) -> None:
    hooks = seed(tmp_path / "home", *folders) / "hooks"
    for name in ("post-receive", "pre-receive"):
        (hooks / name).write_text("#!/bin/sh\necho mine\n")
    seed(tmp_path / "home", *folders)
    assert (hooks / "post-receive.before-otto").read_text().endswith("mine\n")
    assert (hooks / "pre-receive.before-otto").exists()
    assert not (hooks / "pre-receive").exists()


def test_scaffold_is_a_valid_repository(tmp_path: Path) -> None:
    written = scaffold(tmp_path / "new")
    names = {str(path.relative_to(tmp_path / "new")) for path in written}
    assert {"README.md", ".pre-commit-config.yaml", "schemas/site.json", "specs/hello.yaml"} <= names
    assert any(name.startswith("sites/") for name in names)
    kinds = ("site", "domain", "host", "tombstone")  # a fleet's policy is no part of it
    schemas = {f"schemas/{kind}.json" for kind in kinds}
    assert {name for name in names if name.startswith("schemas/")} == schemas
    assert validate_paths([tmp_path / "new"], cwd=tmp_path).problems == ()
    assert git(tmp_path / "new", "symbolic-ref", "HEAD").strip() == "refs/heads/main"


def test_scaffold_leaves_what_is_there_alone(tmp_path: Path) -> None:
    (tmp_path / "mine").write_text("x")
    for path in (tmp_path, tmp_path / "mine"):
        with pytest.raises(UsageError, match="not an empty folder"):
            scaffold(path)
    git(tmp_path, "init", "-q", "fresh")
    assert scaffold(tmp_path / "fresh")
