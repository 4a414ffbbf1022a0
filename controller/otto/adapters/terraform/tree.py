"""Digest of a folder's files."""

import hashlib
import os
from collections.abc import Iterator
from pathlib import Path

from otto.model.canonical import digest

_LEFT_OUT = frozenset({"tests", "__pycache__"})

Signature = tuple[tuple[str, int, int], ...]


def signature(folder: Path) -> Signature:
    """What tells cheaply whether a folder's digest may have changed: names, sizes, times."""
    return tuple(
        (str(path.relative_to(folder)), stat.st_size, stat.st_mtime_ns)
        for path in _files(folder)
        if (stat := path.stat())
    )


def digest_of(folder: Path) -> str:
    """Names the content of a module: its files' names and bytes, without tests and hidden files."""
    return digest({str(path.relative_to(folder)): _of_file(path) for path in _files(folder)})


def _of_file(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _files(folder: Path) -> Iterator[Path]:
    for parent, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if name not in _LEFT_OUT and not name.startswith("."))
        yield from (Path(parent, name) for name in sorted(names) if not _hidden(name))


def _hidden(name: str) -> bool:
    return name.startswith(".") or name.endswith((".tftest.hcl", ".md"))
