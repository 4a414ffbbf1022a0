"""What is to be looked at next."""

from typing import Protocol


class Queue(Protocol):
    """Keys that are due, with the semantics of controller-runtime's work queue.

    A key is in it once, and is never handed out twice at a time: a key added while it is being worked
    on is handed out again after `done`.
    """

    def add(self, key: str, cause: str) -> None:
        """Make a key due now; a pending later time for it is dropped."""

    def add_after(self, key: str, cause: str, seconds: float) -> None:
        """Make a key due later, unless it is due sooner already."""

    async def get(self) -> tuple[str, str]:
        """Wait for a key that is due; the key and why."""

    def done(self, key: str) -> None:
        """Say that the work on a key has ended."""

    def forget(self, key: str) -> None:
        """Drop a key that is waiting."""
