"""A nameserver of our own: what the lab does for zones that have no other."""

from typing import Protocol

from otto.adapters.dns.access import Server


class Nameserver(Protocol):
    """The lab's nameserver. All methods have limits of time.

    Attributes:
        parent: the zone that it delegates from.
    """

    parent: str

    async def find(self) -> Server | None:
        """Where it is, None when there is none; one that stopped is started.

        Raises:
            OttoError: it does not come up.
        """

    async def ensure(self) -> Server:
        """Have one, with the zone that it delegates from.

        Raises:
            OttoError: it does not come up.
        """

    async def make(self, zone: str, nameservers: tuple[str, ...]) -> None:
        """Have it serve a zone; one that it serves is left as it is.

        Args:
            zone: its name.
            nameservers: NS of a new one, without a last dot; empty for its own name.
        """

    async def sign(self, zone: str, *, signed: bool) -> None:
        """Have a zone signed, or no longer."""

    async def drop(self, zone: str) -> None:
        """Serve a zone no longer, and forget it."""
