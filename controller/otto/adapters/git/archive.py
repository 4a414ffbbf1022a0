"""Tar archives of content: the same bytes for the same tree, made once, kept until pruned."""

import io
import os
import tarfile
import tempfile
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import pygit2

from otto.adapters.git.content import File
from otto.model.errors import TransientError

_KEPT = 50


class Archives:
    """A folder of archives, named after the tree they hold.

    Args:
        folder: where they lie.
        keep: how many are kept; the least lately used go first.
    """

    def __init__(self, folder: Path, keep: int = _KEPT) -> None:
        self._folder = folder
        self._keep = keep

    def find(self, tree: str) -> Path | None:
        """The archive of a tree, if it is there."""
        path = self._folder / f"{tree}.tar"
        try:
            os.utime(path)
        except FileNotFoundError:
            return None
        return path

    def make(self, repository: pygit2.Repository, tree: str, files: Sequence[File]) -> Path:
        """Write the archive of a tree, all of it or nothing.

        Raises:
            TransientError: there is no room, or no right, to write it.
        """
        path = self._folder / f"{tree}.tar"
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            self._write(repository, files, path)
            self._prune(path)
        except OSError as error:
            raise TransientError(f"the archive {path} cannot be written: {error.strerror}") from error
        return path

    def _write(self, repository: pygit2.Repository, files: Sequence[File], path: Path) -> None:
        handle, name = tempfile.mkstemp(dir=self._folder, prefix=f".{path.stem}.", suffix=".part")
        try:
            with os.fdopen(handle, "wb") as stream:
                write(repository, files, stream)
                stream.flush()
                os.fsync(stream.fileno())
            Path(name).replace(path)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise

    def _prune(self, newest: Path) -> None:
        aged = sorted(self._folder.glob("*.tar"), key=_age, reverse=True)
        for path in aged[self._keep :]:
            if path != newest:
                path.unlink(missing_ok=True)
        # Parts whose writer was killed: nothing is written for as long as an hour.
        for part in self._folder.glob(".*.part"):
            if _age(part) < _age(newest) - 3600:
                part.unlink(missing_ok=True)


def _age(path: Path) -> float:
    with suppress(OSError):
        return path.stat().st_mtime
    return 0.0


def write(repository: pygit2.Repository, files: Sequence[File], stream: io.BufferedIOBase) -> None:
    """Write an archive that depends on nothing but names, bytes and the executable bit of files."""
    with tarfile.open(fileobj=stream, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for folder in _folders(files):
            archive.addfile(_head(folder, tarfile.DIRTYPE, 0o755))
        for file in files:
            data = repository.odb.read(file.blob)[1]
            head = _head(file.path, tarfile.REGTYPE, 0o755 if file.executable else 0o644)
            head.size = len(data)
            archive.addfile(head, io.BytesIO(data))


def _head(name: str, kind: bytes, mode: int) -> tarfile.TarInfo:
    head = tarfile.TarInfo(name)
    head.type, head.mode, head.mtime = kind, mode, 0
    return head


def _folders(files: Sequence[File]) -> list[str]:
    folders: set[str] = set()
    for file in files:
        path = file.path.rpartition("/")[0]
        while path and path not in folders:
            folders.add(path)
            path = path.rpartition("/")[0]
    return sorted(folders)
