"""Commits made without a checkout."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

import pygit2
from pygit2.enums import FileMode

from otto.adapters.git.signing import Signing
from otto.adapters.git.trees import Trees
from otto.model.document import Commission
from otto.model.errors import TerminalError, UsageError
from otto.model.text import one_line

COMMITTER = ("OttO", "otto@localhost")
_KEPT_MODES = (FileMode.BLOB, FileMode.BLOB_EXECUTABLE)
_LONGEST = 200


@dataclass
class _Change:
    """What is to become of a folder: files of its own, and folders in it."""

    files: dict[str, bytes | None] = field(default_factory=dict)
    folders: dict[str, "_Change"] = field(default_factory=dict)


class Drafts:
    """Makes commits that no branch leads to.

    Args:
        trees: the repository.
        signing: signs them, None for commits without a signature.
    """

    def __init__(self, trees: Trees, signing: Signing | None = None) -> None:
        self._trees = trees
        self._signing = signing

    async def make(self, commission: Commission, now: datetime) -> str:
        """A commit upon the commission's base.

        Raises:
            UsageError: a path leads through a file, a link or another repository.
            TerminalError: the base is not there, or the commit cannot be signed.
        """
        try:
            content = self._trees.ask(lambda repository: _content(repository, commission, now))
        except (KeyError, pygit2.GitError) as error:
            raise TerminalError(f"no commit can be made upon {commission.base[:12]}: {error}") from error
        signature = await self._signing.sign(content.encode()) if self._signing else None

        def keep(repository: pygit2.Repository) -> str:
            if signature is None:
                return str(repository.odb.write(pygit2.enums.ObjectType.COMMIT, content.encode()))
            return str(repository.create_commit_with_signature(content, signature, "gpgsig"))

        return self._trees.ask(keep)


def _content(repository: pygit2.Repository, commission: Commission, now: datetime) -> str:
    """The commit as git stores it, its tree written."""
    base = repository[commission.base].peel(pygit2.Commit) if commission.base else None
    change = _sorted(commission.files)
    tree = _written(repository, str(base.tree_id) if base else None, change, "")
    if tree is None:
        tree = repository.TreeBuilder().write()
    seconds = int(now.timestamp())
    author = pygit2.Signature(_name(commission.author), _name(commission.email), seconds, 0)
    committer = pygit2.Signature(*COMMITTER, seconds, 0)
    parents: list[str | pygit2.Oid] = [base.id] if base else []
    found: object = repository.create_commit_string(
        author, committer, _message(commission.message), tree, parents
    )
    return str(found)  # the type's own description says that it is an id


def _sorted(files: Mapping[str, bytes | None]) -> _Change:
    top = _Change()
    for path, data in files.items():
        *folders, name = path.split("/")
        if any(part in ("", ".", "..") or part.lower() == ".git" for part in (*folders, name)):
            raise UsageError(f"{one_line(path, _LONGEST)} is no path in a repository")
        at = top
        for folder in folders:
            at = at.folders.setdefault(folder, _Change())
        at.files[name] = data
    return top


def _written(
    repository: pygit2.Repository, tree: str | None, change: _Change, path: str
) -> pygit2.Oid | None:
    """The folder after the change; None when nothing is left in it."""
    before = repository[tree].peel(pygit2.Tree) if tree else None
    builder = repository.TreeBuilder(before) if before else repository.TreeBuilder()
    for name, inner in change.folders.items():
        found = before[name] if before is not None and name in before else None
        where = f"{path}{name}"
        if found is not None and found.filemode != FileMode.TREE:
            raise UsageError(f"{where} is in the way: it is no folder", mend="move it by a commit")
        below = _written(repository, str(found.id) if found else None, inner, f"{where}/")
        if below is not None:
            builder.insert(name, below, FileMode.TREE)
        elif found is not None:
            builder.remove(name)
    for name, data in change.files.items():
        found = before[name] if before is not None and name in before else None
        mode = FileMode(found.filemode) if found is not None else FileMode.BLOB
        if mode not in _KEPT_MODES:
            raise UsageError(f"{path}{name} is no file that can be written", mend="change it by a commit")
        if data is not None:
            builder.insert(name, repository.create_blob(data), mode)
        elif found is not None:
            builder.remove(name)
    return builder.write() if len(builder) else None


def _name(words: str) -> str:
    """A name or address as it may stand in a commit: one line, without the signs that end it."""
    plain = "".join(letter for letter in words if letter.isprintable() and letter not in "<>")
    return " ".join(plain.split())[:_LONGEST].strip(" .,:;\"'") or "unknown"


def _message(words: str) -> str:
    lines = ("".join(c for c in line if c.isprintable() or c == "\t").rstrip() for line in words.split("\n"))
    return "\n".join(lines).strip() + "\n"
