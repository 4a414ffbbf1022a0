"""Ways to reach people."""

from typing import Protocol

from otto.model.notice import Notice


class Notifier(Protocol):
    """Tells people."""

    async def notify(self, notice: Notice) -> None:
        """Tell of something, on every way that is set up; a way that fails is logged and stops no other.

        Returns at once or within a time limit of its own; never raises for what the other side does.
        """
