"""Content of sites: what may be served, and the archives it becomes."""

import hashlib
import io
import os
import tarfile
from collections.abc import Callable
from pathlib import Path

import pygit2
import pytest

from otto.adapters.git import ContentLimits, EmbeddedRepository, open_source
from otto.model.errors import TerminalError, TransientError
from otto.model.spec import Content

from .gitting import Work

HELLO = Content("sites/hello")
LFS = "version https://git-lfs.github.com/spec/v1\noid sha256:" + "0" * 64 + "\nsize 12345\n"


def _link(work: Work, name: str, goal: str) -> None:
    path = work.path / "sites/hello" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.symlink_to(goal)


def _push(work: Work, home: Path) -> str:
    commit = work.commit({})
    work.push(home / "specs.git")
    return commit


async def _members(source: EmbeddedRepository, tree: str) -> dict[str, tarfile.TarInfo]:
    with tarfile.open(await source.archive(tree)) as archive:
        return {member.name: member for member in archive}


async def test_the_id_names_content_not_commits(embedded: EmbeddedRepository, work: Work, home: Path) -> None:
    first = work.commit({"sites/other/index.html": "other"})
    second = work.commit({"specs/hello.yaml": "changed", "README.md": "x"})
    third = work.commit({"sites/hello/index.html": "new"})
    work.push(home / "specs.git")
    ids = [await embedded.content(commit, HELLO) for commit in (first, second, third)]
    assert ids[0] == ids[1] != ids[2]
    assert await embedded.content(third, Content("sites/other")) not in ids


async def test_an_archive_is_the_same_bytes_every_time(
    embedded: EmbeddedRepository, work: Work, home: Path, tmp_path: Path
) -> None:
    work.write({"sites/hello/b/c.html": "c", "sites/hello/ü.css": "u", "sites/hello/" + "n" * 150: "long"})
    (work.path / "sites/hello/run").write_text("#!/bin/sh\n")
    (work.path / "sites/hello/run").chmod(0o700)
    commit = _push(work, home)
    tree = await embedded.content(commit, HELLO)
    path = await embedded.archive(tree)
    assert path == home / "cache/content" / f"{tree}.tar"
    first = path.read_bytes()
    path.unlink()
    os.umask(os.umask(0o077))
    assert (await open_source(home).archive(tree)).read_bytes() == first
    # The digest is written down so that another version of Python or OttO is caught making other bytes.
    assert (
        hashlib.sha256(first).hexdigest()
        == "83f4474d3dfa5b72cd4a15a7bcb6750e742f9e9e0678241ef936f0140a23084a"
    )
    members = await _members(embedded, tree)
    assert {name: (member.mode, member.type) for name, member in members.items()} == {
        "b": (0o755, tarfile.DIRTYPE),
        "b/c.html": (0o644, tarfile.REGTYPE),
        "index.html": (0o644, tarfile.REGTYPE),
        "n" * 150: (0o644, tarfile.REGTYPE),
        "run": (0o755, tarfile.REGTYPE),
        "ü.css": (0o644, tarfile.REGTYPE),
    }
    for member in members.values():
        assert (member.mtime, member.uid, member.gid, member.uname, member.gname) == (0, 0, 0, "", "")


async def test_links_inside_stand_for_their_files(
    embedded: EmbeddedRepository, work: Work, home: Path
) -> None:
    _link(work, "a.html", "index.html")
    _link(work, "deep/er/b.html", "../../a.html")
    commit = _push(work, home)
    tree = await embedded.content(commit, HELLO)
    with tarfile.open(await embedded.archive(tree)) as archive:
        for name in ("a.html", "deep/er/b.html"):
            opened = archive.extractfile(name)
            assert opened is not None
            assert opened.read() == b"<p>hello"
            assert archive.getmember(name).isreg()


LINKS = [
    "/etc/passwd",
    "../../specs/hello.yaml",
    "../../../../etc/passwd",
    "nowhere",
    ".",
    "..",
    "sub",
    "",
    "a\x1b[2J",
]


@pytest.mark.parametrize("goal", LINKS)
async def test_links_that_lead_nowhere_good(
    embedded: EmbeddedRepository, work: Work, home: Path, goal: str
) -> None:
    work.write({"sites/hello/sub/x": "x"})
    if goal:
        _link(work, "l", goal)
        commit = _push(work, home)
    else:
        commit = _with_entry(work, home, "l", pygit2.enums.FileMode.LINK, data=b"")
    with pytest.raises(TerminalError, match="link that leads to no file inside it: l ->") as caught:
        await embedded.content(commit, HELLO)
    assert str(caught.value).isprintable()
    assert caught.value.message.startswith("sites/hello: ")


async def test_links_in_a_circle(embedded: EmbeddedRepository, work: Work, home: Path) -> None:
    _link(work, "a", "b")
    _link(work, "b", "a")
    with pytest.raises(TerminalError, match="circle"):
        await embedded.content(_push(work, home), HELLO)


def _with_entry(work: Work, home: Path, name: str, mode: pygit2.enums.FileMode, *, data: bytes = b"x") -> str:
    """Push a commit whose content holds an entry that git itself would not make."""
    work.push(home / "specs.git")
    repository = pygit2.Repository(str(home / "specs.git"))
    head = repository.revparse_single("main").peel(pygit2.Commit)
    entry = head.id if mode is pygit2.enums.FileMode.COMMIT else repository.create_blob(data)

    def rebuilt(tree: pygit2.Tree | None, parts: list[str]) -> pygit2.Oid:
        if not parts:
            # TreeBuilder refuses names like "..": the tree is written by hand.
            assert tree is not None
            raw = tree.read_raw() + b"%o %s\0" % (mode, name.encode("utf-8", "surrogateescape")) + entry.raw
            return repository.odb.write(pygit2.enums.ObjectType.TREE, raw)
        builder = repository.TreeBuilder(tree) if tree is not None else repository.TreeBuilder()
        inner = tree[parts[0]] if tree is not None and parts[0] in tree else None
        assert inner is None or isinstance(inner, pygit2.Tree)
        builder.insert(parts[0], rebuilt(inner, parts[1:]), pygit2.enums.FileMode.TREE)
        return builder.write()

    person = pygit2.Signature("A Person", "person@example.org", 0, 0)
    tree = rebuilt(head.tree, ["sites", "hello"])
    return str(repository.create_commit("refs/heads/main", person, person, "by hand", tree, [head.id]))


NAMES = ["..", ".", ".git", ".GIT", "a\nb", "a\x1bb", "a/b", "\udcff"]


@pytest.mark.parametrize("name", NAMES)
async def test_names_that_would_leave_the_folder(
    embedded: EmbeddedRepository, work: Work, home: Path, name: str
) -> None:
    commit = _with_entry(work, home, name, pygit2.enums.FileMode.BLOB)
    with pytest.raises(TerminalError, match="a name in the content is not") as caught:
        await embedded.content(commit, HELLO)
    assert str(caught.value).isprintable()


async def test_submodules(embedded: EmbeddedRepository, work: Work, home: Path) -> None:
    commit = _with_entry(work, home, "sub", pygit2.enums.FileMode.COMMIT)
    with pytest.raises(TerminalError, match="submodule: sub"):
        await embedded.content(commit, HELLO)


async def test_lfs_pointers(embedded: EmbeddedRepository, work: Work, home: Path) -> None:
    work.write({"sites/hello/img/big.png": LFS})
    with pytest.raises(TerminalError, match=r"LFS pointer instead of a file: img/big\.png"):
        await embedded.content(_push(work, home), HELLO)


async def test_a_page_about_lfs_is_no_pointer(embedded: EmbeddedRepository, work: Work, home: Path) -> None:
    work.write({"sites/hello/lfs.txt": LFS + "x" * 1000, "sites/hello/short.txt": "version https://git-lfs"})
    assert await embedded.content(_push(work, home), HELLO)


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("sites/nope", "is not there"),
        ("sites/hello/index.html", "is not a folder"),
        ("sites/hello/index.html/x", "is not there"),
        ("sites/hello/../hello", "is not there"),
    ],
)
async def test_folders_that_are_none(
    embedded: EmbeddedRepository, work: Work, home: Path, path: str, words: str
) -> None:
    commit = _push(work, home)
    with pytest.raises(TerminalError, match=words):
        await embedded.content(commit, Content(path))


@pytest.mark.parametrize(
    ("limits", "words"),
    [
        (ContentLimits(files=2), "more than 2 files"),
        (ContentLimits(size=100), "150 bytes in all, at most 100"),
        (ContentLimits(file_size=99), r"a file of the content is 100 bytes, at most 99 are allowed: b\.html"),
    ],
)
async def test_limits(work: Work, home: Path, limits: ContentLimits, words: str) -> None:
    work.write(
        {"sites/hello/index.html": "x" * 25, "sites/hello/b.html": "x" * 100, "sites/hello/c.html": "x" * 25}
    )
    commit = _push(work, home)
    with pytest.raises(TerminalError, match=words):
        await open_source(home, limits=limits).content(commit, HELLO)


async def test_an_empty_folder_is_no_content(embedded: EmbeddedRepository, work: Work, home: Path) -> None:
    work.push(home / "specs.git")
    repository = pygit2.Repository(str(home / "specs.git"))
    empty = repository.TreeBuilder().write()
    top = repository.TreeBuilder()
    top.insert("sites", empty, pygit2.enums.FileMode.TREE)
    person = pygit2.Signature("A Person", "person@example.org", 0, 0)
    commit = repository.create_commit(None, person, person, "empty", top.write(), [])
    with pytest.raises(TerminalError, match="empty"):
        await embedded.content(str(commit), Content("sites"))


async def test_an_archive_of_nothing_known(embedded: EmbeddedRepository) -> None:
    with pytest.raises(TerminalError, match="no repository holds"):
        await embedded.archive("1" * 40)


async def test_archives_are_pruned_and_used_ones_stay(work: Work, home: Path) -> None:
    source = open_source(home, keep_archives=3)
    paths = []
    for number in range(5):
        work.write({"sites/hello/index.html": f"{number}"})
        tree = await source.content(_push(work, home), HELLO)
        paths.append(await source.archive(tree))
        for age, path in enumerate(reversed(paths)):
            if path.exists():
                os.utime(path, (1_000_000 - age, 1_000_000 - age))
        if number:
            await source.archive(paths[0].stem)
    assert [path.exists() for path in paths] == [True, False, False, True, True]


async def test_a_killed_writer_leaves_no_archive(
    embedded: EmbeddedRepository, work: Work, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tree = await embedded.content(_push(work, home), HELLO)
    real: Callable[..., None] = os.fsync

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(TransientError, match="cannot be written: No space"):
        await embedded.archive(tree)
    assert list((home / "cache/content").iterdir()) == []
    monkeypatch.setattr(os, "fsync", real)
    assert tarfile.is_tarfile(io.BytesIO((await embedded.archive(tree)).read_bytes()))
