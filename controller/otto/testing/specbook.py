"""A repository of specs in memory, written to."""

import asyncio
from collections.abc import Callable, Container

from otto.model.document import Commission
from otto.ports.specbook import MovedError
from otto.testing.failures import Failures
from otto.testing.source import MemorySource


class MemorySpecbook:
    """Port `Specbook` over the commits of a `MemorySource`.

    `failures` knows `head`, `draft` and `publish`; `after publish` fails once the branch has moved.

    Attributes:
        commissions: what was drafted, by commit.
        racing: called before each publication: what somebody else does at that moment.
        judging: why the repository will not have the files of a commit, None where it will.
        signer: who signs drafts, for `MemoryVouching`; "" for nobody.
    """

    def __init__(self, source: MemorySource) -> None:
        self._source = source
        self.failures = Failures()
        self.commissions: dict[str, Commission] = {}
        self.racing: Callable[[], None] = lambda: None
        self.judging: Callable[[Container[str]], Exception | None] = lambda _: None
        self.signer = ""

    async def head(self) -> str:
        """The branch's newest commit."""
        await self.failures.meet("head")
        return self._source.head or ""

    async def holds(self, commit: str) -> bool:
        """Whether the branch leads to a commit, or to one that builds on it."""
        head = await self.head()
        return bool(head) and self._source.reaches(head, commit)

    async def draft(self, commission: Commission) -> str:
        """A commit that no branch leads to."""
        await self.failures.meet("draft")
        commit = self._source.propose(commission.files, commission.base)
        self.commissions[commit] = commission
        self._source.authors[commit] = commission.author
        if self.signer:
            self._source.signed[commit] = self.signer
        return commit

    async def publish(self, commit: str, base: str) -> None:
        """Have the branch lead to a draft, if it leads to its base."""
        await self.failures.meet("publish")
        await asyncio.sleep(0)  # others get their turn, as with a real push
        self.racing()
        if (self._source.head or "") != base:
            raise MovedError
        refusal = self.judging(self._source.entries(commit))
        if refusal is not None:
            raise refusal
        self._source.head = commit
        await self.failures.meet("after publish")
