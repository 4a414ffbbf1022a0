from pathlib import Path

import pytest

from otto.adapters.git import EmbeddedRepository, open_source, seed

from .gitting import Work

SPEC = "apiVersion: otto/v1\nkind: Site\nmetadata: {name: hello}\nspec: {content: {path: sites/hello}}\n"


@pytest.fixture
def work(tmp_path: Path) -> Work:
    """A working copy with one site in it, committed."""
    made = Work(tmp_path / "work")
    made.commit({"specs/hello.yaml": SPEC, "sites/hello/index.html": "<p>hello"})
    return made


@pytest.fixture
def home(tmp_path: Path, work: Work) -> Path:
    """An OTTO_HOME with an embedded repository that holds nothing yet."""
    seed(tmp_path / "home", tmp_path / "none", tmp_path / "none")
    return tmp_path / "home"


@pytest.fixture
def embedded(home: Path) -> EmbeddedRepository:
    source = open_source(home)
    assert isinstance(source, EmbeddedRepository)
    return source
