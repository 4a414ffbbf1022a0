"""Why a site is as it is: everything that the store knows of it, put before `otto.decide.why`."""

import asyncio
from collections import deque
from collections.abc import Mapping
from datetime import datetime
from typing import Protocol

from otto.decide import approval
from otto.decide.evidence import Evidence
from otto.decide.why import why
from otto.model.catalogue import RememberedDomain, RememberedSpec
from otto.model.domain import is_zone
from otto.model.history import Grant, GrantKind
from otto.model.run import Run
from otto.model.spec import SiteSpec
from otto.model.status import SiteStatus
from otto.model.why import Why
from otto.reconcile import told
from otto.reconcile.approvals import policy_in

_RUNS = 20
_MOST = 200  # sites looked at of those that a site waits for, directly or not
_STEERING = frozenset({GrantKind.PAUSE, GrantKind.QUARANTINE})


class Grants(Protocol):
    """A part of the port `Ledger`."""

    async def grants(self, *, site: str | None = None, kind: GrantKind | None = None) -> tuple[Grant, ...]:
        """What people said, oldest first; with `site`, what concerns it: its own and that of all sites."""


class Memory(Protocol):
    """A part of the port `Store`."""

    @property
    def ledger(self) -> Grants:
        """What the guard remembers."""

    async def status(self, site: str) -> SiteStatus | None:
        """A site's status."""

    async def spec(self, site: str) -> RememberedSpec | None:
        """Last good spec of a site."""

    async def domain(self, zone: str) -> RememberedDomain | None:
        """Last good spec of a zone."""

    async def intents(self, site: str) -> frozenset[str]:
        """What people asked for besides the spec."""

    async def runs(self, site: str | None = None, limit: int = 20) -> tuple[Run, ...]:
        """Runs, newest first."""

    async def value(self, key: str) -> str | None:
        """A small value by key."""


async def reasons(store: Memory, site: str, *, at_work: bool, now: datetime) -> Why:
    """The answer.

    Args:
        store: where from.
        site: a site that there is.
        at_work: whether anybody works on sites right now.
        now: the time.
    """
    # Together: each of them waits for a thread, and none for another.
    status, known, runs, said, source, intents = await asyncio.gather(
        store.status(site),
        _spec(store, site),
        store.runs(site, _RUNS),
        store.ledger.grants(site=site),
        told.source(store),
        store.intents(site),
    )
    plan = approval.waiting_plan(status, runs)
    policy = policy_in(known)
    statuses, specs = await _needed(store, site, status, known)
    return why(
        Evidence(
            site=site,
            status=status,
            spec=known,
            intents=intents,
            runs=runs,
            statuses=statuses,
            specs=specs,
            controller=at_work,
            newest=str(source.get("commit") or ""),
            source_error=str(source.get("error") or ""),
            source_failures=int(source.get("failures") or 0),
            unsigned=str(source.get("unsigned") or ""),
            steered=tuple(grant for grant in said if grant.kind in _STEERING and grant.holds(now)),
            approved=approval.approved(said, plan, policy.approvers, now),
        )
    )


async def _spec(store: Memory, name: str) -> RememberedSpec | RememberedDomain | None:
    return await store.domain(name) if is_zone(name) else await store.spec(name)


async def _needed(
    store: Memory, site: str, status: SiteStatus | None, known: RememberedSpec | RememberedDomain | None
) -> tuple[Mapping[str, SiteStatus], Mapping[str, SiteSpec]]:
    """Statuses and specs of a site and of all it waits for, directly or not."""
    statuses = {site: status} if status else {}
    spec = known.spec if isinstance(known, RememberedSpec) else None
    specs = {site: spec} if spec else {}
    left = deque(spec.depends_on if spec else ())
    seen = {site}
    while left and len(seen) < _MOST:
        name = left.popleft()
        if name in seen:
            continue
        seen.add(name)
        found, one = await store.status(name), await store.spec(name)
        if found:
            statuses[name] = found
        if one:
            specs[name] = one.spec
            left.extend(one.spec.depends_on)
    return statuses, specs
