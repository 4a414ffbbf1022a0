"""What the API asks of the controller to say whether it is well."""

from collections.abc import Sequence
from typing import Protocol


class HealthView(Protocol):
    """Handed in by whoever runs the controller. Both answer within seconds and never raise."""

    async def alive(self) -> Sequence[str]:
        """Why the process should be started again; empty while the loop is alive."""

    async def ready(self) -> Sequence[str]:
        """Why nothing should be expected of it yet: source never read, store not writable; or empty."""
