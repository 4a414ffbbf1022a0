"""A repository in memory behaves as one on disk, as far as the port can tell."""

import pytest

from otto.model.errors import TerminalError, TransientError
from otto.model.spec import Content, Provider, Tombstone
from otto.testing import MemoryImages, MemorySource, MemorySpecs, World, site_spec, spec_text


@pytest.fixture
def source() -> MemorySource:
    return MemorySource()


async def test_an_empty_repository_has_no_commit(source: MemorySource) -> None:
    assert await source.fetch() is None


async def test_entries_are_the_specs_of_a_commit(source: MemorySource) -> None:
    first = source.commit({"specs/b.yml": "b", "specs/sub/a.yaml": "a", "specs/c.txt": "c", "d.yaml": "d"})
    source.links.add("specs/b.yml")
    entries = source.entries(first)
    assert list(entries) == ["specs/b.yml", "specs/sub/a.yaml"]
    assert entries["specs/b.yml"].symlink
    assert entries["specs/sub/a.yaml"].size == 1
    assert source.read(entries["specs/sub/a.yaml"].blob) == b"a"


async def test_commits_stay_as_they_were(source: MemorySource) -> None:
    first = source.commit({"specs/a.yaml": "1", "specs/b.yaml": "1"})
    second = source.commit({"specs/a.yaml": "2", "specs/b.yaml": None, "specs/c.yaml": b"3"})
    assert await source.fetch() == second
    assert list(source.entries(first)) == ["specs/a.yaml", "specs/b.yaml"]
    assert list(source.entries(second)) == ["specs/a.yaml", "specs/c.yaml"]
    assert source.changed(first, second) == {"specs/a.yaml", "specs/b.yaml", "specs/c.yaml"}
    assert source.changed(second, second) == frozenset()
    source.rewind(first)
    assert await source.fetch() == first


async def test_content_is_named_by_what_it_holds(source: MemorySource) -> None:
    first = source.commit({"sites/a/index.html": "x", "sites/b/index.html": "x", "sites/bc/index.html": "y"})
    second = source.commit({"README": "elsewhere"})
    tree = await source.content(first, Content("sites/a"))
    assert tree == await source.content(second, Content("/sites/b/"))
    assert tree != await source.content(second, Content("sites/bc"))
    assert source.files(tree) == {"index.html": b"x"}
    assert (await source.archive(tree)).name == f"{tree}.tar"
    with pytest.raises(TerminalError, match="no folder 'sites/none'"):
        await source.content(first, Content("sites/none"))


async def test_content_of_another_repository(source: MemorySource) -> None:
    commit = source.commit({"a": "b"})
    source.remotes["https://git.example/x.git", "v1"] = {"public/index.html": b"x", "other": b"y"}
    tree = await source.content(commit, Content("public", "https://git.example/x.git", "v1"))
    assert source.files(tree) == {"index.html": b"x"}
    with pytest.raises(TerminalError, match="no repository"):
        await source.content(commit, Content("", "https://git.example/x.git", "v2"))


async def test_an_unreachable_remote_keeps_what_was_read(source: MemorySource) -> None:
    commit = source.commit({"specs/a.yaml": "1"})
    source.failures.next("fetch", TransientError("unreachable"))
    with pytest.raises(TransientError):
        await source.fetch()
    assert list(source.entries(commit)) == ["specs/a.yaml"]


def test_specs_come_back_as_they_were_written() -> None:
    specs = (site_spec("acme"), site_spec("other", suspend=True))
    file = MemorySpecs().parse("specs/x.yaml", spec_text(*specs).encode())
    assert [site.name for site in file.sites] == ["acme", "other"]
    assert file.names == ("acme", "other")
    assert {site.file for site in file.sites} == {"specs/x.yaml"}
    assert file.sites[1].suspend
    assert file.problems == ()


@pytest.mark.parametrize(
    ("text", "names", "message"),
    [
        ("nonsense", (), "cannot be read"),
        ('{"name": "acme"}', ("acme",), "expected an object with"),
        ("[1]", (), "expected an object, found 1"),
    ],
)
def test_bad_specs_are_problems(text: str, names: tuple[str, ...], message: str) -> None:
    file = MemorySpecs().parse("specs/x.yaml", text.encode())
    assert file.names == names
    assert message in file.problems[0].message
    assert file.problems[0].file == "specs/x.yaml"
    assert not file.sites


async def test_images_are_looked_up_by_name() -> None:
    images = MemoryImages()
    assert await images.resolve(Provider.LAB, "base") == "sha256:base-1"
    with pytest.raises(TerminalError, match="no image 'none'"):
        await images.resolve(Provider.LAB, "none")


async def test_a_burial_puts_a_tombstone_in_place_of_the_spec() -> None:
    world = World()
    world.push(site_spec("acme"))
    at = world.clock.now()
    commit = world.bury("acme", reason="the campaign is over", by="web team", at=at)
    entries = world.source.entries(commit)
    assert list(entries) == ["specs/acme-tombstone.yaml"]
    (entry,) = entries.values()
    file = world.specs.parse(entry.path, world.source.read(entry.blob))
    assert (file.sites, file.problems, file.names) == ((), (), ("acme",))
    assert file.tombstones == (Tombstone("acme", "the campaign is over", "web team", at, entry.path, 1),)
