"""Where commits are talked about."""

from collections.abc import Mapping
from typing import Protocol

from otto.model.catalogue import Entry
from otto.model.forge import CommitStatus, Deployment, Proposal, Pull
from otto.model.spec import Content


class Forge(Protocol):
    """Where repositories live: GitHub, GitLab, Gitea. Its texts lose secrets on their way out.

    Every method raises TransientError, with `retry_after` where the forge says so, for what may pass, and
    TerminalError for what it will not take: a bad token, a repository or commit that it does not have.
    """

    def repository(self, url: str) -> str:
        """What this forge calls the repository of a git address; "" for one that lives elsewhere."""

    async def status(self, status: CommitStatus) -> None:
        """Say how a commit fares, in place of what was said under that context."""

    async def deployment(self, deployment: Deployment, known: str = "") -> str:
        """Say how a deployment fares.

        Args:
            deployment: the deployment.
            known: what an earlier call for this commit and environment returned, "" for none.

        Returns:
            The forge's id of it; "" where it keeps no record of deployments.
        """

    async def open_pulls(self, repository: str, branch: str, limit: int) -> tuple[Pull, ...]:
        """Open pull requests into a branch, those that moved last first, so many at most."""

    async def comment(self, repository: str, number: int, marker: str, body: str, known: str = "") -> str:
        """Have one comment of ours, which begins with a marker, on a pull request say this and nothing else.

        Args:
            repository: as `repository` calls it.
            number: the pull request's.
            marker: a line that readers do not see, the first of `body`.
            body: Markdown.
            known: what an earlier call returned, "" for none: then it is looked for, or else made.

        Returns:
            The forge's id of the comment.
        """


class Proposals(Protocol):
    """What pull requests of the spec repository propose, apart from everything that is in force.

    What it reads is a stranger's: nothing of it is ever run, served, or sent to a host.
    """

    async def merged(self, ref: str, base: str) -> Proposal:
        """What merging a ref of the repository into a commit of its branch would give.

        Raises:
            TransientError: the repository cannot be reached, or has moved on.
            TerminalError: it refuses us, is too big, or has no such ref.
        """

    def entries(self, commit: str) -> Mapping[str, Entry]:
        """Spec files of a merged commit by path."""

    def changed(self, before: str, after: str) -> frozenset[str]:
        """Paths that differ between two commits, merged ones too."""

    def read(self, blob: str) -> bytes:
        """Bytes of a blob."""

    async def content(self, commit: str, content: Content) -> str:
        """Id of the tree that content in the repository itself resolves to.

        Raises:
            TerminalError: there is no such folder, or it holds what may not be served.
        """
