"""A forge in memory."""

from dataclasses import replace
from urllib.parse import urlsplit

from otto.model.forge import CommitStatus, Deployment, Pull
from otto.testing.failures import Failures


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
