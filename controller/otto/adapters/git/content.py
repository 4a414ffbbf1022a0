"""What may be served: a folder of a repository, looked at before anything is made of it."""

from collections.abc import Iterator
from dataclasses import dataclass

import pygit2

from otto.adapters.git.trees import Item, items, text
from otto.model.errors import TerminalError

_DEEPEST = 64
_LINKS = 10
_GOAL = 4096  # bytes a link may lead with: PATH_MAX of Linux
_NAME = 255  # bytes: NAME_MAX of Linux
_PATH = 2000  # bytes: leaves room for the folders of a host, and for what an address may hold
_LFS = b"version https://git-lfs.github.com/spec/"
_LFS_LONGEST = 1024  # git-lfs, docs/spec.md: a pointer is smaller than this
_EXECUTABLE = 0o100755


@dataclass(frozen=True, slots=True)
class ContentLimits:
    """How much one site may serve.

    Attributes:
        files: number of files.
        size: bytes of all files together.
        file_size: bytes of one file.
    """

    files: int = 50_000
    size: int = 1024**3
    file_size: int = 256 * 1024**2


@dataclass(frozen=True, slots=True)
class File:
    """One file to serve: path within the content, blob, size, whether it is executable."""

    path: str
    blob: str
    size: int
    executable: bool


def files(repository: pygit2.Repository, tree: str, limits: ContentLimits) -> tuple[File, ...]:
    """All files of a content folder, in order of path; links to files inside it stand for those files.

    Raises:
        TerminalError: it holds something that cannot be served; the message names it.
    """
    found: dict[str, Item] = {}
    for path, item in _walk(repository, tree, _Room(limits.files)):
        if path in found:
            raise TerminalError(f"a name stands twice in the content: {path}", mend="commit the folder anew")
        found[path] = item
        if len(found) > limits.files:
            raise TerminalError(f"the content has more than {limits.files} files", mend="split the site")
    for path in found:
        if any(folder in found for folder in _above(path)):
            raise TerminalError(
                f"a file and a folder have one name in the content: {path}", mend="rename one"
            )
    if not found:
        raise TerminalError("the content folder is empty", mend="put at least an index.html there")
    listed = tuple(
        _file(repository, path, _target(repository, found, path), limits) for path in sorted(found)
    )
    total = sum(file.size for file in listed)
    if total > limits.size:
        raise TerminalError(f"the content is {total} bytes in all, at most {limits.size} are allowed")
    return listed


class _Room:
    """How much more there may be. Folders count too: a few objects can stand for 10^10 empty ones."""

    def __init__(self, files: int) -> None:
        self._most = files
        self._entries = 0

    def take(self) -> None:
        self._entries += 1
        if self._entries > 2 * self._most:
            raise TerminalError(f"the content has more than {self._most} files", mend="split the site")


def _walk(
    repository: pygit2.Repository, tree: str, room: _Room, prefix: str = "", depth: int = 0
) -> Iterator[tuple[str, Item]]:
    if depth > _DEEPEST:
        raise TerminalError(f"folders lie more than {_DEEPEST} deep in the content")
    for item in items(repository, tree):
        room.take()
        path = prefix + _name(item.name, prefix)
        if item.submodule:
            mend = "put the files themselves there, or name that repository as content.git"
            raise TerminalError(f"the content holds a submodule: {path}", mend=mend)
        if item.folder:
            yield from _walk(repository, item.id, room, f"{path}/", depth + 1)
        else:
            yield path, item


def _above(path: str) -> Iterator[str]:
    while path := path.rpartition("/")[0]:
        yield path


def _name(raw: bytes, prefix: str) -> str:
    try:
        name = raw.decode()
    except UnicodeDecodeError as error:
        raise TerminalError(
            f"a name in the content is not UTF-8: {prefix}{text(raw)}", mend="rename it"
        ) from error
    # What git refuses to make itself, a hand-made tree can hold; unpacked, it would leave the folder.
    if name in ("", ".", "..") or name.lower() == ".git" or "/" in name or not name.isprintable():
        shown = name.encode("unicode_escape").decode("ascii")
        raise TerminalError(f"a name in the content is not allowed: {prefix}{shown}", mend="rename it")
    if len(raw) > _NAME or len(prefix.encode()) + len(raw) > _PATH:
        message = f"a name in the content is longer than hosts take: {prefix}{name[:40]}…"
        mend = f"use names of at most {_NAME} bytes, {_PATH} with their folders"
        raise TerminalError(message, mend=mend)
    return name


def _target(repository: pygit2.Repository, found: dict[str, Item], path: str) -> Item:
    """What a path stands for, links followed as far as they stay inside."""
    start, item = path, found[path]
    for _ in range(_LINKS):
        if not item.link:
            return item
        goal = _goal(repository, item.id)
        path = _resolved(path, goal) or ""
        if path not in found:
            shown = goal[:100].encode("unicode_escape").decode("ascii")
            message = f"the content holds a link that leads to no file inside it: {start} -> {shown}"
            raise TerminalError(message, mend="put the file itself there")
        item = found[path]
    raise TerminalError(f"links in the content lead in a circle: {start}", mend="put the file itself there")


def _goal(repository: pygit2.Repository, blob: str) -> str:
    """What a link says; "" for one that is longer than any can be, and might fill the memory."""
    if repository.odb.read_header(blob)[1] > _GOAL:
        return ""
    data: bytes = repository.odb.read(blob)[1]
    return data.decode("utf-8", "replace")


def _resolved(path: str, goal: str) -> str | None:
    """Where a link leads to, None when that is outside."""
    if goal.startswith("/"):
        return None
    parts = path.split("/")[:-1]
    for part in goal.split("/"):
        if part == "..":
            if not parts:
                return None
            parts.pop()
        elif part not in ("", "."):
            parts.append(part)
    return "/".join(parts)


def _file(repository: pygit2.Repository, path: str, item: Item, limits: ContentLimits) -> File:
    size = repository.odb.read_header(item.id)[1]
    if size > limits.file_size:
        message = f"a file of the content is {size} bytes, at most {limits.file_size} are allowed: {path}"
        raise TerminalError(message)
    if len(_LFS) < size < _LFS_LONGEST and repository.odb.read(item.id)[1].startswith(_LFS):
        mend = "add the file itself (git lfs migrate export)"
        raise TerminalError(f"the content holds a Git LFS pointer instead of a file: {path}", mend=mend)
    return File(path, item.id, size, item.mode == _EXECUTABLE)
