"""The clock of the machine."""

import asyncio
import time
from datetime import UTC, datetime


class SystemClock:
    """Port `Clock` over the system's clocks."""

    def now(self) -> datetime:
        """The time of day, in UTC."""
        return datetime.now(UTC)

    def monotonic(self) -> float:
        """Seconds that never go back, whatever is done to the time of day."""
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        """Wait; not at all when `seconds` is zero or less."""
        await asyncio.sleep(max(0.0, seconds))
