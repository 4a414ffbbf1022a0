"""Everything the loop needs from outside, handed in once by the composition root."""

import asyncio
import random
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from otto.config import (
    DnsSettings,
    FactsSettings,
    ForgeSettings,
    LoopSettings,
    ProbesSettings,
    RefreshSettings,
)
from otto.ports import (
    Clock,
    Configuration,
    Forge,
    Images,
    Infrastructure,
    Ledger,
    Notifier,
    Policies,
    PolicyHook,
    Prices,
    Probe,
    Proposals,
    Queue,
    Source,
    Specs,
    Store,
    Vouching,
)
from otto.ports.specbook import Editor, Specbook
from otto.ports.zones import Zones
from otto.reconcile.events import Bus
from otto.reconcile.turns import Turns
from otto.telemetry.metrics import Metrics


@dataclass(frozen=True)
class Kit:
    """The ports, and the loop's own settings."""

    source: Source
    specs: Specs
    infrastructure: Infrastructure
    configuration: Configuration
    probe: Probe
    images: Images
    store: Store
    ledger: Ledger
    policies: Policies
    prices: Prices
    hook: PolicyHook
    notifier: Notifier
    zones: Zones
    vouching: Vouching
    queue: Queue
    clock: Clock
    metrics: Metrics
    settings: LoopSettings = field(default_factory=LoopSettings)
    probes: ProbesSettings = field(default_factory=ProbesSettings)
    facts: FactsSettings = field(default_factory=FactsSettings)
    refresh: RefreshSettings = field(default_factory=RefreshSettings)
    dns: DnsSettings = field(default_factory=DnsSettings)
    forge: Forge | None = None
    proposals: Proposals | None = None
    specbook: Specbook | None = None
    editor: Editor | None = None
    forging: ForgeSettings = field(default_factory=ForgeSettings)
    providers: frozenset[str] = frozenset({"lab"})
    bus: Bus = field(default_factory=Bus)
    turns: Turns = field(default_factory=Turns)
    rng: random.Random = field(default_factory=random.Random)

    @contextmanager
    def calling(self, tool: str) -> Iterator[None]:
        """Count a call of an outside tool by how it ends."""
        result = "failed"
        try:
            yield
            result = "succeeded"
        except asyncio.CancelledError:
            result = "interrupted"
            raise
        except TimeoutError:
            result = "timed-out"
            raise
        finally:
            self.metrics.tool_called(tool, result)
