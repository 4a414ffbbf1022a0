"""Repositories that sites name as the origin of their content: fetched now and then, kept, shared."""

import asyncio
import time
from collections import defaultdict
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from urllib.parse import urlsplit

import pygit2

from otto.adapters.git.access import Keyring
from otto.adapters.git.fetch import Request, fetch
from otto.adapters.git.objects import read_object
from otto.adapters.git.trees import Trees
from otto.model.errors import OttoError, TerminalError, TransientError
from otto.model.signature import GitObject


class External:
    """Other repositories, by address.

    Args:
        folder: where their copies lie.
        keyring: credentials by host.
        local: whether repositories on this machine's disk will do: who writes a spec would publish them.
        interval: seconds that have to pass before a ref is fetched again.
        timeout: seconds one fetch may take.
        monotonic: tells the time.
    """

    def __init__(
        self,
        folder: Path,
        keyring: Keyring,
        *,
        local: bool = False,
        interval: float = 60.0,
        timeout: float = 60.0,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._folder = folder
        self._keyring = keyring
        self._local = local
        self._interval = interval
        self._timeout = timeout
        self._monotonic = monotonic
        self._locks: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._looked: dict[tuple[str, str], tuple[float, OttoError | None]] = {}
        self._trees: dict[str, Trees] = {}

    def all(self) -> tuple[Trees, ...]:
        """Every copy there is, those of earlier starts included."""
        for path in self._folder.glob("*.git"):
            self._trees.setdefault(path.stem, Trees(path, folder=""))
        return tuple(self._trees.values())

    async def resolve(self, url: str, ref: str) -> tuple[Trees, str]:
        """The copy of a repository and the commit that a ref leads to there.

        A remote that cannot be reached leaves the last fetched commit in force.

        Raises:
            TerminalError: the remote refused us or has no such ref, or a spec may not name it.
            TransientError: it cannot be reached and was never fetched.
        """
        self._allow(url)
        name = sha256(url.encode()).hexdigest()[:24]
        trees = self._trees.setdefault(name, Trees(self._folder / f"{name}.git", folder=""))
        into = f"refs/otto/content/{sha256(ref.encode()).hexdigest()[:24]}"
        async with self._locks[name]:
            await self._look(url, ref, trees.path, into)
        return trees, self._known(trees, url, ref, into)

    def proof(self, url: str, ref: str) -> GitObject:
        """What is signed of the last fetched commit: the tag that the ref names, or the commit.

        Raises:
            TerminalError: there is no such object, or it is far too big for one.
        """
        trees = self._trees[sha256(url.encode()).hexdigest()[:24]]
        into = f"content/{sha256(ref.encode()).hexdigest()[:24]}"

        def look(repository: pygit2.Repository) -> GitObject:
            tag = repository.references.get(f"refs/otto/tag-of/{into}")
            found = tag or repository.references[f"refs/otto/{into}"]
            return read_object(repository, str(found.target))

        try:
            return trees.ask(look)
        except (KeyError, ValueError, pygit2.GitError) as error:
            raise TerminalError(f"the commit of {ref} cannot be read any more") from error

    def _allow(self, url: str) -> None:
        if urlsplit(url).scheme == "file" and not self._local:
            mend = (
                "name it as https:// or ssh://, or let the controller's setting source.localContent allow it"
            )
            raise TerminalError(f"content from the controller's own disk is not allowed: {url}", mend=mend)

    async def _look(self, url: str, ref: str, path: Path, into: str) -> None:
        last = self._looked.get((url, ref))
        if last is not None and self._monotonic() - last[0] < self._interval:
            return
        failure: OttoError | None = None
        try:
            request = Request(path, url, ref, into, timeout=self._timeout)
            if await fetch(request, self._keyring.access(url)) is None:
                failure = TerminalError(f"the content repository {url} has no commit yet", mend="push one")
        except OttoError as error:
            failure = error
        self._looked[url, ref] = (self._monotonic(), failure)

    def _known(self, trees: Trees, url: str, ref: str, into: str) -> str:
        _, failure = self._looked[url, ref]
        if isinstance(failure, TerminalError):
            raise failure
        known = trees.tip(into) if (trees.path / "HEAD").exists() else None
        if known is None:
            message = failure.message if failure else f"{url} was not fetched"
            raise TransientError(message, retry_after=self._interval) from failure
        return known
