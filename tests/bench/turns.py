"""One look at every site, by the controller's own parts, in a process that has been at it for a while.

A *turn* is what the tiers do when every site's time has come: one list of hosts from the provider, every
state file, the requests of a glance (each web server, the endpoint, haproxy's statistics), and one batched
question for the facts of every host. A *full look* is what a reconcile that finds nothing does: every check
of the spec besides, and the list of hosts site by site.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from tests.bench.accounts import Accounts
from tests.bench.machine import Meter, Spent
from tests.bench.plain import ScriptError

from otto.cli import compose
from otto.config import Settings
from otto.decide.diff import diff
from otto.model.desired import Desired
from otto.model.observed import Observed, Seen
from otto.model.sign import Sign
from otto.reconcile.fleet import Fleet
from otto.reconcile.freezing import Freezer
from otto.reconcile.kit import Kit
from otto.reconcile.lock import home_lock
from otto.reconcile.observation.census import CensusTaker
from otto.reconcile.observation.sightings import Watched
from otto.reconcile.observation.surveyor import Surveyor
from otto.reconcile.observe import Observer
from otto.reconcile.resolve import Resolver
from otto.reconcile.verify import Verifier


@dataclass(frozen=True)
class Watch:
    """What a controller holds of its sites."""

    observer: Observer
    census: CensusTaker
    surveyor: Surveyor
    sites: tuple[Watched, ...]

    async def turn(self) -> None:
        """Tiers 0 and 1 over every site; each runs beside the other, as in a controller.

        Raises:
            ScriptError: something differs, or was not seen: that is no steady state.
        """
        await asyncio.gather(self.glance(), *(self._look_deep(site) for site in self.sites))

    async def glance(self) -> None:
        """Tier 0 over every site.

        Raises:
            ScriptError: something differs, or was not seen.
        """
        await self.census.take()
        census = self.census.latest
        if census.error:
            raise ScriptError(f"no list of hosts: {census.error}")
        found = await asyncio.gather(*(self.surveyor.glance(site, census) for site in self.sites))
        _require_none([sign for signs in found for sign in signs])

    async def _look_deep(self, site: Watched) -> None:
        seen = await self.observer.desk.ask(site.hosts)
        if unseen := [name for name, answer in seen.items() if not isinstance(answer, Seen)]:
            raise ScriptError(f"no facts from {', '.join(unseen)}: {seen[unseen[0]]}")
        _require_none(self.surveyor.look_deep(site, seen, self.census.latest))

    async def full_look(self) -> None:
        """Every layer of every site, nothing taken from memory.

        Raises:
            ScriptError: something differs.
        """
        self.observer.desk.doubt(host.id for site in self.sites for host in site.hosts)
        await asyncio.gather(*(_undiffering(self.observer, site.desired) for site in self.sites))


def _require_none(signs: Sequence[Sign]) -> None:
    if signs:
        raise ScriptError(f"the sites are not steady: {signs[0]}")


@dataclass(frozen=True)
class Looks:
    """What each kind of look over all sites takes."""

    turn: Spent
    glance: Spent
    full: Spent


def measure(settings: Settings, sites: Sequence[str], accounts: Accounts, rounds: int) -> Looks:
    """Look at the sites of a home whose controller is stopped; the mean of some rounds of each kind."""
    with home_lock(settings.home):
        return asyncio.run(_measure(settings, sites, accounts, rounds))


async def _measure(settings: Settings, sites: Sequence[str], accounts: Accounts, rounds: int) -> Looks:
    async with _watch(settings, sites) as watch:
        await watch.turn()  # whatever is done once only, a connection to each host included
        return Looks(
            turn=await _mean(accounts, watch.turn, rounds),
            glance=await _mean(accounts, watch.glance, rounds * 5),
            full=await _mean(accounts, watch.full_look, rounds),
        )


async def _mean(accounts: Accounts, work: Callable[[], Coroutine[Any, Any, object]], rounds: int) -> Spent:
    meter = Meter(accounts)
    for _ in range(rounds):
        await work()
    return meter.spent().over(rounds)


@asynccontextmanager
async def _watch(settings: Settings, sites: Sequence[str]) -> AsyncIterator[Watch]:
    async with compose.open_kit(settings) as kit:
        verifier = Verifier(kit)
        observer = Observer(kit, verifier)
        found = [await _desired(kit, site) for site in sites]
        looked = await asyncio.gather(*(_undiffering(observer, desired) for desired in found))
        watched = [_watched(kit, *pair) for pair in zip(found, looked, strict=True)]
        surveyor = Surveyor(kit, verifier, observer.silences)
        yield Watch(observer, CensusTaker(kit), surveyor, tuple(watched))
        await observer.desk.close()


async def _desired(kit: Kit, site: str) -> Desired:
    fleet = Fleet(kit.source, kit.specs, kit.store, Freezer(kit))
    await fleet.load()
    await fleet.refresh(await kit.source.fetch() or "", kit.clock.now())
    known = fleet.in_force(site)
    if known is None:
        raise ScriptError(f"no spec is in force for {site}")
    return await Resolver(kit).resolve(known)


async def _undiffering(observer: Observer, desired: Desired) -> Observed:
    observed = await observer.look(desired)
    if found := diff(desired, observed):
        raise ScriptError(f"{desired.site} is not steady: {found[0]}")
    return observed


def _watched(kit: Kit, desired: Desired, observed: Observed) -> Watched:
    state = observed.infrastructure
    assert isinstance(state, Seen)
    return Watched(desired, observed.applied, state.value, kit.clock.now(), frozenset())
