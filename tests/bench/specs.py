"""Many specs: a controller's cold start over 10,000 of them, its memory, and a commit that changes one."""

import asyncio
import json
import os
import subprocess
import sys
import tempfile
import time
from asyncio.subprocess import Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pygit2
import yaml
from tests.bench.figure import Figure, amount, median
from tests.bench.plain import ScriptError
from tests.bench.progress import say

from otto.adapters.git import seed

SITES = 10_000
COMMITS = 10
COLD = 10_000.0
MEMORY = 400.0
COMMIT = 100.0
_LONGEST = 120.0


def measure() -> list[Figure]:
    return asyncio.run(_measure())


async def _measure() -> list[Figure]:
    with tempfile.TemporaryDirectory(prefix="otto-b.") as folder:
        home = Path(folder)
        say(f"specs: making a repository of {SITES} specs")
        await asyncio.to_thread(_repository, home)
        parse = _plain_parsing(home)
        began = time.perf_counter()
        async with _controller(home) as controller:
            started = await _told(controller)
            cold = (time.perf_counter() - began) * 1000
            told = [await _decided(controller, home, number) for number in range(COMMITS)]
    decided = [one["milliseconds"] for one in told]
    say(f"specs: decided after {', '.join(amount(one) for one in decided)} ms")
    what = f"of a controller over {SITES} specs"
    return [
        Figure(f"cold start {what}", cold, "ms", COLD, "PyYAML alone (C loader)", parse),
        Figure(f"peak memory {what}, started", started["peak"], "MiB", MEMORY),
        Figure(f"the same, after {COMMITS} commits", told[-1]["peak"], "MiB"),
        Figure(f"one changed spec among {SITES}, median", median(decided), "ms", COMMIT, "cold start", cold),
        Figure("the same, slowest", max(decided), "ms"),
    ]


@asynccontextmanager
async def _controller(home: Path) -> AsyncIterator[Process]:
    """A controller in a process of its own, whose memory is nobody else's."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.bench.coldstart"),
        env=os.environ | {"OTTO_HOME": str(home)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    try:
        yield process
    finally:
        process.terminate()
        await process.wait()


async def _decided(controller: Process, home: Path, number: int) -> dict[str, float]:
    """What a look at one more commit took, from the word that there is one until all it touches is due."""
    _commit_one(home, 77 + number)
    assert controller.stdin is not None
    controller.stdin.write(b"look\n")
    told = await _told(controller)
    assert told["sites"] == SITES, told
    assert told["due"] == 1, told
    return told


async def _told(controller: Process) -> dict[str, float]:
    assert controller.stdout is not None
    async with asyncio.timeout(_LONGEST):
        line = await controller.stdout.readline()
    if not line:
        raise ScriptError("the controller ended before it had started")
    found: dict[str, float] = json.loads(line)
    return found


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
