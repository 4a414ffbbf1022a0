"""The lab's nameserver, as zones know it: a bridge between two parts that do not know each other."""

import asyncio

from otto.adapters.dns import Server
from otto.lab.nameserver import Nameserver, Place


class LabNameserver:
    """What `otto.adapters.dns` asks of the lab; what blocks, blocks in threads.

    Args:
        nameserver: of the lab.
    """

    def __init__(self, nameserver: Nameserver) -> None:
        self._nameserver = nameserver
        self.parent = nameserver.parent

    async def find(self) -> Server | None:
        """Where it is, None when there is none; one that stopped is started."""
        place = await asyncio.to_thread(self._nameserver.find)
        return _server(place) if place else None

    async def ensure(self) -> Server:
        """Have one, with the zone that it delegates from."""
        return _server(await asyncio.to_thread(self._nameserver.ensure))

    async def make(self, zone: str, nameservers: tuple[str, ...]) -> None:
        """Have it serve a zone; one that it serves is left as it is."""
        await asyncio.to_thread(self._nameserver.make, zone, nameservers)

    async def sign(self, zone: str, *, signed: bool) -> None:
        """Have a zone signed, or no longer."""
        await asyncio.to_thread(self._nameserver.sign, zone, signed=signed)

    async def drop(self, zone: str) -> None:
        """Serve a zone no longer, and forget it."""
        await asyncio.to_thread(self._nameserver.drop, zone)


def _server(place: Place) -> Server:
    return Server(place.address, place.port, place.key, place.secret, place.algorithm)
