"""From a spec's `content` to the id of a tree, and from there to an archive."""

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Iterable
from pathlib import Path
from threading import Lock

import pygit2

from otto.adapters.git.archive import Archives
from otto.adapters.git.content import ContentLimits, File, files
from otto.adapters.git.external import External
from otto.adapters.git.inspecting import Inspector
from otto.adapters.git.trees import Trees
from otto.model.errors import TerminalError
from otto.model.inspection import Inspection
from otto.model.signature import GitObject
from otto.model.spec import Content
from otto.ports import Moved

_REMEMBERED = 1024

Vouch = Callable[[str, GitObject], Awaitable[None]]


async def anybody(_where: str, _found: GitObject) -> None:
    """Content of anybody's may be used."""


class Contents:
    """Content of sites, out of the spec repository or others.

    Args:
        trees: the spec repository.
        external: the other repositories.
        archives: where archives lie.
        limits: how much one site may serve.
        inspector: looks through them.
        vouch: is shown what content of another repository comes from; raises where it may not be used.
    """

    def __init__(
        self,
        trees: Trees,
        external: External,
        archives: Archives,
        limits: ContentLimits,
        inspector: Inspector,
        *,
        vouch: Vouch = anybody,
    ) -> None:
        self._vouch = vouch
        self._trees = trees
        self._external = external
        self._archives = archives
        self._limits = limits
        self._inspector = inspector
        self._good: OrderedDict[str, None] = OrderedDict()
        self._lock = Lock()

    async def resolve(self, commit: str, content: Content) -> str:
        """Id of the tree a site's content resolves to, looked through before it is given out.

        Raises:
            TerminalError: no such folder, or it holds what may not be served.
            TransientError: the content's own repository cannot be reached and was never fetched.
        """
        trees = self._trees
        if content.git:
            trees, commit = await self._external.resolve(content.git, content.ref)
            await self._vouch(
                f"of {content.git} at {content.ref}", self._external.proof(content.git, content.ref)
            )
        where = content.path or "/"
        item = trees.subtree(commit, content.path)
        if item is None or not item.folder:
            what = "is not there" if item is None else "is not a folder"
            origin = f" of {content.git} at {content.ref}" if content.git else ""
            mend = "commit that folder, or set spec.content.path"
            raise TerminalError(f"the content folder {where}{origin} {what}", mend=mend)
        if item.id not in self._good:
            await asyncio.to_thread(self._inspect, trees.path, item.id, where)
        return item.id

    def revision(self, content: Content) -> str:
        """The commit of the content's own repository that was fetched last; "" where there is none."""
        return (self._external.last(content.git, content.ref) or "") if content.git else ""

    def stale(self, content: Content) -> str:
        """Why the content's own repository could not be looked at the last time; "" where it could."""
        return self._external.trouble(content.git, content.ref) if content.git else ""

    def _inspect(self, path: Path, tree: str, where: str) -> None:
        try:
            self._files(pygit2.Repository(str(path)), tree)
        except TerminalError as error:
            raise TerminalError(f"{where}: {error.message}", mend=error.mend) from error

    def _files(self, repository: pygit2.Repository, tree: str) -> tuple[File, ...]:
        found = files(repository, tree, self._limits)
        with self._lock:
            self._good[tree] = None
            if len(self._good) > _REMEMBERED:
                self._good.popitem(last=False)
        return found

    def expire(self, git: str) -> None:
        """Have the next look at a repository fetch it."""
        self._external.expire(git)

    def on_moved(self, listener: Moved) -> None:
        """Have a listener hear when a fetch finds a repository's ref at another commit."""
        self._external.on_moved(listener)

    async def archive(self, tree: str) -> Path:
        """A tar of a tree that `resolve` gave out, the same bytes every time.

        Raises:
            TerminalError: no repository holds that tree.
        """
        return await asyncio.to_thread(self._archive, tree)

    def _archive(self, tree: str) -> Path:
        if (found := self._archives.find(tree)) is not None:
            return found
        repository = self._holder(tree)
        return self._archives.make(repository, tree, self._files(repository, tree))

    async def inspect(self, tree: str, domains: Iterable[str]) -> Inspection:
        """What is wrong with a tree that `resolve` gave out, for a site with these domains.

        Raises:
            TerminalError: no repository holds that tree.
        """
        repository = await asyncio.to_thread(self._holder, tree)
        return await self._inspector.inspect(Path(repository.path), tree, domains)

    def _holder(self, tree: str) -> pygit2.Repository:
        """The repository that holds a tree. A thread gets one of its own: libgit2's are not shared."""
        for trees in (self._trees, *self._external.all()):
            if (trees.path / "HEAD").exists():
                repository = pygit2.Repository(str(trees.path))
                if tree in repository:
                    return repository
        raise TerminalError(f"no repository holds the content {tree}", mend="push the commit that holds it")
