"""Locks on refs that something left which was killed: waited for while they may be held, then taken away."""

import os
import time
from pathlib import Path

import pytest

from otto.adapters.git import EmbeddedRepository, open_source
from otto.adapters.git.locks import free_stale
from otto.model.errors import TransientError

from .gitting import Work, git

LAST, TAG, KEEP = "refs/otto/last.lock", "refs/tags/v1.lock", "packed-refs.lock"


def lock(repository: Path, name: str, age: float) -> Path:
    path = repository / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch()
    os.utime(path, (time.time(), time.time() - age))
    return path


@pytest.mark.parametrize(
    ("name", "age", "goes"),
    [
        (LAST, 5, False),
        (LAST, 11, True),
        (TAG, 30, False),
        (TAG, 61, True),
        (KEEP, 30, False),
        (KEEP, 61, True),
        ("objects/pack/x.lock", 3600, False),
    ],
)
def test_one_goes_when_nobody_can_hold_it_any_more(tmp_path: Path, name: str, age: float, goes: bool) -> None:
    path = lock(tmp_path, name, age)
    assert free_stale(tmp_path) == ((path,) if goes else ())
    assert path.exists() != goes


async def test_the_embedded_repository_is_read_past_one(
    home: Path, work: Work, embedded: EmbeddedRepository
) -> None:
    commit = work.commit({"specs/more.yaml": "b: 1\n"})
    work.push(home / "specs.git")
    path = lock(home / "specs.git", LAST, 1)
    with pytest.raises(TransientError, match="cannot be written"):
        await embedded.fetch()
    os.utime(path, (0, 0))
    assert await embedded.fetch() == commit == embedded.last()
    lock(home / "specs.git", f"refs/otto/keep/{commit}.lock", 3600)
    embedded.retain([commit])


async def test_a_copy_is_brought_up_to_date_past_one(tmp_path: Path, home: Path, work: Work) -> None:
    git(tmp_path, "init", "-q", "--bare", "-b", "main", "elsewhere.git")
    work.push(tmp_path / "elsewhere.git")
    source = open_source(home, url=f"file://{tmp_path}/elsewhere.git", local_content=True)
    await source.fetch()
    commit = work.commit({"specs/more.yaml": "b: 2\n"})
    work.push(tmp_path / "elsewhere.git")
    path = lock(source.trees.path, "refs/otto/source.lock", 1)
    with pytest.raises(TransientError):
        await source.fetch()
    os.utime(path, (0, 0))
    assert await source.fetch() == commit
