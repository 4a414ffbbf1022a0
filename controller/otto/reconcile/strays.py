"""A fresh look for hosts that are nobody's: which there are, and what they cost."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from otto.decide.costing import cost_of, cost_of_live
from otto.decide.orphans import orphans
from otto.model.cost import Cost, PriceTable
from otto.model.errors import OttoError, UsageError
from otto.model.host import LiveHost
from otto.model.spec import Role
from otto.model.status import WORKING
from otto.reconcile import pricing
from otto.reconcile.fleet import Fleet
from otto.reconcile.inspect import Inspector
from otto.reconcile.kit import Kit

# As many digits of an id as are shown.
_DIGITS = 12
_MOST = 20


@dataclass(frozen=True, slots=True)
class Strays:
    """What a fresh look found.

    Attributes:
        orphans: hosts that no spec and no state owns.
        unjudged: sites whose hosts may be in the making, or in a state that cannot be read; with the reason.
        tables: provider -> its prices.
    """

    orphans: tuple[LiveHost, ...]
    unjudged: dict[str, str]
    tables: Mapping[str, PriceTable] = field(default_factory=dict)

    @property
    def currency(self) -> str:
        """The currency of the prices, "" where there are none."""
        return next((table.currency for table in self.tables.values()), "")

    def cost(self, host: LiveHost) -> Cost | None:
        """What a host costs, None where its provider has no price table."""
        table = self.tables.get(host.provider)
        return cost_of({host.size: 1}, table) if table else None

    def together(self) -> Cost | None:
        """What all of them cost, None where there is no price table at all."""
        return cost_of_live(self.orphans, self.tables) if self.tables else None

    def chosen(self, items: Iterable[str]) -> tuple[LiveHost, ...]:
        """The orphans that were named, each once, in the order of their naming.

        Raises:
            UsageError: there is none of that name or id, or there are several; of any of them.
        """
        named = {item: self._fitting(item) for item in items}
        unknown = [item for item, fitting in named.items() if not fitting]
        if unknown:
            raise self._unknown(unknown)
        for item, fitting in named.items():
            if len(fitting) > 1:
                ids = ", ".join(host.id for host in fitting)
                message = f"several orphans are called {item[:80]!r}; nothing was removed"
                raise UsageError(message, mend=f"name one by its id: {ids}")
        return tuple({host.id: host for (host,) in named.values()}.values())

    def without(self, gone: Iterable[LiveHost]) -> "Strays":
        """The others."""
        ids = {host.id for host in gone}
        return replace(self, orphans=tuple(host for host in self.orphans if host.id not in ids))

    def _fitting(self, item: str) -> tuple[LiveHost, ...]:
        exact = tuple(host for host in self.orphans if item in (host.name, host.id))
        if exact or len(item) < _DIGITS:
            return exact
        return tuple(host for host in self.orphans if host.id.startswith(item))

    def _unknown(self, items: list[str]) -> UsageError:
        listed = ", ".join(host.name for host in self.orphans[:_MOST]) or "none"
        unjudged = f"; not judged: {', '.join(sorted(self.unjudged))}" if self.unjudged else ""
        called = ", ".join(repr(item[:80]) for item in items[:_MOST])
        what = f"{called} is no orphan" if len(items) == 1 else f"{called} are no orphans"
        return UsageError(f"{what}; nothing was removed", mend=f"orphans: {listed}{unjudged}")


async def look(kit: Kit, *, at_work: bool) -> Strays:
    """Ask the providers what is alive, and compare it with what specs ask for and states hold.

    Args:
        kit: all ports.
        at_work: whether anybody may be at work on sites right now.

    Raises:
        OttoError: the repository, the provider or the store cannot be read: then nothing is judged.
    """
    fleet = await Inspector(kit).load()
    live = await kit.infrastructure.inventory(None)
    busy = await _busy(kit) if at_work else frozenset()
    unjudged = dict.fromkeys(busy & {host.site for host in live}, "it is being worked on")
    known: dict[str, frozenset[str]] = {}
    for site in sorted({host.site for host in live} - unjudged.keys()):
        try:
            state = await kit.infrastructure.state(site)
        except OttoError as error:
            unjudged[site] = error.message
            continue
        known[site] = frozenset(host.id for host in state.hosts) if state else frozenset()
    judged = [host for host in live if host.site not in unjudged]
    wanted = {site: _wanted(fleet, site) for site in known}
    return Strays(orphans(judged, wanted, known), unjudged, pricing.tables(kit.prices))


async def _busy(kit: Kit) -> frozenset[str]:
    """Sites that are being worked on right now: what is being made is not in the state yet."""
    return frozenset(status.site for status in await kit.store.statuses() if status.phase in WORKING)


def _wanted(fleet: Fleet, site: str) -> frozenset[str]:
    known = fleet.in_force(site)
    return frozenset(name for role in Role for name in known.spec.host_names(role)) if known else frozenset()
