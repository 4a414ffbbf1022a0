"""What pull requests propose: fetched into a copy of its own, from which nothing ever reaches a host."""

import asyncio
import json
import shutil
import sys
from collections.abc import Mapping
from contextlib import suppress
from hashlib import sha256
from pathlib import Path

import pygit2

from otto.adapters import program
from otto.adapters.git.access import Keyring
from otto.adapters.git.content import ContentLimits, files
from otto.adapters.git.fetch import Request, fetch
from otto.adapters.git.trees import Trees
from otto.model.catalogue import Entry
from otto.model.errors import TerminalError, TransientError
from otto.model.forge import Proposal
from otto.model.spec import Content
from otto.model.text import one_line

_CHILD = Path(__file__).with_name("merging.py")
_BASE = "refs/otto/base"
_LARGEST = 256 * 1024**2
_LONGEST_NAME = 200


class Proposals:
    """Port `Proposals` over a remote repository.

    Args:
        path: the copy; made anew whenever it has grown too large, since anybody may propose anything.
        url: the spec repository, without credentials.
        keyring: credentials by host.
        branch: the branch that pull requests are for.
        folder: folder of the specs.
        timeout: seconds one fetch, or one merge, may take.
        largest: bytes that are fetched at once, and that the copy may have.
        limits: how much one site may serve.
    """

    def __init__(
        self,
        path: Path,
        url: str,
        keyring: Keyring,
        *,
        branch: str = "main",
        folder: str = "specs",
        timeout: float = 60.0,
        largest: int = _LARGEST,
        limits: ContentLimits | None = None,
    ) -> None:
        self._path = path
        self._url = url
        self._keyring = keyring
        self._branch = branch
        self._folder = folder
        self._timeout = timeout
        self._largest = largest
        self._limits = limits or ContentLimits()
        self._trees = Trees(path, folder)
        self._lock = asyncio.Lock()

    async def merged(self, ref: str, base: str) -> Proposal:
        """What merging a ref of the repository into a commit of its branch would give.

        Raises:
            TransientError: the remote cannot be reached, or has moved on already.
            TerminalError: it refuses us, is too big, or has no such ref.
        """
        async with self._lock:
            await asyncio.to_thread(self._tidy)
            if not self._has(base):
                await self._fetch(f"refs/heads/{self._branch}", _BASE)
            head = await self._fetch(ref, f"refs/otto/pulls/{sha256(ref.encode()).hexdigest()[:24]}")
            if not head or not self._has(base):
                raise TransientError(f"commit {base[:12]} is not on {self._branch} any more")
            return await self._merge(head, base)

    async def _fetch(self, ref: str, into: str) -> str | None:
        request = Request(
            self._path, self._url, ref, into, timeout=self._timeout, max_bytes=self._largest, history=True
        )
        return await fetch(request, self._keyring.access(self._url))

    async def _merge(self, head: str, base: str) -> Proposal:
        given = json.dumps({"path": str(self._path), "base": base, "head": head}).encode()
        command = (sys.executable, "-I", str(_CHILD))
        ended = await program.run(command, given, seconds=self._timeout)
        try:
            answer = json.loads(ended.output)
        except ValueError:
            why = ended.trouble or f"merging ended with status {ended.status}"
            return Proposal(head, base, trouble=one_line(why, _LONGEST_NAME))
        names = tuple(one_line(str(name), _LONGEST_NAME) for name in answer.get("conflicts", ()))
        return Proposal(head, base, answer.get("commit", ""), names, answer.get("trouble", ""))

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
        """Id of the tree that a site's content resolves to, looked through as if it were to be served.

        Raises:
            TerminalError: there is no such folder, or it holds what may not be served.
        """
        item = self._trees.subtree(commit, content.path)
        if item is None or not item.folder:
            raise TerminalError(f"the content folder {content.path or '/'} is not there", mend="commit it")
        await asyncio.to_thread(lambda: files(pygit2.Repository(str(self._path)), item.id, self._limits))
        return item.id

    def _has(self, commit: str) -> bool:
        return (self._path / "HEAD").exists() and self._trees.has(commit)

    def _tidy(self) -> None:
        """Begin anew when strangers have filled the copy."""
        size = 0
        for path in self._path.glob("objects/**/*"):
            with suppress(OSError):
                size += path.stat().st_size
        if size > 2 * self._largest:
            shutil.rmtree(self._path, ignore_errors=True)
            self._trees = Trees(self._path, self._folder)
