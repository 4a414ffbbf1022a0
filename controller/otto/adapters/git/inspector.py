"""Looks through one tree, run as a program of its own: `python -I -m otto.adapters.git.inspector`.

So that what hostile files cost is bounded: memory and time are this program's, and it can be killed.
Reads one JSON object on standard input (see `Inspector`), writes an `Inspection` as JSON.
"""

import json
import os
import resource
import signal
import sys
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import pygit2

from otto.adapters.git.content import ContentLimits, File, files
from otto.adapters.git.remembered import Remembered, rules
from otto.decide.content.reading import LONGEST, facts, kind, too_long, unread
from otto.decide.content.together import inspection
from otto.model.canonical import to_data
from otto.model.inspection import Facts, Inspection
from otto.model.reading import read

_MEMORY = 3 * 1024**3  # address space of a process, packs mapped included
_MAPPED = 512 * 1024**2
# Fewer files are read in less time than it takes to start others that help.
_FEW = 24
# What is found out is kept in between: whoever is cut off has not worked in vain.
_BATCH = 400

_repository: pygit2.Repository


@dataclass(frozen=True, slots=True)
class Request:
    """What is looked through.

    Attributes:
        repository: path of the repository.
        tree: id of the content.
        domains: names the site answers for.
        cache: file of what is known already.
        limits: how much one site may serve.
        workers: processes that read at once.
        seconds: processor time that reading one file may take.
    """

    repository: str
    tree: str
    domains: tuple[str, ...]
    cache: str
    limits: ContentLimits
    workers: int = 2
    seconds: float = 10.0


class _SlowError(Exception):
    """Reading a file takes too long."""


def look(request: Request) -> Inspection:
    """Look through a tree."""
    _start(request.repository)
    listed = files(_repository, request.tree, request.limits)
    wanted = {file.path: file for file in listed if kind(file.path)}
    keys = {path: key_of(file) for path, file in wanted.items()}
    remembered = Remembered(Path(request.cache))
    known = remembered.find(dict.fromkeys(keys.values()))
    todo = {key: wanted[path] for path, key in keys.items() if key not in known}
    hits = set(known)
    for batch in _batches(list(todo.items()), request):
        known |= batch
        remembered.keep(batch)
    found = {path: read(Facts, known[key]) for path, key in keys.items()}
    answer = inspection(
        request.tree, frozenset(file.path for file in listed), found, frozenset(request.domains)
    )
    remembered.keep({tree_key(request.tree, request.domains): to_data(answer)}, hits)
    return answer


def key_of(file: File) -> str:
    """The key under which the facts of a file are kept."""
    return f"facts {rules()} {kind(file.path)} {file.blob}"


def tree_key(tree: str, domains: Sequence[str]) -> str:
    """The key under which the inspection of a tree is kept."""
    return f"tree {rules()} {tree} {' '.join(sorted(domains))}"


def _batches(todo: list[tuple[str, File]], request: Request) -> Iterator[Mapping[str, Any]]:
    with _reader(request, len(todo)) as reading:
        for place in range(0, len(todo), _BATCH):
            part = todo[place : place + _BATCH]
            answers = reading([(file, request.seconds) for _, file in part])
            yield {key: answer for (key, _), answer in zip(part, answers, strict=True)}


@contextmanager
def _reader(request: Request, count: int) -> Iterator[Any]:
    """What maps files to facts: this process alone for a few, several for many."""
    if count <= _FEW or request.workers <= 1:
        yield lambda jobs: map(_facts, jobs)
        return
    with ProcessPoolExecutor(
        request.workers, get_context("fork"), initializer=_start, initargs=(request.repository,)
    ) as pool:
        yield lambda jobs: pool.map(_facts, jobs, chunksize=8)


def _start(path: str) -> None:
    """Open the repository; each process gets one of its own."""
    global _repository  # noqa: PLW0603  (a worker has no other place for what it starts with)
    signal.signal(signal.SIGVTALRM, _slow)
    _repository = pygit2.Repository(path)


def _slow(*_: object) -> None:
    raise _SlowError


def _facts(job: tuple[File, float]) -> object:
    """Facts of one file, as plain data; never raises for what it holds."""
    file, seconds = job
    if file.size > LONGEST:
        return to_data(too_long(file.size))
    signal.setitimer(signal.ITIMER_VIRTUAL, seconds)
    try:
        return to_data(facts(kind(file.path), _repository.odb.read(file.blob)[1]))
    except _SlowError:
        return to_data(unread(f"reading it takes more than {seconds:g} s"))
    except MemoryError:
        return to_data(unread("reading it takes too much memory"))
    except Exception as error:  # noqa: BLE001  (a parser's mistake over one file costs that file alone)
        return to_data(unread(f"the parser gave up ({type(error).__name__})"))
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)


def main() -> None:
    """Read the request, look, answer."""
    request = read(Request, json.load(sys.stdin))
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))
    pygit2.settings.mwindow_mapped_limit = _MAPPED
    pygit2.settings.owner_validation = False
    json.dump(to_data(look(request)), sys.stdout)
    sys.stdout.flush()
    os._exit(0)


if __name__ == "__main__":
    main()
