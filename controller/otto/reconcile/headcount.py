"""How many hosts there are, and how many are being changed, without asking the store at every judgement."""

from otto.model.history import FleetSize
from otto.reconcile.events import Event, SiteGone, StatusChanged
from otto.reconcile.kit import Kit


class Headcount:
    """Counts hosts by site, from the statuses as they change."""

    def __init__(self, kit: Kit) -> None:
        self._kit = kit
        self._hosts: dict[str, int] = {}
        self._changing: dict[str, int] = {}
        kit.bus.subscribe(self._hear)

    async def load(self) -> None:
        """Begin with what the store knows."""
        self._hosts = {item.site: len(item.hosts) for item in await self._kit.store.statuses()} | self._hosts

    def beside(self, site: str) -> FleetSize:
        """All hosts, and those of other sites that are being changed."""
        others = sum(count for name, count in self._changing.items() if name != site)
        return FleetSize(sum(self._hosts.values()), others)

    def begin(self, site: str, hosts: int) -> None:
        """So many hosts of a site are being changed from now on."""
        self._changing[site] = hosts

    def end(self, site: str) -> None:
        """None is any more."""
        self._changing.pop(site, None)

    def _hear(self, event: Event) -> None:
        if isinstance(event, StatusChanged):
            self._hosts[event.status.site] = len(event.status.hosts)
        elif isinstance(event, SiteGone):
            self._hosts.pop(event.site, None)
