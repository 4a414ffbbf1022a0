"""The spec repository, written to."""

from collections.abc import Sequence
from typing import Protocol

from otto.model.document import Commission, Data, Piece


class Specbook(Protocol):
    """Makes commits in the repository that the port `Source` reads.

    In two steps: a draft is a commit like any other, which the source can read and nobody follows; it may be
    judged as a push is, and left to be tidied away.
    """

    async def head(self) -> str:
        """The branch's newest commit, asked of the remote where there is one; "" before the first.

        Raises:
            TransientError: the remote cannot be reached.
            TerminalError: it refuses us, or the branch is gone.
        """

    async def draft(self, commission: Commission) -> str:
        """A commit upon `base`, signed where a key is set up; no branch leads to it.

        Raises:
            UsageError: a path leads through a file, a link or another repository.
            TerminalError: it cannot be signed.
        """

    async def holds(self, commit: str) -> bool:
        """Whether the branch leads to a commit, or to one that builds on it; raises as `head` does."""

    async def publish(self, commit: str, base: str) -> None:
        """Have the branch, here or at the remote, lead to a draft instead of to `base`.

        Either the branch leads to it afterwards, or nothing has changed; which of the two, is asked when
        the connection broke.

        Raises:
            MovedError: the branch does not lead to `base` any more; read again, decide again.
            TransientError: the remote cannot be reached.
            TerminalError: the remote refuses it, with its own words.
        """


class MovedError(Exception):
    """The branch has another newest commit than the one that was built upon."""


class Editor(Protocol):
    """Files of specs as text: read document by document, and edited as a person would."""

    def pieces(self, path: str, data: bytes) -> Sequence[Piece]:
        """The documents of a file.

        Raises:
            UsageError: the file cannot be read to its end.
        """

    def replaced(self, path: str, data: bytes, index: int, new: Data) -> bytes:
        """The file with one document saying something else, and everything else as it was.

        Raises:
            UsageError: that cannot be had without damage to what stands there.
        """

    def removed(self, path: str, data: bytes, index: int) -> bytes | None:
        """The file without one of its documents; None when nothing else is in it.

        Raises:
            UsageError: that cannot be had without damage to what stands there.
        """

    def created(self, path: str, new: Data) -> bytes:
        """A file of one document.

        Raises:
            UsageError: it holds something that no file of specs can say.
        """
