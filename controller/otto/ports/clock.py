"""Time, handed in."""

from datetime import datetime
from typing import Protocol


class Clock(Protocol):
    """Time, handed in."""

    def now(self) -> datetime:
        """The time of day, in UTC."""

    def monotonic(self) -> float:
        """Seconds that never go back."""

    async def sleep(self, seconds: float) -> None:
        """Wait."""
