"""The spec repository, written to."""

from typing import Protocol

from otto.model.document import Commission


class Specbook(Protocol):
    """Makes commits in the repository of specs."""

    async def head(self) -> str:
        """The branch's newest commit, asked of the remote where there is one; "" before the first.

        Raises:
            TransientError: the remote cannot be reached.
        """

    async def files(self, commit: str) -> dict[str, bytes]:
        """Spec files of a commit by path."""

    async def commit(self, commission: Commission) -> str:
        """Make one commit upon `base` and have the branch, here and at the remote, lead to it.

        Either the branch leads to the new commit afterwards, or nothing has changed.

        Returns:
            The new commit.

        Raises:
            MovedError: the branch does not lead to `base` any more; read again, decide again.
            TransientError: the remote cannot be reached.
            TerminalError: the remote, or what OttO itself demands of commits, refuses it, and why.
        """


class MovedError(Exception):
    """The branch has another newest commit than the one that was built upon."""
