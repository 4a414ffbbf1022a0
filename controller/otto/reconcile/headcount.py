"""How many hosts there are, and what is being done to them, without asking the store at every judgement."""

from datetime import timedelta

from otto.model.history import FleetSize, Removal
from otto.model.plan import Plan
from otto.reconcile.events import Event, SiteGone, StatusChanged
from otto.reconcile.kit import Kit

# As long as a window may count back at most.
_VOID_KEPT = timedelta(days=31)


class Headcount:
    """Counts hosts by site, from the statuses as they change."""

    def __init__(self, kit: Kit) -> None:
        self._kit = kit
        self._hosts: dict[str, int] = {}
        self._changing: dict[str, int] = {}
        self._taking: dict[str, tuple[Removal, ...]] = {}
        self._tried: dict[str, tuple[str, frozenset[Removal]]] = {}
        self._void: set[Removal] = set()
        kit.bus.subscribe(self._hear)

    async def load(self) -> None:
        """Begin with what the store knows."""
        self._hosts = {item.site: len(item.hosts) for item in await self._kit.store.statuses()} | self._hosts

    def beside(self, site: str) -> FleetSize:
        """All hosts, and those of other sites that are being changed."""
        others = sum(count for name, count in self._changing.items() if name != site)
        return FleetSize(sum(self._hosts.values()), others)

    def taking(self, site: str) -> tuple[Removal, ...]:
        """What other sites were allowed to take away just now; some of it may be on record already."""
        return tuple(item for name, items in self._taking.items() if name != site for item in items)

    def take(self, plan: Plan, removals: tuple[Removal, ...]) -> None:
        """A plan goes on record as taking these away. If it is tried anew, it did not the last time."""
        oldest = self._kit.clock.now() - _VOID_KEPT
        self._void = {item for item in self._void if item.at > oldest}
        self._void = (self._void | self.tried(plan)) - set(removals)
        self._tried[plan.site] = (plan.digest, frozenset(removals))
        self.begin(plan, removals)

    def took(self, site: str) -> None:
        """And it has."""
        self._tried.pop(site, None)

    def spared(self, site: str) -> None:
        """And it has not taken anything away, nor will it: what is on record of that does not count."""
        _, removals = self._tried.pop(site, ("", frozenset()))
        self._void |= removals
        self.end(site)

    def tried(self, plan: Plan) -> frozenset[Removal]:
        """What is on record of a try of this very plan that did not come to its end."""
        known, removals = self._tried.get(plan.site, ("", frozenset()))
        return removals if known == plan.digest else frozenset()

    def counts(self, removal: Removal, plan: Plan) -> bool:
        """Whether something on record counts when a plan is judged: not what was only tried."""
        return removal not in self._void and removal not in self.tried(plan)

    def begin(self, plan: Plan, removals: tuple[Removal, ...]) -> None:
        """A plan is about to be carried out.

        Args:
            plan: which.
            removals: what it takes away.
        """
        self._changing[plan.site] = len({host for step in plan.steps for host in step.hosts})
        self._taking[plan.site] = removals

    def end(self, site: str) -> None:
        """Nothing is done to a site any more."""
        self._changing.pop(site, None)
        self._taking.pop(site, None)

    def _hear(self, event: Event) -> None:
        if isinstance(event, StatusChanged):
            self._hosts[event.status.site] = len(event.status.hosts)
        elif isinstance(event, SiteGone):
            self._hosts.pop(event.site, None)
