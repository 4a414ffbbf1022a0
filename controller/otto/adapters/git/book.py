"""The port `Specbook`, over the embedded repository and over a remote one."""

import asyncio
from pathlib import Path

import pygit2
import structlog

from otto.adapters import program
from otto.adapters.git.access import Keyring
from otto.adapters.git.drafting import Drafts
from otto.adapters.git.locks import free_stale
from otto.adapters.git.pushing import Answer, Push, push
from otto.adapters.git.repositories import EmbeddedRepository, RemoteRepository
from otto.adapters.git.signing import Signing
from otto.model.document import Commission
from otto.model.errors import TerminalError, TransientError
from otto.ports import Clock
from otto.ports.specbook import MovedError

log = structlog.get_logger("otto.git")

_REFLOG = "commit through the API"
# What pygit2 raises where a ref cannot be written.
_REFUSALS = (KeyError, ValueError, OSError, pygit2.GitError)
# Commits between two looks at whether there is much to pack, and seconds that packing may take.
_TIDY = 200
_TIDY_SECONDS = 300.0


class _Book:
    """What both have in common: drafts, and tidying up after them."""

    def __init__(self, path: Path, drafts: Drafts, clock: Clock) -> None:
        self._path = path
        self._drafts = drafts
        self._clock = clock
        self._made = 0
        self._tidying: asyncio.Task[object] | None = None

    async def draft(self, commission: Commission) -> str:
        """A commit upon `base`; no branch leads to it."""
        self._made += 1
        if self._made % _TIDY == 0 and (self._tidying is None or self._tidying.done()):
            self._tidying = asyncio.ensure_future(self._tidy())
        return await self._drafts.make(commission, self._clock.now())

    async def _tidy(self) -> None:
        """Have git pack what lies about, if there is much; it drops drafts of weeks ago."""
        command = (
            "git",
            "--git-dir",
            str(self._path),
            "-c",
            "gc.autoDetach=false",
            "gc",
            "--auto",
            "--quiet",
        )
        await program.run(command, b"", seconds=_TIDY_SECONDS, environ={"GIT_CONFIG_NOSYSTEM": "1"})


class EmbeddedBook(_Book):
    """Writes to the bare repository in OTTO_HOME, beside whoever pushes to it.

    Args:
        source: reads it.
        drafts: makes commits.
        clock: tells their time.
    """

    def __init__(self, source: EmbeddedRepository, drafts: Drafts, clock: Clock) -> None:
        super().__init__(source.trees.path, drafts, clock)
        self._source = source

    async def head(self) -> str:
        """The branch's newest commit."""
        return await self._source.fetch() or ""

    async def holds(self, commit: str) -> bool:
        """Whether the branch leads to a commit, or to one that builds on it."""
        head = await self.head()
        return bool(head) and self._source.reaches(head, commit)

    async def publish(self, commit: str, base: str) -> None:
        """Have the branch lead to a commit, if it leads to `base`: compared and set under git's own lock."""
        self._source.trees.ask(
            lambda repository: _moved(repository, f"refs/heads/{self._source.branch}", commit, base)
        )


def _moved(repository: pygit2.Repository, name: str, commit: str, base: str) -> None:
    try:
        _lead(repository, name, commit, base)
    except _REFUSALS as error:
        _explain(repository, name, base, error)
        _once_more(repository, name, commit, base)


def _once_more(repository: pygit2.Repository, name: str, commit: str, base: str) -> None:
    """What was in the way has gone."""
    try:
        _lead(repository, name, commit, base)
    except _REFUSALS as error:
        raise TransientError(f"the branch {name} cannot be written: {error}", retry_after=1) from error


def _lead(repository: pygit2.Repository, name: str, commit: str, base: str) -> None:
    if not base:
        repository.references.create(name, commit)
        return
    reference = repository.references[name]
    if str(reference.target) != base:
        raise MovedError
    reference.set_target(commit, _REFLOG)


def _explain(repository: pygit2.Repository, name: str, base: str, error: Exception) -> None:
    """Tell a branch that has moved, or a push under way, from what is wrong with the repository.

    Nothing is raised where a killed git's lock was in the way: it is taken away.
    """
    known = repository.references.get(name)
    if (str(known.target) if known is not None else "") != base:
        raise MovedError from error
    if freed := free_stale(Path(repository.path)):
        log.warning("git.lock_freed", paths=[str(path) for path in freed])
        return
    if Path(repository.path, f"{name}.lock").exists():
        raise MovedError from error  # somebody pushes just now
    raise TransientError(f"the branch {name} cannot be written: {error}") from error


class RemoteBook(_Book):
    """Writes to a repository elsewhere: drafts lie in the copy of it, and are pushed.

    Args:
        source: reads the copy, and brings it up to date.
        drafts: makes commits in it.
        clock: tells their time.
        request: where to push to.
        keyring: credentials by host.
    """

    def __init__(
        self, source: RemoteRepository, drafts: Drafts, clock: Clock, request: Push, keyring: Keyring
    ) -> None:
        super().__init__(source.trees.path, drafts, clock)
        self._source = source
        self._request = request
        self._keyring = keyring

    async def head(self) -> str:
        """The branch's newest commit, asked of the remote."""
        return await self._source.fetch() or ""

    async def holds(self, commit: str) -> bool:
        """Whether the remote's branch leads to a commit, or to one that builds on it."""
        return await self._holds(await self.head(), commit)

    async def _holds(self, head: str, commit: str) -> bool:
        if not head or self._source.reaches(head, commit):
            return bool(head)
        if self._source.reaches(commit, head):
            return False
        # Only the newest commit is fetched as a rule: what lies between the two may not be here.
        newest = await self._source.fetch(history=True)
        return bool(newest) and self._source.reaches(newest or "", commit)

    async def publish(self, commit: str, base: str) -> None:
        """Push a commit if the remote's branch still leads to `base`."""
        access = self._keyring.access(self._request.url)
        answer = await push(self._request, access, commit, base)
        if not answer.done:
            await self._read_back(answer, commit, base)

    async def _read_back(self, answer: Answer, commit: str, base: str) -> None:
        """What became of a push that was refused, or cut off: the remote's branch says so itself."""
        where = f"{self._request.url} ({self._request.branch})"
        try:
            head = await self.head()
            if head != base and await self._holds(head, commit):
                return
        except TransientError as error:
            message = (
                f"the push to {where} broke off, and whether it came through cannot be asked: {answer.words}"
            )
            mend = "read it again, and send it again if it is not there"
            raise TransientError(message, mend=mend) from error
        if head != base:
            raise MovedError
        if answer.refused:
            mend = "push it yourself, or have the repository let OttO's account push to this branch"
            raise TerminalError(f"{where} refuses the commit: {answer.words}", mend=mend)
        raise TransientError(f"the push to {where} did not come through: {answer.words}")


def open_book(
    source: EmbeddedRepository | RemoteRepository,
    clock: Clock,
    *,
    signing_key: str = "",
    timeout: float = 60.0,
) -> EmbeddedBook | RemoteBook:
    """Writes to the repository that a source reads.

    Args:
        source: reads it.
        clock: tells the time of commits.
        signing_key: file of the private SSH key that commits are signed with, "" for none.
        timeout: seconds one push may take.
    """
    signing = Signing(Path(signing_key)) if signing_key else None
    drafts = Drafts(source.trees, signing)
    if isinstance(source, EmbeddedRepository):
        return EmbeddedBook(source, drafts, clock)
    request = Push(source.trees.path, source.url, source.branch, timeout)
    return RemoteBook(source, drafts, clock, request, source.keyring)
