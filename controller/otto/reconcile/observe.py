"""Look at the world, layer by layer. What cannot be seen is unknown, with the reason."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from otto.decide.hostdiff import SET_ASIDE
from otto.decide.hosts import listed, with_declared
from otto.decide.verification import shows_revision
from otto.model.desired import Desired
from otto.model.errors import OttoError
from otto.model.host import Host, HostFacts, LiveHost
from otto.model.observed import (
    Applied,
    CheckFailure,
    Facts,
    InfrastructureState,
    Observed,
    Seen,
    Serving,
    Unseen,
)
from otto.reconcile.kit import Kit
from otto.reconcile.observation.factsdesk import FactsDesk
from otto.reconcile.observation.sightings import Sightings
from otto.reconcile.observation.silences import Silences
from otto.reconcile.verify import Verifier, dead_hosts


class Observer:
    """Observes one site at a time; each layer by itself, so that one that fails hides no other."""

    def __init__(self, kit: Kit, verifier: Verifier) -> None:
        self._kit = kit
        self._verifier = verifier
        self.desk = FactsDesk(kit)
        self.silences = Silences(kit.clock, kit.probes.confirmations, kit.probes.lostShare)
        self.sightings = Sightings()

    async def look(self, desired: Desired, applied: Applied | None = None) -> Observed:
        """Everything there is to see of a site, cheapest signals only: no Terraform, no playbook.

        What hosts say of themselves is taken from memory while it is fresh and nothing speaks against it.

        Args:
            desired: what the site should be.
            applied: what was put in place last, for who has just read it.
        """
        infrastructure, inventory = await asyncio.gather(
            self.infrastructure(desired), self.inventory(desired)
        )
        state = infrastructure.value if isinstance(infrastructure, Seen) else InfrastructureState()
        dead = dead_hosts(state, inventory)
        known = frozenset(self.silences.of(state.hosts))
        round_ = await self._verifier.look(desired, state, dead | known)
        for host in state.hosts:
            if host.name in round_.silent:
                self.silences.silent(host, counts=False)
        silent = self.silences.of(state.hosts)
        said = {host.name: self.desk.view(host) for host in state.hosts}
        self.desk.doubt(_contradicted(state, round_.serving, said))
        facts = await self.facts(state.hosts, dead | silent.keys())
        if applied is None:
            applied = await self._kit.store.applied(desired.site)
        refreshed = self.sightings.refreshed.get(desired.site, ())
        return Observed(infrastructure, inventory, facts, round_.serving, applied, silent, refreshed)

    async def infrastructure(self, desired: Desired) -> Seen[InfrastructureState] | Unseen:
        """What Terraform's state holds, and what people declared; no state counts as an empty one."""
        try:
            state = await self._kit.infrastructure.state(desired.site)
        except OttoError as error:
            return Unseen(str(error), self._now())
        return Seen(with_declared(state or InfrastructureState(), desired.declared), self._now())

    async def inventory(self, desired: Desired) -> Seen[tuple[LiveHost, ...]] | Unseen:
        """What the provider has under our labels for this site; declared machines are taken to run."""
        try:
            live = await self._kit.infrastructure.inventory(desired.site)
        except OttoError as error:
            return Unseen(str(error), self._now())
        return Seen(listed(desired.site, live, desired.declared), self._now())

    async def facts(self, hosts: Sequence[Host], unreachable: frozenset[str]) -> Facts:
        """Facts of every host; those that cannot answer are not asked, which would only cost time."""
        now = self._now()
        ask = [host for host in hosts if host.name not in unreachable]
        self.desk.doubt(host.id for host in hosts if host.name in unreachable)
        found: dict[str, Seen[HostFacts] | Unseen] = {
            host.name: Unseen("the host does not answer", now) for host in hosts if host.name in unreachable
        }
        return found | await self.desk.facts(ask)

    async def after_provisioning(
        self, observed: Observed, desired: Desired, made: frozenset[str]
    ) -> Observed:
        """Look again at what an apply changes. Hosts that it `made` are known to be bare."""
        infrastructure, inventory = await asyncio.gather(
            self.infrastructure(desired), self.inventory(desired)
        )
        facts = dict(observed.facts)
        if isinstance(infrastructure, Seen):
            for host in infrastructure.value.hosts:
                if host.name in made:
                    facts[host.name] = Seen(HostFacts(fact=""), self._now())
            again = [h for h in infrastructure.value.hosts if not isinstance(facts.get(h.name), Seen)]
            for host in again:
                self.silences.heard(host)
            facts |= await self.facts(again, dead_hosts(infrastructure.value, inventory))
        applied = await self._kit.store.applied(desired.site)
        return replace(
            observed,
            infrastructure=infrastructure,
            inventory=inventory,
            facts=facts,
            applied=applied,
            silent={},
            refreshed=(),
        )

    def _now(self) -> datetime:
        return self._kit.clock.now()


def _contradicted(state: InfrastructureState, serving: Seen[Serving] | Unseen, said: Facts) -> list[str]:
    """Ids of hosts that answer otherwise than their facts let expect."""
    if isinstance(serving, Unseen):
        return []
    failures = [item for item in serving.value.failures if not _expected(item, said.get(item.host))]
    failing = {failure.host for failure in failures if not failure.server}
    failing |= {failure.server for failure in failures if not failure.received.startswith(SET_ASIDE)}
    return [host.id for host in state.hosts if host.name in failing]


def _expected(failure: CheckFailure, said: Seen[HostFacts] | Unseen | None) -> bool:
    """Whether a host serves just what it said it does: then the wish is another, and the host in order.

    A commit that changes a site's content would otherwise wait for facts that are known.
    """
    return isinstance(said, Seen) and shows_revision(failure, said.value.revision)
