"""A fresh look for hosts that are nobody's, and the removal of one."""

import json
from collections.abc import Iterable
from dataclasses import dataclass

from otto.cli.board import WORKING
from otto.cli.seen import Around
from otto.cli.told import ORPHANS, readable
from otto.decide.orphans import orphans
from otto.model.canonical import to_data
from otto.model.errors import OttoError, UsageError
from otto.model.host import LiveHost
from otto.model.spec import Role
from otto.reconcile.fleet import Fleet
from otto.reconcile.inspect import Inspector
from otto.reconcile.kit import Kit


@dataclass(frozen=True, slots=True)
class Strays:
    """What a fresh look found.

    Attributes:
        orphans: hosts that no spec and no state owns.
        unjudged: sites whose hosts may be in the making, or in a state that cannot be read; with the reason.
    """

    orphans: tuple[LiveHost, ...]
    unjudged: dict[str, str]

    def named(self, name: str) -> LiveHost:
        """The orphan of that name or id.

        Raises:
            UsageError: there is none, or there are several.
        """
        fitting = [host for host in self.orphans if name in (host.name, host.id)]
        if len(fitting) == 1:
            return fitting[0]
        if fitting:
            ids = ", ".join(host.id for host in fitting)
            raise UsageError(f"several orphans are called {name[:80]!r}", mend=f"name one by its id: {ids}")
        listed = ", ".join(host.name for host in self.orphans) or "none"
        unjudged = f"; not judged: {', '.join(sorted(self.unjudged))}" if self.unjudged else ""
        raise UsageError(
            f"{name[:80]!r} is no orphan, and is left alone", mend=f"orphans: {listed}{unjudged}"
        )


async def look(kit: Kit, at_work: Around) -> Strays:
    """Ask the providers what is alive, and compare it with what specs ask for and states hold.

    Raises:
        OttoError: the repository, the provider or the store cannot be read: then nothing is judged.
    """
    fleet = await Inspector(kit).load()
    live = await kit.infrastructure.inventory(None)
    busy = await _busy(kit) if at_work.anybody else frozenset()
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
    return Strays(orphans(judged, wanted, known), unjudged)


async def remove(kit: Kit, host: LiveHost, at_work: Around) -> None:
    """Remove an orphan; while no controller does, what was told of it is corrected as well."""
    await kit.infrastructure.remove(host)
    told = await kit.store.value(ORPHANS)
    if not at_work.anybody and told:
        left = [item for item in readable(LiveHost, json.loads(told)) if item.id != host.id]
        await kit.store.set_value(ORPHANS, json.dumps(to_data(left)))


def without(found: Iterable[LiveHost], host: LiveHost) -> tuple[LiveHost, ...]:
    """The others."""
    return tuple(item for item in found if item.id != host.id)


async def _busy(kit: Kit) -> frozenset[str]:
    """Sites that are being worked on right now: what is being made is not in the state yet."""
    return frozenset(status.site for status in await kit.store.statuses() if status.phase in WORKING)


def _wanted(fleet: Fleet, site: str) -> frozenset[str]:
    known = fleet.in_force(site)
    return frozenset(name for role in Role for name in known.spec.host_names(role)) if known else frozenset()
