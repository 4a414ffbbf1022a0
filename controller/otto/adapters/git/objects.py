"""Commits and tags as git stores them, for signatures to be checked over the very bytes."""

from collections import deque
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import pygit2

from otto.decide.gitobject import MOST_BYTES
from otto.model.errors import TerminalError
from otto.model.signature import GitObject, TagRef

# Commits that are looked at in a copy whose history is cut off somewhere.
_FARTHEST = 10_000
_KINDS = {
    pygit2.enums.ObjectType.COMMIT: "commit",
    pygit2.enums.ObjectType.TAG: "tag",
    pygit2.enums.ObjectType.TREE: "tree",
    pygit2.enums.ObjectType.BLOB: "blob",
}


def read_object(repository: pygit2.Repository, identity: str) -> GitObject:
    """An object by id; libgit2 checks that the bytes are those that the id is of.

    Raises:
        TerminalError: it is far too big for a commit or tag.
        KeyError: there is no such object.
        ValueError: that is no id.
        pygit2.GitError: it cannot be read.
    """
    size = repository.odb.read_header(identity)[1]
    if size > MOST_BYTES:
        message = f"the object {identity[:12]} is {size} bytes, at most {MOST_BYTES} are allowed"
        raise TerminalError(message, mend="make a commit or tag with a shorter message")
    kind, data = repository.odb.read(identity)
    return GitObject(identity, _KINDS.get(kind, "object"), data)


def read_tags(repository: pygit2.Repository, prefix: str) -> tuple[TagRef, ...]:
    """References below a prefix, by the rest of their names."""
    found: list[TagRef] = []
    for name in repository.references:
        if name.startswith(prefix):
            target = repository.references[name].target
            if isinstance(target, pygit2.Oid):
                found.append(TagRef(name.removeprefix(prefix), str(target)))
    return tuple(found)


def reaches(repository: pygit2.Repository, commit: str, earlier: str) -> bool:
    """Whether a commit is, or builds on, an earlier one; False where that cannot be told."""
    if commit == earlier:
        return True
    if earlier not in repository or commit not in repository:
        return False
    if is_shallow(repository):
        return earlier in islice(_ancestors(repository, commit), _FARTHEST)
    return bool(repository.descendant_of(commit, earlier))


def is_shallow(repository: pygit2.Repository) -> bool:
    """Whether some of the history was not fetched."""
    return Path(repository.path, "shallow").is_file()


def _ancestors(repository: pygit2.Repository, commit: str) -> Iterator[str]:
    """Commits that a commit builds on, as far as they are here.

    By their own words: libgit2 has commits at the edge of a shallow copy build on nothing, though what they
    build on may have been made right here.
    """
    seen, left = {commit}, deque([commit])
    while left:
        for parent in _parents(repository, left.popleft()):
            if parent not in seen and parent in repository:
                yield parent
                seen.add(parent)
                left.append(parent)


def _parents(repository: pygit2.Repository, commit: str) -> list[str]:
    head, _, _ = repository.odb.read(commit)[1].partition(b"\n\n")
    lines = head.decode(errors="replace").split("\n")
    return [line.removeprefix("parent ") for line in lines if line.startswith("parent ")]
