"""Hosts a run has touched, and what they should be like from then on."""

from dataclasses import dataclass, replace

from otto.model.host import HostFacts
from otto.model.observed import Applied, Observed, Seen, Unseen
from otto.ports import Store
from otto.reconcile.observe import Observer


@dataclass(frozen=True, slots=True)
class Touched:
    """Hosts that a run configured, wholly or only partly, and those it deployed to."""

    configured: frozenset[str]
    deployed: frozenset[str]
    partly: frozenset[str]

    @property
    def hosts(self) -> frozenset[str]:
        """All of them."""
        return self.configured | self.deployed

    def expected(self, name: str, seen: Seen[HostFacts] | Unseen, applied: Applied) -> HostFacts | None:
        """What a host should be like from now on, None when that is not known.

        Only what the run laid itself is taken from what the host says now. The rest stays as it was on
        record: a stranger's edit beside it must not become the standard.
        """
        before = applied.hosts.get(name)
        if name in self.configured and name not in self.partly:
            return seen.value if isinstance(seen, Seen) else None
        if before is None or not isinstance(seen, Seen):
            return before
        if name in self.deployed:
            return replace(before, revision=seen.value.revision, content=seen.value.content)
        return before


async def record_facts(
    store: Store, observer: Observer, site: str, observed: Observed, touched: Touched
) -> Observed:
    """Ask the hosts just touched what they are like now: that is what they should stay like."""
    hosts = [host for host in observed.hosts if host.name in touched.hosts]
    if not hosts:
        return observed
    facts = await observer.desk.ask(hosts)
    applied = await store.applied(site)
    kept = {host.name: touched.expected(host.name, facts[host.name], applied) for host in hosts}
    known = {name: item for name, item in applied.hosts.items() if name not in kept}
    known |= {name: item for name, item in kept.items() if item is not None}
    await store.save_applied(site, replace(applied, hosts=known))
    return replace(observed, facts=dict(observed.facts) | dict(facts))
