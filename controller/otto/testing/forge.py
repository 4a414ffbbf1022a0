"""A forge in memory."""

from collections.abc import Mapping
from dataclasses import replace
from urllib.parse import urlsplit

from otto.model.catalogue import Entry
from otto.model.forge import CommitStatus, Deployment, Proposal, Pull
from otto.model.spec import Content
from otto.testing.failures import Failures
from otto.testing.source import Files, MemorySource


class MemoryForge:
    """Port `Forge` at the host `forge.example`. `failures` knows `status`, `deployment`, `pulls`, `comment`.

    Attributes:
        statuses: every word that was said, in order.
        deployments: what was said of each deployment, in order, by id.
        pulls: open pull requests, by repository.
        comments: what our comment says, by repository and number.
        ids: ids of these comments.
    """

    def __init__(self) -> None:
        self.statuses: list[CommitStatus] = []
        self.deployments: dict[str, list[Deployment]] = {}
        self.pulls: dict[str, tuple[Pull, ...]] = {}
        self.comments: dict[tuple[str, int], str] = {}
        self.ids: dict[tuple[str, int], str] = {}
        self.failures = Failures()

    def repository(self, url: str) -> str:
        """What stands behind the host."""
        parts = urlsplit(url)
        return parts.path.strip("/").removesuffix(".git") if parts.hostname == "forge.example" else ""

    async def status(self, status: CommitStatus) -> None:
        """Keep it."""
        await self.failures.meet("status")
        self.statuses.append(status)

    async def deployment(self, deployment: Deployment, known: str = "") -> str:
        """Keep it under the id that is known, or a new one."""
        await self.failures.meet("deployment")
        found = known or f"deployment-{len(self.deployments) + 1}"
        self.deployments.setdefault(found, []).append(deployment)
        return found

    async def open_pulls(self, repository: str, branch: str, limit: int) -> tuple[Pull, ...]:
        """Those that were opened, of any branch."""
        del branch
        await self.failures.meet("pulls")
        return self.pulls.get(repository, ())[:limit]

    async def comment(self, repository: str, number: int, marker: str, body: str, known: str = "") -> str:
        """Keep what the comment says."""
        del marker, known
        await self.failures.meet("comment")
        self.comments[repository, number] = body
        return self.ids.setdefault((repository, number), f"comment-{len(self.ids) + 1}")

    def said(self, context: str) -> list[CommitStatus]:
        """What was said under a context, without the branch."""
        return [replace(status, ref="") for status in self.statuses if status.context == context]


class MemoryProposals:
    """Port `Proposals` over a repository in memory. `failures` knows `merged`.

    Args:
        source: the repository.

    Attributes:
        refs: ref -> what merging it gives, the base left out.
    """

    def __init__(self, source: MemorySource) -> None:
        self._source = source
        self.refs: dict[str, Proposal] = {}
        self.failures = Failures()

    def propose(self, number: int, files: Files) -> Pull:
        """Open a pull request that changes these files, or move it."""
        ref = f"refs/pull/{number}/head"
        commit = self._source.propose(files)
        self.refs[ref] = Proposal(commit, "", commit)
        return Pull(number, commit, ref)

    async def merged(self, ref: str, base: str) -> Proposal:
        """What was proposed, as if nothing had been pushed since."""
        await self.failures.meet("merged")
        return replace(self.refs[ref], base=base)

    def entries(self, commit: str) -> Mapping[str, Entry]:
        """Spec files of a commit by path."""
        return self._source.entries(commit)

    def changed(self, before: str, after: str) -> frozenset[str]:
        """Paths that differ between two commits."""
        return self._source.changed(before, after)

    def read(self, blob: str) -> bytes:
        """Bytes of a blob."""
        return self._source.read(blob)

    async def content(self, commit: str, content: Content) -> str:
        """Id of the tree that content in the repository resolves to."""
        return await self._source.content(commit, replace(content, git=""))
