"""Commits and tags as git stores them, for signatures to be checked over the very bytes."""

import pygit2

from otto.decide.gitobject import MOST_BYTES
from otto.model.errors import TerminalError
from otto.model.signature import GitObject, TagRef

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
    return bool(repository.descendant_of(commit, earlier))
