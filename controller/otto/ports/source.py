"""Git repositories of specs, who vouches for what is in them, and how files are read."""

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Protocol

from otto.model.catalogue import Entry, SpecFile
from otto.model.inspection import Inspection
from otto.model.signature import GitObject, Signatures, Signed, Signer, TagRef
from otto.model.spec import Content


class Source(Protocol):
    """The git repository of specs."""

    async def fetch(self) -> str | None:
        """Bring the configured branch up to date; its commit id, None when it has no commit.

        Raises:
            TransientError: the remote could not be reached; the last good revision stays readable.
            TerminalError: the branch is gone, or the remote refused us.
        """

    def entries(self, commit: str) -> Mapping[str, Entry]:
        """Spec files of a commit by path: `*.yaml` and `*.yml` below the specs folder."""

    def changed(self, before: str, after: str) -> frozenset[str]:
        """Paths (all, not only specs) that differ between two commits."""

    def read(self, blob: str) -> bytes:
        """Bytes of a blob."""

    def retain(self, commits: Iterable[str]) -> None:
        """Keep these commits, and no others besides the newest, from being pruned."""

    def object(self, identity: str) -> GitObject:
        """A commit or tag as git stores it, the bytes that its id and its signature are of.

        Raises:
            TerminalError: there is no such object, or it is far too big for one of these.
        """

    def tags(self) -> tuple[TagRef, ...]:
        """The tags there are; of a remote repository only while signed tags are demanded."""

    def reaches(self, commit: str, earlier: str) -> bool:
        """Whether a commit is, or builds on, an earlier one, as far as the history is here."""

    async def content(self, commit: str, content: Content) -> str:
        """Id of the tree that a site's content resolves to.

        Raises:
            TerminalError: no such folder, or it holds what may not be served (links out of it).
            TransientError: the content's own repository cannot be reached and was never fetched.
        """

    async def inspect(self, content: str, domains: Iterable[str] = ()) -> Inspection:
        """What is wrong with the files of a tree that `content` gave out; costs nothing a second time.

        Args:
            content: id of the tree.
            domains: names the site answers for: what leads to them is looked for in the tree.

        Returns:
            The findings. That they could not be found out, in time or memory, is a finding itself.

        Raises:
            TerminalError: no repository holds that tree.
        """

    def revision(self, content: Content) -> str:
        """The commit of the content's own repository that its ref led to when it was fetched last.

        "" for content in the repository of specs, and before the first fetch. Nothing is fetched for it.
        """

    def stale(self, content: Content) -> str:
        """Why the content is what was fetched some time ago, though there may be newer; "" where it is not.

        What the last look at its repository came to; nothing is fetched for it.
        """

    async def archive(self, content: str) -> Path:
        """A tar of the files of a tree, the same bytes every time, kept until pruned."""

    def author(self, commit: str) -> str:
        """Who wrote a commit of the spec repository, in the commit's own words; "" when that is not known."""

    def expire(self, git: str) -> None:
        """Have the next `content` out of this repository fetch it, however short ago it was fetched."""

    def on_moved(self, listener: "Moved") -> None:
        """Have a listener hear when a fetch finds a content repository's ref at another commit."""


Moved = Callable[[str, str, str], None]


class Specs(Protocol):
    """Turns a file into specs."""

    def parse(self, path: str, data: bytes) -> SpecFile:
        """Parse and validate one file; never raises for what the file says."""


class Vouching(Protocol):
    """Whether signatures are good."""

    def digest(self, policy: Signatures) -> str:
        """Names what is demanded, and the keys as their files hold them now.

        Raises:
            TerminalError: a key or its file cannot be read.
        """

    async def check(self, signed: Signed, policy: Signatures, now: datetime) -> Signer:
        """Who signed it.

        Raises:
            TerminalError: it is not signed, or not by a key that counts; says why.
            TransientError: it cannot be told now: a tool is missing, or did not end in time.
        """
