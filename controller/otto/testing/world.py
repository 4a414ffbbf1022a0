"""One world for the ports in memory to share, so that a test can tell a whole story."""

import random
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import datetime

from otto.adapters.queue import WorkQueue
from otto.adapters.specs.editing import YamlEditor
from otto.config import LoopSettings
from otto.model.domain import DomainSpec
from otto.model.spec import Algorithm, Check, Content, HostGroup, Provider, SiteSpec, Tombstone
from otto.model.strategy import Rollout, Strategy
from otto.ports import Specs
from otto.reconcile.foundry import Foundry
from otto.reconcile.kit import Kit
from otto.telemetry.metrics import Metrics
from otto.testing.clock import FakeClock
from otto.testing.configuration import MemoryConfiguration
from otto.testing.forge import MemoryForge, MemoryProposals
from otto.testing.hosts import Hosts
from otto.testing.imagebuilder import MemoryImageBuilder
from otto.testing.images import MemoryImages
from otto.testing.infrastructure import MemoryInfrastructure
from otto.testing.ledger import MemoryLedger
from otto.testing.policy import MemoryHook, MemoryNotifier, MemoryPolicies, MemoryPrices, MemoryVouching
from otto.testing.probe import MemoryProbe
from otto.testing.source import MemorySource, MemorySpecs, spec_text
from otto.testing.specbook import MemorySpecbook
from otto.testing.store import MemoryStore
from otto.testing.zones import MemoryZones

OWNER = "0dd0cafe"
PAGE = "<h1>It works</h1>"


def site_spec(name: str = "acme", **changes: object) -> SiteSpec:
    """Two web servers and a balancer, changed all at once, not watched after; with any field changed."""
    spec = SiteSpec(
        name=name,
        provider=Provider.LAB,
        web=HostGroup(2, "small", "base"),
        balancer=HostGroup(1, "small", "base"),
        algorithm=Algorithm.ROUNDROBIN,
        content=Content(f"sites/{name}"),
        domains=(f"www.{name}.example",),
        checks=(Check("/", contains="It works"),),
        rollout=Rollout(Strategy.ALL, soak=0.0),
    )
    return replace(spec, **changes)  # type: ignore[arg-type]


class World:
    """Every port in memory, over the same hosts, repository and clock.

    Args:
        clock: the time; a new one when none is given.
        specs: a parser of specs; one for `spec_text` when none is given.
    """

    def __init__(self, clock: FakeClock | None = None, specs: Specs | None = None) -> None:
        self.clock = clock or FakeClock()
        self.hosts = Hosts(self.clock)
        self.source = MemorySource()
        self.specs: Specs = specs if specs is not None else MemorySpecs()
        self.infrastructure = MemoryInfrastructure(self.hosts, OWNER)
        self.configuration = MemoryConfiguration(self.hosts, self.clock)
        self.probe = MemoryProbe(self.hosts, self.source.files)
        self.images = MemoryImages()
        self.builder = MemoryImageBuilder(self.clock)
        self.ledger = MemoryLedger()
        self.store = MemoryStore(ledger=self.ledger)
        self.policies = MemoryPolicies()
        self.prices = MemoryPrices()
        self.hook = MemoryHook()
        self.notifier = MemoryNotifier()
        self.forge: MemoryForge | None = None  # nobody is told unless a test wants it
        self.proposals = MemoryProposals(self.source)
        self.specbook = MemorySpecbook(self.source)
        self.vouching = MemoryVouching()
        self.zones = MemoryZones()
        self.queue = WorkQueue(self.clock)

    def declare(self, *zones: DomainSpec) -> str:
        """Commit specs of zones, each to `specs/NAME.yaml`."""
        return self.source.commit({f"specs/{zone.name}.yaml": spec_text(zone) for zone in zones})

    def push(self, *sites: SiteSpec, files: Mapping[str, str | None] | None = None) -> str:
        """Commit specs, each to `specs/NAME.yaml` with a page of content if it has none, and other files."""
        changed: dict[str, str | None] = {f"specs/{site.name}.yaml": spec_text(site) for site in sites}
        for site in sites:
            page = f"{site.content.path}/index.html"
            if not site.content.git and not self.source.has(page):
                changed[page] = PAGE
        return self.source.commit(changed | dict(files or {}))

    def withdraw(self, *names: str) -> str:
        """Commit the removal of specs, of sites or zones."""
        return self.source.commit({f"specs/{name}.yaml": None for name in names})

    def bury(self, name: str, *, reason: str = "over", by: str = "", at: datetime | None = None) -> str:
        """Commit a site's tombstone, to `specs/NAME-tombstone.yaml`, and the removal of its spec."""
        stone = Tombstone(name, reason, by, at)
        return self.source.commit(
            {f"specs/{name}.yaml": None, f"specs/{name}-tombstone.yaml": spec_text(stone)}
        )

    def restart(self) -> None:
        """What a killed controller leaves: everything but the queue."""
        self.queue.close()
        self.queue = WorkQueue(self.clock)

    @asynccontextmanager
    async def foundry(self) -> AsyncIterator[Foundry]:
        """What makes images."""
        yield Foundry(self.builder, self.store.images, self.ledger, self.clock)

    def kit(self, settings: LoopSettings | None = None) -> Kit:
        """All ports as the loop takes them, its randomness fixed."""
        return Kit(
            source=self.source,
            specs=self.specs,
            infrastructure=self.infrastructure,
            configuration=self.configuration,
            probe=self.probe,
            images=self.images,
            store=self.store,
            ledger=self.ledger,
            policies=self.policies,
            prices=self.prices,
            hook=self.hook,
            notifier=self.notifier,
            zones=self.zones,
            forge=self.forge,
            proposals=self.proposals,
            specbook=self.specbook,
            editor=YamlEditor(),
            vouching=self.vouching,
            queue=self.queue,
            clock=self.clock,
            metrics=Metrics(now=lambda: self.clock.now().timestamp()),
            settings=settings or LoopSettings(),
            rng=random.Random(0),  # noqa: S311  (jitter, not a secret)
        )
