"""One look at the store: how every site is, or one."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from otto.desk import names
from otto.desk.sources import StatusSource
from otto.model.history import Grant, GrantKind
from otto.model.host import LiveHost
from otto.model.problem import Problem
from otto.model.status import SiteStatus, pending
from otto.reconcile import told


@dataclass(frozen=True, slots=True)
class Presence:
    """A controller that answers."""

    pid: int
    version: str


@dataclass(frozen=True, slots=True)
class Around:
    """Who is at work over a home.

    Attributes:
        controller: the controller that answers, None when none does.
        worked_on: whether some command works over the home as a controller does.
    """

    controller: Presence | None = None
    worked_on: bool = False

    @property
    def anybody(self) -> bool:
        """Whether somebody is."""
        return self.controller is not None or self.worked_on


@dataclass(frozen=True, slots=True)
class Seen:
    """What the store says.

    Attributes:
        statuses: of the sites asked for, by name.
        intents: what people asked for, of the one site that was asked for.
        source: the repository of specs as last read, None before the first time.
        around: who is at work.
        orphans: hosts that no spec and no state owns; those of one site when one was asked for.
        problems: problems of spec files that belong to no known site.
        freezes: what keeps hosts from being taken away; of one site, where one was asked for.
        policy: what is wrong with the file of the fleet's policy, "" when nothing is.
    """

    statuses: tuple[SiteStatus, ...] = ()
    intents: Mapping[str, frozenset[str]] | None = None
    source: Mapping[str, Any] | None = None
    around: Around = Around()
    orphans: tuple[LiveHost, ...] = ()
    problems: tuple[Problem, ...] = ()
    freezes: tuple[Grant, ...] = ()
    policy: str = ""

    def asked_for(self, site: str) -> frozenset[str]:
        """What people asked for about a site besides its spec."""
        return (self.intents or {}).get(site, frozenset())


async def look(store: StatusSource, site: str | None, at_work: Around, now: datetime) -> Seen:
    """Read everything.

    Args:
        store: where from.
        site: the only site that counts, None for all.
        at_work: who is at work.
        now: the time.

    Raises:
        UsageError: there is no such site.
    """
    statuses = await known_statuses(store, now)
    orphans = await told.orphans(store)
    if site is not None:
        names.require(site, (item.site for item in statuses))
        statuses = tuple(item for item in statuses if item.site == site)
        orphans = tuple(host for host in orphans if host.site == site)
    return Seen(
        statuses,
        {item.site: await store.intents(item.site) for item in statuses} if site else None,
        await told.source(store) or None,
        at_work,
        orphans,
        await told.problems(store),
        await _freezes(store, site, now),
        await told.policy_problem(store),
    )


async def _freezes(store: StatusSource, site: str | None, now: datetime) -> tuple[Grant, ...]:
    """Freezes that hold now."""
    found = await store.ledger.grants(site=site, kind=GrantKind.FREEZE)
    return tuple(grant for grant in found if grant.holds(now))


async def known_statuses(store: StatusSource, now: datetime) -> tuple[SiteStatus, ...]:
    """Statuses, those included that nobody has written yet: a spec is there, its first look is to come."""
    known = {item.site: item for item in await store.statuses()}
    for name, spec in (await store.remembered()).items():
        if name not in known:
            known[name] = pending(spec.spec, spec.commit, now)
    for name, zone in (await store.remembered_domains()).items():
        if name not in known:
            known[name] = pending(zone.spec, zone.commit, now)
    return tuple(known[name] for name in sorted(known))
