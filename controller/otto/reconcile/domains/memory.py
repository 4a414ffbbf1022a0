"""What is remembered of zones, in memory and in the store."""

from collections.abc import Mapping

from otto.decide.dns.wanted import Wanted, wanted
from otto.model.zonememory import DesiredZone, ZoneMemory
from otto.ports import Store


class ZoneBook:
    """Remembers zones; what they were to hold is reckoned once for each wish."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._kept: dict[str, ZoneMemory] = {}
        self._wanted: dict[tuple[str, bool], tuple[str, Wanted]] = {}

    async def load(self) -> None:
        """Read what earlier starts remembered."""
        self._kept = dict(await self._store.zones())

    def of(self, zone: str) -> ZoneMemory:
        """What is remembered of a zone; an empty memory before its first look."""
        return self._kept.get(zone) or ZoneMemory(zone)

    def all(self) -> Mapping[str, ZoneMemory]:
        """Of every zone, by name."""
        return self._kept

    async def keep(self, memory: ZoneMemory) -> None:
        """Remember; nothing is written while it is the same."""
        if self._kept.get(memory.zone) != memory:
            await self._store.save_zone(memory)
            self._kept[memory.zone] = memory

    def forget(self, zone: str) -> None:
        """Drop a zone; the store's own `forget` drops what it keeps."""
        self._kept.pop(zone, None)
        for last in (False, True):
            self._wanted.pop((zone, last), None)

    def held(self, zone: str) -> Wanted | None:
        """What a zone was to hold when it was put in place last, None before."""
        desired = self.of(zone).desired
        return None if desired is None else self.wanted(desired, last=True)

    def wanted(self, desired: DesiredZone, *, last: bool = False) -> Wanted:
        """What a wish comes to.

        Args:
            desired: the wish.
            last: whether it is the one that was put in place last; beside that, the newest is kept.
        """
        key = (desired.zone, last)
        known = self._wanted.get(key)
        if known is None or known[0] != desired.digest:
            known = self._wanted[key] = (desired.digest, wanted(desired.spec, desired.targets))
        return known[1]
