"""A fresh look for hosts that are nobody's."""

from otto.decide.evidence import WORKING
from otto.decide.orphans import orphans
from otto.desk.seen import Around
from otto.desk.strays import Strays
from otto.model.errors import OttoError
from otto.model.spec import Role
from otto.reconcile import pricing
from otto.reconcile.fleet import Fleet
from otto.reconcile.inspect import Inspector
from otto.reconcile.kit import Kit


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
    return Strays(orphans(judged, wanted, known), unjudged, pricing.tables(kit.prices))


async def _busy(kit: Kit) -> frozenset[str]:
    """Sites that are being worked on right now: what is being made is not in the state yet."""
    return frozenset(status.site for status in await kit.store.statuses() if status.phase in WORKING)


def _wanted(fleet: Fleet, site: str) -> frozenset[str]:
    known = fleet.in_force(site)
    return frozenset(name for role in Role for name in known.spec.host_names(role)) if known else frozenset()
