"""Look at the world, layer by layer. What cannot be seen is unknown, with the reason."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from otto.model.desired import Desired
from otto.model.errors import OttoError
from otto.model.host import Host, HostFacts, HostState, LiveHost
from otto.model.observed import Facts, InfrastructureState, Observed, Seen, Unseen
from otto.reconcile.kit import Kit
from otto.reconcile.verify import Verifier


class Observer:
    """Observes one site at a time; each layer by itself, so that one that fails hides no other."""

    def __init__(self, kit: Kit, verifier: Verifier) -> None:
        self._kit = kit
        self._verifier = verifier

    async def look(self, desired: Desired) -> Observed:
        """Everything there is to see of a site, cheapest signals only: no Terraform, no playbook."""
        infrastructure, inventory = await asyncio.gather(
            self.infrastructure(desired.site), self.inventory(desired.site)
        )
        state = infrastructure.value if isinstance(infrastructure, Seen) else InfrastructureState()
        facts, serving = await asyncio.gather(
            self.facts(state.hosts, inventory), self._verifier.once(desired, state)
        )
        applied = await self._kit.store.applied(desired.site)
        return Observed(infrastructure, inventory, facts, serving, applied)

    async def infrastructure(self, site: str) -> Seen[InfrastructureState] | Unseen:
        """What Terraform's state holds; no state counts as an empty one."""
        try:
            state = await self._kit.infrastructure.state(site)
        except OttoError as error:
            return Unseen(str(error), self._now())
        return Seen(state or InfrastructureState(), self._now())

    async def inventory(self, site: str) -> Seen[tuple[LiveHost, ...]] | Unseen:
        """What the provider has under our labels for this site."""
        try:
            return Seen(await self._kit.infrastructure.inventory(site), self._now())
        except OttoError as error:
            return Unseen(str(error), self._now())

    async def facts(self, hosts: Sequence[Host], inventory: Seen[tuple[LiveHost, ...]] | Unseen) -> Facts:
        """Facts of every host; those the provider calls dead are not asked, which would only cost time."""
        ask = [host for host in hosts if not _known_dead(host, inventory)]
        now = self._now()
        found: dict[str, Seen[HostFacts] | Unseen] = {
            host.name: Unseen("the host is not running", now) for host in hosts if host not in ask
        }
        if ask:
            with self._kit.calling("ansible"):
                found |= {name: seen async for name, seen in self._kit.configuration.facts(ask)}
        return found

    async def after_provisioning(self, observed: Observed, site: str) -> Observed:
        """Look again at what an apply changes. Hosts that were not there before are known to be bare."""
        infrastructure, inventory = await asyncio.gather(self.infrastructure(site), self.inventory(site))
        before = {host.name: host.id for host in observed.hosts}
        facts = dict(observed.facts)
        if isinstance(infrastructure, Seen):
            for host in infrastructure.value.hosts:
                if before.get(host.name) != host.id:
                    facts[host.name] = Seen(HostFacts(fact=""), self._now())
            again = [h for h in infrastructure.value.hosts if not isinstance(facts.get(h.name), Seen)]
            facts |= await self.facts(again, inventory)
        applied = await self._kit.store.applied(site)
        return replace(
            observed, infrastructure=infrastructure, inventory=inventory, facts=facts, applied=applied
        )

    def _now(self) -> datetime:
        return self._kit.clock.now()


def _known_dead(host: Host, inventory: Seen[tuple[LiveHost, ...]] | Unseen) -> bool:
    if isinstance(inventory, Unseen):
        return False
    live = next((item for item in inventory.value if item.name == host.name), None)
    return live is None or live.state is not HostState.RUNNING
