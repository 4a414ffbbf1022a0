"""Everything the loop needs from outside, handed in once by the composition root."""

import random
from dataclasses import dataclass, field

from otto.config import LoopSettings
from otto.ports import Clock, Configuration, Images, Infrastructure, Probe, Queue, Source, Specs, Store
from otto.reconcile.events import Bus
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
    queue: Queue
    clock: Clock
    metrics: Metrics
    settings: LoopSettings = field(default_factory=LoopSettings)
    providers: frozenset[str] = frozenset({"lab"})
    bus: Bus = field(default_factory=Bus)
    rng: random.Random = field(default_factory=random.Random)
