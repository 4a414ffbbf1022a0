"""Reading specs: a repository of 10,000 of them, cold, and a commit that changes one."""

import asyncio
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

import pygit2
import yaml
from tests.bench.figure import Figure

from otto.adapters.git import open_source, seed
from otto.adapters.specs import CachedSpecs, YamlSpecs
from otto.reconcile.fleet import Fleet
from otto.testing.clock import FakeClock
from otto.testing.store import MemoryStore

SITES = 10_000
COLD = 10_000.0
COMMIT = 100.0


async def measure() -> list[Figure]:
    with tempfile.TemporaryDirectory(prefix="otto-b.") as folder:
        home = Path(folder)
        await asyncio.to_thread(_repository, home)
        return await _figures(home)


async def _figures(home: Path) -> list[Figure]:
    source = open_source(home)
    fleet = Fleet(source, CachedSpecs(YamlSpecs()), MemoryStore(FakeClock()))
    parse = _plain_parsing(home)
    cold = await _refresh(fleet, await source.fetch() or "")
    _commit_one(home, 77)
    one = await _refresh(fleet, await source.fetch() or "")
    assert len(fleet.catalogue.sites) == SITES, fleet.catalogue.loose[:3]
    return [
        Figure(f"cold read of {SITES} specs", cold, "ms", COLD, "PyYAML alone (C loader)", parse),
        Figure(f"one changed spec among {SITES}", one, "ms", COMMIT, "cold read", cold),
    ]


async def _refresh(fleet: Fleet, commit: str) -> float:
    started = time.perf_counter()
    await fleet.refresh(commit, datetime.now(UTC))
    return (time.perf_counter() - started) * 1000


def _plain_parsing(home: Path) -> float:
    """The floor: parse every file, and nothing else."""
    repository = pygit2.Repository(str(home / "specs.git"))
    tree = repository.revparse_single("main:specs")
    assert isinstance(tree, pygit2.Tree)
    texts = [entry.data for folder in tree if isinstance(folder, pygit2.Tree) for entry in folder
             if isinstance(entry, pygit2.Blob)]  # fmt: skip
    started = time.perf_counter()
    for text in texts:
        yaml.load(text, Loader=yaml.CSafeLoader)
    return (time.perf_counter() - started) * 1000


def _repository(home: Path) -> None:
    draft = home / "draft"
    for number in range(SITES):
        _write(draft / "specs", number, web=1)
    (draft / "sites" / "shared").mkdir(parents=True)
    (draft / "sites" / "shared" / "index.html").write_text("<h1>Shared</h1>\n")
    seed(home, draft / "specs", draft / "sites")


def _commit_one(home: Path, number: int) -> None:
    repository = pygit2.Repository(str(home / "specs.git"))
    index = pygit2.Index()
    tree = repository.revparse_single("main^{tree}")
    assert isinstance(tree, pygit2.Tree)
    index.read_tree(tree)
    text = _text(number, web=2)
    path = _path(number)
    index.add(pygit2.IndexEntry(path, repository.create_blob(text.encode()), pygit2.enums.FileMode.BLOB))
    author = pygit2.Signature("Bench", "bench@localhost")
    parent = repository.references["refs/heads/main"].target
    written = index.write_tree(repository)
    repository.create_commit("refs/heads/main", author, author, "One more", written, [parent])


def _write(specs: Path, number: int, web: int) -> None:
    path = specs.parent / _path(number)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(_text(number, web))


def _path(number: int) -> str:
    return f"specs/{number % 100:02}/site-{number}.yaml"


def _text(number: int, web: int) -> str:
    return f"""apiVersion: otto/v1
kind: Site
metadata:
  name: site-{number}
spec:
  web:
    count: {web}
  domains: [site-{number}.test]
  content:
    path: sites/shared
  checks:
    - path: /
      contains: Shared
"""
