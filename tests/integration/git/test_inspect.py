"""A look through content in real repositories: what is found, what it costs again, what is hostile."""

import asyncio
import os
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pygit2
import pytest

from otto.adapters.git import ContentLimits, EmbeddedRepository, open_source
from otto.adapters.git.inspecting import Inspector
from otto.adapters.git.inspector import Request, look
from otto.adapters.git.remembered import Remembered
from otto.model.errors import TerminalError
from otto.model.inspection import Inspection
from otto.model.spec import Content

from .gitting import Work

HELLO = Content("sites/hello")
HEAD = "<!doctype html><title>t</title>\n"
PAGES: dict[str, str | bytes | None] = {
    "sites/hello/index.html": f"{HEAD}<a href=gone.html>x</a>",
    "sites/hello/feed.xml": "<rss><channel></rss>",
    "sites/hello/img.png": b"\x89PNG",
}


def push(work: Work, home: Path, files: dict[str, str | bytes | None]) -> str:
    commit = work.commit(files)
    work.push(home / "specs.git")
    return commit


async def inspected(source: EmbeddedRepository, commit: str, *domains: str) -> Inspection:
    return await source.inspect(await source.content(commit, HELLO), domains)


def told(found: Inspection) -> list[tuple[str, str]]:
    return [(finding.where, finding.rule) for finding in found.findings]


async def test_what_is_wrong_is_found(embedded: EmbeddedRepository, work: Work, home: Path) -> None:
    found = await inspected(embedded, push(work, home, PAGES))
    assert told(found) == [("feed.xml:1", "xml.parse"), ("index.html:2", "link.missing")]
    assert (found.files, found.read, found.errors) == (3, 1, 2)


async def test_own_domains_lead_into_the_site(embedded: EmbeddedRepository, work: Work, home: Path) -> None:
    commit = push(work, home, {"sites/hello/index.html": f"{HEAD}<a href=https://own.example/x>x</a>"})
    assert told(await inspected(embedded, commit)) == []
    assert told(await inspected(embedded, commit, "own.example")) == [("index.html:2", "link.missing")]


async def test_the_same_tree_is_looked_through_once(
    embedded: EmbeddedRepository, work: Work, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    commit = push(work, home, PAGES)
    first = await inspected(embedded, commit)
    # Nothing that could look is left: whatever answers remembers.
    monkeypatch.setattr("sys.executable", "/bin/false")
    again = open_source(home)
    assert isinstance(again, EmbeddedRepository)
    assert await inspected(embedded, commit) == first == await inspected(again, commit)


def test_a_file_is_read_once_in_its_life(work: Work, home: Path, tmp_path: Path) -> None:
    push(work, home, PAGES)
    repository = pygit2.Repository(str(home / "specs.git"))
    tree = repository.revparse_single("main:sites/hello")
    cache = tmp_path / "cache.db"
    request = Request(str(home / "specs.git"), str(tree.id), (), str(cache), ContentLimits())
    look(request)
    keys = [f"facts {name}" for name in _facts(cache)]
    known = Remembered(cache).find(keys)
    Remembered(cache).keep({key: known[key] | {"links": [], "flaws": []} for key in keys})
    assert look(request).findings == ()


def _facts(cache: Path) -> Iterator[str]:
    base = sqlite3.connect(cache)
    try:
        for (key,) in base.execute("SELECT key FROM known WHERE key LIKE 'facts %'").fetchall():
            yield key.removeprefix("facts ")
    finally:
        base.close()


async def test_a_damaged_memory_is_done_without(embedded: EmbeddedRepository, work: Work, home: Path) -> None:
    cache = home / "cache/inspected.db"
    cache.parent.mkdir(parents=True, exist_ok=True)
    cache.write_bytes(b"this is no database " * 1000)
    assert (await inspected(embedded, push(work, home, PAGES))).errors == 2
    assert not cache.exists() or Remembered(cache).find(["x"]) == {}


def test_the_least_lately_used_is_forgotten_first(tmp_path: Path) -> None:
    kept = Remembered(tmp_path / "cache.db", keep=2)
    kept.keep({"a": 1, "b": 2})
    kept.keep({"c": 3}, used=["a"])
    assert kept.find("abc") == {"a": 1, "c": 3}


async def test_many_pages_by_several_processes(embedded: EmbeddedRepository, work: Work, home: Path) -> None:
    pages: dict[str, str | bytes | None] = {
        f"sites/hello/{n}.html": f"{HEAD}<a href={n + 1}>x</a>" for n in range(100)
    }
    found = await inspected(embedded, push(work, home, pages))
    assert told(found)[0] == ("99.html:2", "link.missing")
    assert (found.errors, found.read) == (1, 101)


async def test_hostile_pages_cost_no_more_than_they_may(work: Work, home: Path, tmp_path: Path) -> None:
    push(
        work,
        home,
        {
            "sites/hello/slow.html": HEAD + "<a " + " ".join(f"a{n}=1" for n in range(30_000)) + ">",
            "sites/hello/deep.html": HEAD + "<div>" * 100_000,
            "sites/hello/long.html": b"x" * (4 * 1024**2 + 1),
            "sites/hello/digits.html": HEAD + "&#" + "9" * 5000 + ";",
            "sites/hello/zeros.html": bytes(100_000),
        },
    )
    tree = pygit2.Repository(str(home / "specs.git")).revparse_single("main:sites/hello")
    cache = str(tmp_path / "cache.db")
    request = Request(str(home / "specs.git"), str(tree.id), (), cache, ContentLimits(), seconds=0.5)
    found = look(request)
    unread = {finding.file: finding.message for finding in found.findings if finding.rule == "file.unread"}
    assert "takes more than 0.5 s" in unread["slow.html"]
    assert "files are read up to" in unread["long.html"]
    assert "the parser gave up" in unread["digits.html"]
    assert ("deep.html:2", "html.depth") in told(found)


async def test_a_look_that_takes_too_long_is_a_finding(work: Work, home: Path, tmp_path: Path) -> None:
    push(work, home, PAGES)
    tree = str(pygit2.Repository(str(home / "specs.git")).revparse_single("main:sites/hello").id)
    inspector = Inspector(tmp_path / "cache.db", ContentLimits(), timeout=0.01)
    found = await inspector.inspect(home / "specs.git", tree)
    assert [finding.rule for finding in found.findings] == ["site.uninspected"]
    patient = Inspector(tmp_path / "cache.db", ContentLimits())
    assert (await patient.inspect(home / "specs.git", tree)).errors == 2


async def test_a_look_that_is_cancelled_leaves_no_process(work: Work, home: Path, tmp_path: Path) -> None:
    slow = HEAD + "<a " + " ".join(f"a{n}=1" for n in range(30_000)) + ">"
    push(work, home, {"sites/hello/slow.html": slow})
    tree = str(pygit2.Repository(str(home / "specs.git")).revparse_single("main:sites/hello").id)
    inspector = Inspector(tmp_path / "cache.db", ContentLimits())
    task = asyncio.create_task(inspector.inspect(home / "specs.git", tree))
    while not (running := _inspectors(home)):
        await asyncio.sleep(0.01)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert not any(Path(f"/proc/{pid}").exists() for pid in running)


def _inspectors(home: Path) -> list[int]:
    """Children of this process that look; the fixture's home keeps other tests' out."""
    assert home.exists()
    children = Path(f"/proc/{os.getpid()}/task/{os.getpid()}/children").read_text().split()
    return [
        int(pid)
        for pid in children
        if b"otto.adapters.git.inspector" in Path(f"/proc/{pid}/cmdline").read_bytes()
    ]


async def test_nothing_holds_that_tree(embedded: EmbeddedRepository) -> None:
    with pytest.raises(TerminalError, match="no repository holds the content"):
        await embedded.inspect("0" * 40)


async def test_content_of_another_repository(tmp_path: Path, home: Path, work: Work) -> None:
    other = Work(tmp_path / "other")
    other.commit({"public/index.html": f"{HEAD}<a href=gone>x</a>"})
    commit = push(work, home, {})
    source = open_source(home, local_content=True)
    tree = await source.content(commit, Content("public", f"file://{other.path}", "main"))
    assert told(await source.inspect(tree)) == [("index.html:2", "link.missing")]


def _tree(repository: pygit2.Repository, *entries: tuple[int, str, pygit2.Oid]) -> pygit2.Oid:
    """A tree as no git would make it."""
    raw = b"".join(b"%o %s\0" % (mode, name.encode()) + of.raw for mode, name, of in entries)
    return repository.odb.write(pygit2.enums.ObjectType.TREE, raw)


def _committed(repository: pygit2.Repository, content: pygit2.Oid) -> str:
    top = _tree(repository, (0o40000, "site", content))
    person = pygit2.Signature("A Person", "person@example.org", 0, 0)
    return str(repository.create_commit(None, person, person, "by hand", top, []))


SITE = Content("site")


async def test_few_objects_that_stand_for_endless_folders(
    embedded: EmbeddedRepository, work: Work, home: Path
) -> None:
    push(work, home, {})
    repository = pygit2.Repository(str(home / "specs.git"))
    tree = _tree(repository)
    for _ in range(30):
        tree = _tree(repository, *((0o40000, name, tree) for name in "abcdefgh"))
    with pytest.raises(TerminalError, match="more than"):
        await embedded.content(_committed(repository, tree), SITE)


async def test_a_name_that_stands_for_a_file_and_a_folder(
    embedded: EmbeddedRepository, work: Work, home: Path
) -> None:
    push(work, home, {})
    repository = pygit2.Repository(str(home / "specs.git"))
    blob = repository.create_blob(b"x")
    folder = _tree(repository, (0o100644, "b", blob))
    both = _tree(repository, (0o100644, "a", blob), (0o40000, "a", folder))
    with pytest.raises(TerminalError, match="a file and a folder have one name in the content: a/b"):
        await embedded.content(_committed(repository, both), SITE)
    twice = _tree(repository, (0o100644, "a", blob), (0o100644, "a", blob))
    with pytest.raises(TerminalError, match="a name stands twice in the content: a"):
        await embedded.content(_committed(repository, twice), SITE)


@pytest.mark.parametrize("deep", [0, 12])
async def test_names_that_no_host_holds(
    embedded: EmbeddedRepository, work: Work, home: Path, deep: int
) -> None:
    push(work, home, {})
    repository = pygit2.Repository(str(home / "specs.git"))
    name = "n" * (200 if deep else 256)
    tree = _tree(repository, (0o100644, name, repository.create_blob(b"x")))
    for _ in range(deep):
        tree = _tree(repository, (0o40000, name, tree))
    with pytest.raises(TerminalError, match="longer than hosts take"):
        await embedded.content(_committed(repository, tree), SITE)


async def test_a_link_of_many_megabytes_is_not_read(
    embedded: EmbeddedRepository, work: Work, home: Path
) -> None:
    push(work, home, {})
    repository = pygit2.Repository(str(home / "specs.git"))
    link = repository.create_blob(b"a/" * 5_000_000)
    tree = _tree(repository, (0o120000, "link", link), (0o100644, "x", repository.create_blob(b"x")))
    with pytest.raises(TerminalError, match="leads to no file inside it: link"):
        await embedded.content(_committed(repository, tree), SITE)


async def test_gigabytes_that_travel_as_kilobytes_are_refused(work: Work, home: Path) -> None:
    commit = push(work, home, {"sites/hello/zeros.bin": bytes(30_000_000)})
    source = open_source(home, limits=ContentLimits(size=20_000_000))
    with pytest.raises(TerminalError, match="at most 20000000 are allowed"):
        await source.content(commit, HELLO)


async def test_a_repository_that_is_too_big_is_not_fetched_to_its_end(
    tmp_path: Path, home: Path, work: Work
) -> None:
    other = Work(tmp_path / "other")
    other.commit({"index.html": "x", "noise.bin": os.urandom(3_000_000)})
    commit = push(work, home, {})
    source = open_source(home, local_content=True, fetch_bytes=1_000_000)
    with pytest.raises(TerminalError, match="bigger than 1000000 bytes"):
        await source.content(commit, Content("", f"file://{other.path}", "main"))
    held = sum(path.stat().st_size for path in (home / "cache/git").rglob("*") if path.is_file())
    assert held < 1_000_000


async def test_a_repository_that_is_gone_is_said_to_be(tmp_path: Path, home: Path, work: Work) -> None:
    other = Work(tmp_path / "other")
    other.commit({"index.html": "x"})
    commit = push(work, home, {})
    source = open_source(home, local_content=True, content_interval=0)
    content = Content("", f"file://{other.path}", "main")
    assert await source.content(commit, content)
    other.path.rename(tmp_path / "elsewhere")
    with pytest.raises(TerminalError, match="there is no such repository") as caught:
        await source.content(commit, content)
    assert caught.value.mend
