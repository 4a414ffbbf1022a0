"""The port `Source`, over the embedded bare repository and over a remote one."""

import asyncio
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pygit2

from otto.adapters.git.access import Keyring
from otto.adapters.git.contents import Contents
from otto.adapters.git.demand import Demanded, Gatehouse, nothing, wants_tags
from otto.adapters.git.fetch import Request, fetch
from otto.adapters.git.locks import free_stale
from otto.adapters.git.objects import reaches, read_object, read_tags
from otto.adapters.git.trees import Trees
from otto.model.catalogue import Entry
from otto.model.errors import TerminalError, TransientError
from otto.model.inspection import Inspection
from otto.model.signature import GitObject, TagRef
from otto.model.spec import Content
from otto.ports import Moved

_LAST = "refs/otto/last"
_KEPT = "refs/otto/keep/"


class _Repository:
    """What both have in common: everything but `fetch`."""

    _tags = "refs/tags/"

    def __init__(self, trees: Trees, contents: Contents) -> None:
        self._trees = trees
        self._contents = contents

    @property
    def trees(self) -> Trees:
        """The repository itself, for who writes to it."""
        return self._trees

    def entries(self, commit: str) -> Mapping[str, Entry]:
        """Spec files of a commit by path."""
        return self._trees.entries(commit)

    def changed(self, before: str, after: str) -> frozenset[str]:
        """Paths that differ between two commits; all of `after` when `before` is "" or unknown."""
        return self._trees.changed(before, after)

    def read(self, blob: str) -> bytes:
        """Bytes of a blob."""
        return self._trees.read(blob)

    def object(self, identity: str) -> GitObject:
        """A commit or tag as git stores it.

        Raises:
            TerminalError: there is no such object, or it is far too big for one of these.
        """
        try:
            return self._trees.ask(lambda repository: read_object(repository, identity))
        except (KeyError, ValueError, pygit2.GitError) as error:
            raise TerminalError(f"the repository holds no object {identity[:40]}") from error

    def tags(self) -> tuple[TagRef, ...]:
        """The tags there are; of a remote repository only while signed tags are demanded."""
        return self._trees.ask(lambda repository: read_tags(repository, self._tags))

    def reaches(self, commit: str, earlier: str) -> bool:
        """Whether a commit is, or builds on, an earlier one, as far as the history is here."""
        try:
            # Opened anew: libgit2 goes on seeing a history as cut off that is whole by now.
            return self._trees.ask(lambda repository: reaches(repository, commit, earlier), anew=True)
        except (KeyError, ValueError, pygit2.GitError):
            return False  # a history that is cut off, as that of a shallow copy

    async def content(self, commit: str, content: Content) -> str:
        """Id of the tree that a site's content resolves to."""
        return await self._contents.resolve(commit, content)

    def revision(self, content: Content) -> str:
        """The commit of the content's own repository that was fetched last; "" where there is none."""
        return self._contents.revision(content)

    def stale(self, content: Content) -> str:
        """Why the content may not be the newest; "" where it is."""
        return self._contents.stale(content)

    async def archive(self, content: str) -> Path:
        """A tar of the files of a tree, the same bytes every time, kept until pruned."""
        return await self._contents.archive(content)

    async def inspect(self, content: str, domains: Iterable[str] = ()) -> Inspection:
        """What is wrong with the files of a tree."""
        return await self._contents.inspect(content, domains)

    def author(self, commit: str) -> str:
        """Who wrote a commit, "" when that is not known."""
        return self._trees.author(commit)

    def expire(self, git: str) -> None:
        """Have the next `content` out of this repository fetch it."""
        self._contents.expire(git)

    def on_moved(self, listener: Moved) -> None:
        """Have a listener hear when a fetch finds a content repository's ref at another commit."""
        self._contents.on_moved(listener)

    def last(self) -> str | None:
        """The commit that was fetched last, also by an earlier start."""
        return self._trees.tip(_LAST) if (self._trees.path / "HEAD").exists() else None

    def retain(self, commits: Iterable[str]) -> None:
        """Keep these commits and no others from being pruned: those that last good specs came with."""
        wanted = set(commits)

        def keep(repository: pygit2.Repository) -> None:
            held = {name.removeprefix(_KEPT) for name in repository.references if name.startswith(_KEPT)}
            for commit in wanted - held:
                with suppress(KeyError, ValueError):
                    repository.references.create(_KEPT + commit, repository[commit].id, force=True)
            for commit in held - wanted:
                repository.references.delete(_KEPT + commit)

        self._write(keep)

    def _advance(self, commit: str) -> None:
        if self.last() != commit:

            def lead(repository: pygit2.Repository) -> None:
                repository.references.create(_LAST, commit, force=True)

            self._write(lead)

    def _write(self, change: Callable[[pygit2.Repository], None]) -> None:
        """Change refs of ours, if need be past a lock that was left by a killed process.

        Raises:
            TransientError: they cannot be written, or somebody does just now.
        """
        try:
            self._trees.ask(change)
        except (pygit2.GitError, OSError) as error:
            message = f"refs in {self._trees.path} cannot be written: {error}"
            if not free_stale(self._trees.path):
                raise TransientError(message) from error
            try:
                self._trees.ask(change)
            except (pygit2.GitError, OSError) as again:
                raise TransientError(message) from again


class EmbeddedRepository(_Repository):
    """The bare repository in OTTO_HOME that people push to.

    Args:
        trees: reads it.
        contents: content of sites.
        branch: the branch that is followed.
        gatehouse: sees to it that pushes are judged when that is demanded.
    """

    def __init__(
        self, trees: Trees, contents: Contents, branch: str = "main", gatehouse: Gatehouse | None = None
    ) -> None:
        super().__init__(trees, contents)
        self.branch = branch
        self._gatehouse = gatehouse

    async def fetch(self) -> str | None:
        """The commit of the branch; None before the first push.

        Raises:
            TerminalError: the branch is gone; what it held last stays readable.
            TransientError: the repository cannot be opened.
        """
        try:
            if self._gatehouse is not None:
                self._gatehouse.look()
            commit = self._trees.tip(f"refs/heads/{self.branch}")
            if commit is not None:
                self._advance(commit)
            elif self.last() is not None:
                mend = f"push {self.branch} again; until then the last good specs stay in force"
                raise TerminalError(f"the branch {self.branch} is gone", mend=mend)
        except (pygit2.GitError, OSError) as error:
            raise TransientError(f"the repository {self._trees.path} cannot be read: {error}") from error
        return commit


class RemoteRepository(_Repository):
    """A repository elsewhere, of which a bare copy is kept.

    Args:
        trees: reads the copy.
        contents: content of sites.
        url: address, without credentials.
        keyring: credentials by host.
        branch: the branch that is followed.
        timeout: seconds one fetch may take.
        signatures: says which signatures are demanded now.
    """

    _tags = "refs/otto/tags/"

    def __init__(
        self,
        trees: Trees,
        contents: Contents,
        *,
        url: str,
        keyring: Keyring,
        branch: str = "main",
        timeout: float = 60.0,
        signatures: Demanded = nothing,
    ) -> None:
        super().__init__(trees, contents)
        self.keyring = keyring
        self.branch = branch
        self.url = url
        self._request = Request(trees.path, url, f"refs/heads/{branch}", "refs/otto/source", timeout)
        self._signatures = signatures
        self._lock = asyncio.Lock()

    async def fetch(self, *, history: bool = False) -> str | None:
        """Bring the copy up to date; the commit of the branch, None while the remote is empty.

        Args:
            history: whether all commits before it are needed too.

        Raises:
            TransientError: the remote cannot be reached; the last good revision stays readable.
            TerminalError: the branch is gone, or the remote refused us.
        """
        request = replace(self._request, tags=wants_tags(self._signatures()), history=history)
        async with self._lock:
            commit = await fetch(request, self.keyring.access(self._request.url))
        if commit is not None:
            self._advance(commit)
        elif self.last() is not None:
            mend = "push it again; until then the last good specs stay in force"
            raise TerminalError(f"{self._request.url} is empty now, {self.branch} is gone", mend=mend)
        return commit
