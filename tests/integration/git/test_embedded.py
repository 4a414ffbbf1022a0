"""The embedded repository, pushed to with real git."""

from pathlib import Path

import pygit2
import pytest

from otto.adapters.git import EmbeddedRepository, open_source, seed
from otto.model.catalogue import Entry
from otto.model.errors import TerminalError, TransientError
from otto.model.spec import Content
from otto.ports import Source

from .gitting import Work, git


async def test_nothing_before_the_first_push(embedded: EmbeddedRepository) -> None:
    port: Source = embedded
    assert await port.fetch() is None
    assert await port.fetch() is None


async def test_a_push_is_what_fetch_gives(embedded: EmbeddedRepository, work: Work, home: Path) -> None:
    work.push(home / "specs.git")
    first = await embedded.fetch()
    assert first == git(work.path, "rev-parse", "main").strip()
    second = work.commit({"sites/hello/index.html": "<p>again"})
    work.push(home / "specs.git")
    assert await embedded.fetch() == second
    assert embedded.changed(first, second) == {"sites/hello/index.html"}
    assert embedded.last() == second


async def test_entries_are_the_yaml_files_below_specs(
    embedded: EmbeddedRepository, work: Work, home: Path
) -> None:
    (work.path / "specs/link.yaml").symlink_to("/etc/passwd")
    commit = work.commit(
        {"specs/a/b.yml": "x: y\n", "specs/README.md": "", "other.yaml": "", "specs/ü.yaml": ""}
    )
    work.push(home / "specs.git")
    entries = embedded.entries(commit)
    assert sorted(entries) == ["specs/a/b.yml", "specs/hello.yaml", "specs/link.yaml", "specs/ü.yaml"]
    assert entries["specs/a/b.yml"] == Entry("specs/a/b.yml", entries["specs/a/b.yml"].blob, 5)
    assert embedded.read(entries["specs/a/b.yml"].blob) == b"x: y\n"
    assert entries["specs/link.yaml"].symlink


async def test_entries_follow_every_kind_of_change(
    embedded: EmbeddedRepository, work: Work, home: Path
) -> None:
    """The listing is carried from commit to commit: it has to equal one made afresh, forth and back."""
    commits = [git(work.path, "rev-parse", "HEAD").strip()]
    for files in (
        {"specs/a.yaml": "a", "specs/b.yaml": "b", "specs/deep/c.yaml": "c"},
        {"specs/a.yaml": "changed", "specs/b.yaml": None},
        {"README.md": "no spec"},
        {"specs/a.yaml": None, "specs/a.yaml/inner.yaml": "a folder now"},
        {"specs/a.yaml/inner.yaml": None, "specs/deep/c.yaml": None, "specs/hello.yaml": None},
    ):
        work.write({name: text for name, text in files.items() if text is None})
        commits.append(work.commit({name: text for name, text in files.items() if text is not None}))
    work.push(home / "specs.git")
    for commit in [*commits, *reversed(commits), *commits[::2], *commits[1::2]]:
        afresh = open_source(home)
        assert embedded.entries(commit) == afresh.entries(commit)
    assert embedded.entries(commits[-1]) == {}


async def test_force_push_goes_through(embedded: EmbeddedRepository, work: Work, home: Path) -> None:
    old = work.commit({"specs/hello.yaml": "old"})
    work.push(home / "specs.git")
    await embedded.fetch()
    new = work.commit({"specs/hello.yaml": "new"}, "--amend")
    assert "rejected" in work.push(home / "specs.git", check=False)
    work.push(home / "specs.git", "--force", "main")
    assert await embedded.fetch() == new
    assert embedded.changed(old, new) == {"specs/hello.yaml"}


async def test_unknown_commits_before(embedded: EmbeddedRepository, work: Work, home: Path) -> None:
    commit = git(work.path, "rev-parse", "HEAD").strip()
    work.push(home / "specs.git")
    everything = {"specs/hello.yaml", "sites/hello/index.html"}
    assert embedded.changed("", commit) == everything
    assert embedded.changed("1" * 40, commit) == everything
    with pytest.raises(TerminalError, match="no commit"):
        embedded.changed(commit, "1" * 40)
    with pytest.raises(TerminalError, match="no commit"):
        embedded.entries("1" * 40)
    with pytest.raises(TerminalError, match="no file"):
        embedded.read("1" * 40)


async def test_the_branch_cannot_be_deleted_by_a_push(
    embedded: EmbeddedRepository, work: Work, home: Path
) -> None:
    work.push(home / "specs.git")
    assert "deletion of the current branch prohibited" in work.push(
        home / "specs.git", "--delete", "main", check=False
    )
    work.push(home / "specs.git", "main:other")
    work.push(home / "specs.git", "--delete", "other")
    assert await embedded.fetch() is not None


async def test_a_branch_that_is_gone_all_the_same(
    embedded: EmbeddedRepository, work: Work, home: Path
) -> None:
    work.push(home / "specs.git")
    commit = await embedded.fetch()
    assert commit is not None
    git(home / "specs.git", "update-ref", "-d", "refs/heads/main")
    for source in (embedded, open_source(home)):
        with pytest.raises(TerminalError, match="the branch main is gone"):
            await source.fetch()
        assert list(source.entries(commit)) == ["specs/hello.yaml"]
    work.push(home / "specs.git")
    assert await embedded.fetch() == commit


async def test_another_branch_is_not_ours(embedded: EmbeddedRepository, work: Work, home: Path) -> None:
    work.push(home / "specs.git", "main:try")
    assert await embedded.fetch() is None
    assert await open_source(home, branch="try").fetch() is not None


async def test_a_repository_that_cannot_be_opened(embedded: EmbeddedRepository, home: Path) -> None:
    (home / "specs.git/HEAD").rename(home / "specs.git/AWAY")
    with pytest.raises(TransientError, match="cannot be read"):
        await embedded.fetch()


async def test_garbage_collection_takes_nothing_that_is_retained(
    embedded: EmbeddedRepository, work: Work, home: Path
) -> None:
    old = work.commit({"sites/hello/index.html": "old"})
    work.push(home / "specs.git")
    await embedded.fetch()
    tree = await embedded.content(old, Content("sites/hello"))
    embedded.retain([old])
    new = work.commit({"sites/hello/index.html": "new"}, "--amend")
    work.push(home / "specs.git", "--force", "main")
    await embedded.fetch()
    _collect(home)
    for source in (embedded, open_source(home)):
        assert source.changed(old, new) == {"sites/hello/index.html"}
    assert tree in pygit2.Repository(str(home / "specs.git"))
    embedded.retain([])
    _collect(home)
    assert old not in pygit2.Repository(str(home / "specs.git"))


def test_a_huge_file_is_not_read(embedded: EmbeddedRepository, home: Path, tmp_path: Path) -> None:
    with (tmp_path / "huge").open("wb") as stream:
        stream.truncate(65 * 1024**2)
    blob = git(home / "specs.git", "hash-object", "-w", str(tmp_path / "huge")).strip()
    with pytest.raises(TerminalError, match="bigger than"):
        embedded.read(blob)


def _collect(home: Path) -> None:
    git(home / "specs.git", "reflog", "expire", "--expire=now", "--all")
    git(home / "specs.git", "-c", "gc.pruneExpire=now", "gc", "-q")


async def test_packs_rewritten_under_an_open_repository(
    embedded: EmbeddedRepository, work: Work, home: Path
) -> None:
    commits = [work.commit({f"specs/s{number}.yaml": f"{number}"}) for number in range(5)]
    work.push(home / "specs.git")
    git(home / "specs.git", "repack", "-adq")
    assert len(embedded.entries(commits[0])) == 2
    git(home / "specs.git", "repack", "-adfq", "--depth=1")
    for commit in commits:
        for entry in embedded.entries(commit).values():
            assert embedded.read(entry.blob)


async def test_pushers_do_not_see_what_is_ottos(embedded: EmbeddedRepository, work: Work, home: Path) -> None:
    work.push(home / "specs.git")
    await embedded.fetch()
    assert "otto" not in git(work.path, "ls-remote", str(home / "specs.git"))


def test_seeding_again_changes_nothing(home: Path, work: Work) -> None:
    work.push(home / "specs.git")
    before = {path: path.stat().st_mtime_ns for path in (home / "specs.git").rglob("*") if path.is_file()}
    seed(home, work.path / "specs", work.path / "sites")
    after = {path: path.stat().st_mtime_ns for path in (home / "specs.git").rglob("*") if path.is_file()}
    changed = {path.name for path in before.keys() | after.keys() if before.get(path) != after.get(path)}
    assert changed <= {"HEAD"}
