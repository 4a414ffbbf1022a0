"""Ten thousand files: what a commit costs. Figures are printed; bounds only catch another order."""

from collections.abc import Callable
from pathlib import Path
from time import process_time
from typing import Any

import pygit2
import pytest

from otto.adapters.git import EmbeddedRepository, open_source, seed
from otto.adapters.specs import CachedSpecs, YamlSpecs
from otto.decide.catalogue import assemble, touched
from otto.model.catalogue import Catalogue
from otto.model.errors import TerminalError
from otto.model.spec import Content

_COUNT = 10_000
_BLOB, _TREE = pygit2.enums.FileMode.BLOB, pygit2.enums.FileMode.TREE

SPEC = """\
# yaml-language-server: $schema=../schemas/site.json
apiVersion: otto/v1
kind: Site
metadata:
  name: site-{0}
  labels:
    env: test
spec:
  web:
    count: 2
    size: small
  balancer:
    algorithm: leastconn
  domains:
    - site-{0}.example
    - www.site-{0}.example
  content:
    path: sites/site-{0}
  checks:
    - path: /
      contains: Hello
"""


class Fleet:
    """A repository of many sites, made without a working copy."""

    def __init__(self, home: Path) -> None:
        self.repository = pygit2.Repository(str(seed(home, home / "none", home / "none")))
        repository = self.repository
        self.specs = [repository.create_blob(SPEC.format(number).encode()) for number in range(_COUNT)]
        self.page = repository.create_blob(b"<p>Hello")
        self.sites = self._folder({f"p{number}.html": (self.page, _BLOB) for number in range(_COUNT)})

    def _folder(self, entries: dict[str, tuple[pygit2.Oid, Any]]) -> pygit2.Oid:
        builder = self.repository.TreeBuilder()
        for name, (entry, mode) in entries.items():
            builder.insert(name, entry, mode)
        return builder.write()

    def commit(self, changed: int | None = None) -> str:
        """A commit in which one spec may differ."""
        specs = {f"site-{number}.yaml": (entry, _BLOB) for number, entry in enumerate(self.specs)}
        if changed is not None:
            text = SPEC.format(changed).replace("count: 2", "count: 3")
            specs[f"site-{changed}.yaml"] = (self.repository.create_blob(text.encode()), _BLOB)
        sites = self._folder({"big": (self.sites, _TREE)})
        tree = self._folder({"specs": (self._folder(specs), _TREE), "sites": (sites, _TREE)})
        person = pygit2.Signature("A Person", "person@example.org", 0, 0)
        return str(self.repository.create_commit(None, person, person, "many", tree, []))


@pytest.fixture(scope="module")
def fleet(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str, str]:
    home = tmp_path_factory.mktemp("home")
    made = Fleet(home)
    return home, made.commit(), made.commit(changed=4711)


def _tell(figure: str) -> None:
    print(figure)  # noqa: T201  (for whoever runs pytest with -s)


def _timed(what: str, act: Callable[[], Any], most: float) -> Any:
    started = process_time()
    result = act()
    took = process_time() - started
    _tell(f"{what}: {took * 1000:.1f} ms")
    assert took < most, what
    return result


def test_a_one_file_commit_among_ten_thousand_specs(fleet: tuple[Path, str, str]) -> None:
    home, before, after = fleet
    source, specs = open_source(home), CachedSpecs(YamlSpecs())

    def catalogue(commit: str) -> Catalogue:
        files = {
            path: specs.parse_blob(path, entry.blob, source.read)
            for path, entry in source.entries(commit).items()
        }
        return assemble(commit, files)

    old = _timed("cold: list, read, parse, validate and assemble 10,000 specs", lambda: catalogue(before), 20)
    assert len(old.sites) == _COUNT

    def decide() -> frozenset[str]:
        return touched(old, catalogue(after), source.changed(before, after))

    assert _timed("decide on a commit that changes one of them", decide, 1) == {"site-4711"}


def test_reading_the_repository(fleet: tuple[Path, str, str]) -> None:
    home, before, after = fleet
    source = open_source(home)
    assert len(_timed("entries, first", lambda: source.entries(before), 2)) == _COUNT
    assert len(_timed("entries, after a change", lambda: source.entries(after), 1)) == _COUNT
    assert _timed("changed", lambda: source.changed(before, after), 1) == {"specs/site-4711.yaml"}
    assert len(_timed("changed, from nothing", lambda: source.changed("", after), 2)) == 2 * _COUNT


async def test_content_of_ten_thousand_files(fleet: tuple[Path, str, str]) -> None:
    home, before, _ = fleet
    source = open_source(home)
    started = process_time()
    tree = await source.content(before, Content("sites/big"))
    looked = process_time()
    path = await source.archive(tree)
    written = process_time()
    await source.content(before, Content("sites/big"))
    await source.archive(tree)
    again = process_time()
    _tell(f"content: {looked - started:.2f} s, archive: {written - looked:.2f} s")
    _tell(f"both, known: {again - written:.4f} s")
    assert path.stat().st_size > _COUNT * 512
    assert again - written < 0.2


def test_a_bomb_of_trees_is_refused_fast(fleet: tuple[Path, str, str]) -> None:
    """Ten objects that stand for 10^10 files: https://kate.io/blog/git-bomb/ ."""
    home, before, _ = fleet
    repository = pygit2.Repository(str(home / "specs.git"))
    entry, mode = repository.create_blob(b"boom"), _BLOB
    for _ in range(10):
        builder = repository.TreeBuilder()
        for number in range(10):
            builder.insert(f"f{number}.yaml", entry, mode)
        entry, mode = builder.write(), _TREE
    top = repository.TreeBuilder()
    top.insert("specs", entry, _TREE)
    person = pygit2.Signature("A Person", "person@example.org", 0, 0)
    bomb = str(repository.create_commit(None, person, person, "boom", top.write(), []))
    source = open_source(home)
    for ask in (lambda: source.changed(before, bomb), lambda: source.entries(bomb)):
        started = process_time()
        with pytest.raises(TerminalError, match="holds more than 200000 files"):
            ask()
        assert process_time() - started < 2


async def test_a_bomb_of_folders_is_refused(fleet: tuple[Path, str, str]) -> None:
    home, _, _ = fleet
    repository = pygit2.Repository(str(home / "specs.git"))
    entry, mode = repository.create_blob(b"deep"), _BLOB
    for _ in range(5000):
        builder = repository.TreeBuilder()
        builder.insert("d", entry, mode)
        entry, mode = builder.write(), _TREE
    person = pygit2.Signature("A Person", "person@example.org", 0, 0)
    deep = str(repository.create_commit(None, person, person, "deep", entry, []))
    source = open_source(home)
    assert isinstance(source, EmbeddedRepository)
    for ask in (lambda: source.changed("", deep), lambda: source.entries(deep)):
        with pytest.raises(TerminalError, match="deep"):
            ask()
    with pytest.raises(TerminalError, match="deep"):
        await source.content(deep, Content("d"))
