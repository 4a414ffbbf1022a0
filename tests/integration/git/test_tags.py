"""Tags of a repository: those of the embedded one, and of a remote one while they decide what is deployed."""

from pathlib import Path

import pygit2
import pytest

from otto.adapters.git import EmbeddedRepository, open_source
from otto.model.errors import TerminalError
from otto.model.signature import Demand, KnownKey, Signatures, TagRef

from .gitting import Work, git
from .serving import http

TAGS = Signatures(Demand.TAGS, (KnownKey(file="x"),))


def tagged(work: Work, name: str) -> TagRef:
    git(work.path, "tag", "-a", "-m", "release", name)
    return TagRef(name, git(work.path, "rev-parse", name).strip())


async def test_tags_of_the_embedded_repository(work: Work, home: Path, embedded: EmbeddedRepository) -> None:
    known = tagged(work, "v1")
    git(work.path, "tag", "plain")
    work.push(home / "specs.git", "main", "v1", "plain")
    head = await embedded.fetch()
    assert head is not None
    assert set(embedded.tags()) == {known, TagRef("plain", head)}
    assert embedded.object(known.id).kind == "tag"
    found = embedded.object(head)
    assert found.data == git(work.path, "cat-file", "commit", head).encode()


async def test_what_builds_on_what(work: Work, home: Path, embedded: EmbeddedRepository) -> None:
    first = git(work.path, "rev-parse", "main").strip()
    second = work.commit({"a": "b"})
    work.push(home / "specs.git")
    assert embedded.reaches(second, first)
    assert embedded.reaches(first, first)
    assert not embedded.reaches(first, second)
    assert not embedded.reaches(second, "0" * 40)
    assert not embedded.reaches("nothing", first)


@pytest.mark.parametrize("identity", ["0" * 40, "main", ""])
def test_an_object_that_is_not_there(
    work: Work, home: Path, embedded: EmbeddedRepository, identity: str
) -> None:
    work.push(home / "specs.git")
    with pytest.raises(TerminalError, match="holds no object"):
        embedded.object(identity)


def test_an_object_that_is_far_too_big(work: Work, home: Path, embedded: EmbeddedRepository) -> None:
    (work.path / "message").write_text("x" * (1024 * 1024 + 1))
    git(work.path, "commit", "-q", "--allow-empty", "-F", "message")
    work.push(home / "specs.git")
    with pytest.raises(TerminalError, match="at most 1048576 are allowed"):
        embedded.object(git(work.path, "rev-parse", "main").strip())


async def test_tags_of_a_remote_come_when_they_count_and_go_when_they_are_gone(
    tmp_path: Path, work: Work
) -> None:
    served = tmp_path / "served/specs.git"
    git(work.path, "init", "-q", "--bare", "-b", "main", str(served))
    first = git(work.path, "rev-parse", "main").strip()
    old = tagged(work, "v1")
    second = work.commit({"a": "b"})
    work.push(served, "main", "v1")
    demanded: list[Signatures] = []
    with http(served.parent) as (address, _):
        source = open_source(
            tmp_path / "home",
            url=f"{address}/specs.git",
            signatures=lambda: demanded[0] if demanded else None,
        )
        assert await source.fetch() == second
        assert source.tags() == ()
        assert pygit2.Repository(str(tmp_path / "home/cache/source.git")).is_shallow
        demanded.append(TAGS)
        assert await source.fetch() == second
        assert source.tags() == (old,)
        assert source.reaches(second, first)
        # A tag alone is pushed, then one is taken away and one moved.
        new = tagged(work, "v2")
        work.push(served, "v2")
        assert await source.fetch() == second
        assert set(source.tags()) == {old, new}
        git(work.path, "tag", "-f", "-a", "-m", "again", "v2")
        moved = TagRef("v2", git(work.path, "rev-parse", "v2").strip())
        work.push(served, "--force", "v2", ":v1")
        assert await source.fetch() == second
        assert source.tags() == (moved,)
        third = work.commit({"a": "c"})
        newest = tagged(work, "v3")
        work.push(served, "main", "v3")
        assert await source.fetch() == third
        assert set(source.tags()) == {moved, newest}
        assert source.reaches(third, first)
