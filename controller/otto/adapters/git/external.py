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
from otto.adapters.git.fetch import MissingError, Request, fetch
from otto.adapters.git.objects import read_object
from otto.adapters.git.trees import Trees
from otto.model.errors import OttoError, TerminalError, TransientError
from otto.model.signature import GitObject
from otto.ports import Moved


class External:
    """Other repositories, by address.

    Args:
        folder: where their copies lie.
        keyring: credentials by host.
        local: whether repositories on this machine's disk will do: who writes a spec would publish them.
        interval: seconds that have to pass before a ref is fetched again.
        timeout: seconds one fetch may take.
        max_bytes: most bytes one fetch may bring.
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
        max_bytes: int = 2 * 1024**3,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._folder = folder
        self._keyring = keyring
        self._local = local
        self._interval = interval
        self._timeout = timeout
        self._max_bytes = max_bytes
        self._monotonic = monotonic
        self._locks: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._looked: dict[tuple[str, str], tuple[float, OttoError | None]] = {}
        self._trees: dict[str, Trees] = {}
        self._listeners: list[Moved] = []

    def on_moved(self, listener: Moved) -> None:
        """Have a listener hear when a fetch finds a ref at another commit than before."""
        self._listeners.append(listener)

    def expire(self, url: str) -> None:
        """Have the next look at any ref of this repository fetch it."""
        for known in [key for key in self._looked if key[0] == url]:
            del self._looked[known]

    def all(self) -> tuple[Trees, ...]:
        """Every copy there is, those of earlier starts included."""
        for path in self._folder.glob("*.git"):
            self._trees.setdefault(path.stem, Trees(path, folder=""))
        return tuple(self._trees.values())

    async def resolve(self, url: str, ref: str) -> tuple[Trees, str]:
        """The copy of a repository and the commit that a ref leads to there.

        A remote that cannot be reached leaves the last fetched commit in force.

        Raises:
            TerminalError: the remote refused us, is gone or has no such ref, or a spec may not name it.
            TransientError: it cannot be reached and was never fetched.
        """
        self._allow(url)
        name, trees, into = self._copy(url, ref)
        async with self._locks[name]:
            await self._look(url, ref, trees, into)
        return trees, self._known(trees, url, ref, into)

    def last(self, url: str, ref: str) -> str | None:
        """The commit that a ref led to when it was fetched last, also by an earlier start."""
        _, trees, into = self._copy(url, ref)
        return trees.tip(into) if (trees.path / "HEAD").exists() else None

    def trouble(self, url: str, ref: str) -> str:
        """Why the last fetch failed, "" where it did not or there was none."""
        _, failure = self._looked.get((url, ref), (0.0, None))
        return str(failure) if failure is not None else ""

    def _copy(self, url: str, ref: str) -> tuple[str, Trees, str]:
        """Name and place of a repository's copy, and what a ref is called there."""
        name = sha256(url.encode()).hexdigest()[:24]
        trees = self._trees.setdefault(name, Trees(self._folder / f"{name}.git", folder=""))
        return name, trees, f"refs/otto/content/{sha256(ref.encode()).hexdigest()[:24]}"

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

    async def _look(self, url: str, ref: str, trees: Trees, into: str) -> None:
        last = self._looked.get((url, ref))
        if last is not None and self._monotonic() - last[0] < self._interval:
            return
        failure: OttoError | None = None
        before = self._tip(trees, into)
        try:
            request = Request(trees.path, url, ref, into, self._timeout, self._max_bytes)
            commit = await fetch(request, self._keyring.access(url))
            if commit is None:
                failure = TerminalError(f"the content repository {url} has no commit yet", mend="push one")
        except MissingError as error:
            # Not out of reach but gone: what was fetched last is nobody's wish any more.
            failure, commit = TerminalError(error.message, mend=error.mend), None
        except OttoError as error:
            failure, commit = error, None
        self._looked[url, ref] = (self._monotonic(), failure)
        if commit is not None and before not in (None, commit):
            for listener in self._listeners:
                listener(url, ref, commit)

    def _tip(self, trees: Trees, into: str) -> str | None:
        """Where a ref led when it was fetched last; None before the first time."""
        return trees.tip(into) if (trees.path / "HEAD").exists() else None

    def _known(self, trees: Trees, url: str, ref: str, into: str) -> str:
        _, failure = self._looked[url, ref]
        if isinstance(failure, TerminalError):
            raise failure
        known = self._tip(trees, into)
        if known is None:
            message = failure.message if failure else f"{url} was not fetched"
            raise TransientError(message, retry_after=self._interval) from failure
        return known
