"""A spec repository that is checked out somewhere, as in a CI job: read at its commits, never changed."""

from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path

import pygit2

from otto.adapters.git.access import Keyring
from otto.adapters.git.archive import Archives
from otto.adapters.git.content import ContentLimits
from otto.adapters.git.contents import Contents
from otto.adapters.git.external import External
from otto.adapters.git.inspecting import Inspector
from otto.adapters.git.trees import Trees
from otto.model.catalogue import Entry
from otto.model.errors import UsageError
from otto.model.inspection import Inspection
from otto.model.spec import Content


class Checkout:
    """Reads commits of a working copy.

    Args:
        path: a folder of the working copy, or a bare repository.
        cache: folder for copies of other repositories, and for what is known of files.
        folder: folder of the specs.
        keyring: access to content in other repositories, by host.
        limits: how much one site may serve.
        timeout: seconds one look through the content of a site may take.

    Raises:
        UsageError: it is no git repository.
    """

    def __init__(
        self,
        path: Path,
        cache: Path,
        *,
        folder: str = "specs",
        keyring: Keyring | None = None,
        limits: ContentLimits | None = None,
        timeout: float = 300.0,
    ) -> None:
        # A job's container often runs as another user than whoever checked out; nothing is executed here.
        pygit2.settings.owner_validation = False
        found = pygit2.discover_repository(str(path))
        if found is None:
            mend = "name a folder of a git repository; otto validate judges loose files"
            raise UsageError(f"{path} is in no git repository", mend=mend)
        self._path = Path(found)
        self._trees = Trees(self._path, folder)
        limits = limits or ContentLimits()
        self._contents = Contents(
            self._trees,
            External(cache / "git", keyring or Keyring()),
            Archives(cache / "content"),
            limits,
            Inspector(cache / "inspected.db", limits, timeout),
        )

    def commit(self, name: str) -> str:
        """Id of the commit that a name stands for: a branch, a tag, an id, `HEAD`.

        Raises:
            UsageError: it stands for none here.
        """
        repository = pygit2.Repository(str(self._path))
        for attempt in (name, f"origin/{name}"):
            with suppress(KeyError, ValueError, pygit2.GitError):
                return str(repository.revparse_single(attempt).peel(pygit2.Commit).id)
        raise UsageError(f"there is no commit {name} here", mend="fetch it first, with all of its history")

    def fork(self, base: str, head: str) -> str:
        """The commit that two have in common last.

        Raises:
            UsageError: none is here; a job may have fetched too little of the history.
        """
        found: object = pygit2.Repository(str(self._path)).merge_base(base, head)
        if found is None:
            mend = "fetch more of the history (fetch-depth: 0, GIT_DEPTH: 0)"
            raise UsageError(f"{base[:12]} and {head[:12]} have no commit in common here", mend=mend)
        return str(found)

    def uncommitted(self) -> int:
        """How many files differ from what is committed."""
        repository = pygit2.Repository(str(self._path))
        return 0 if repository.is_bare else len(repository.status(untracked_files="normal"))

    def entries(self, commit: str) -> Mapping[str, Entry]:
        """Spec files of a commit by path."""
        return self._trees.entries(commit)

    def changed(self, before: str, after: str) -> frozenset[str]:
        """Paths that differ between two commits."""
        return self._trees.changed(before, after)

    def read(self, blob: str) -> bytes:
        """Bytes of a blob."""
        return self._trees.read(blob)

    async def content(self, commit: str, content: Content) -> str:
        """Id of the tree that a site's content resolves to."""
        return await self._contents.resolve(commit, content)

    async def inspect(self, content: str, domains: Iterable[str] = ()) -> Inspection:
        """What is wrong with the files of a tree."""
        return await self._contents.inspect(content, domains)
