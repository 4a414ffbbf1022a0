"""One small protocol for each thing outside. Adapters implement them, `otto.testing` in memory.

Every method that talks to the outside is a coroutine, has a time limit of its own, and raises only
errors of `otto.model.errors`. Cancelling a coroutine stops its child processes before it returns.
"""

from otto.ports.clock import Clock
from otto.ports.configuration import Configuration
from otto.ports.forge import Forge, Proposals
from otto.ports.images import ImageBuilder, ImageIndex, Images
from otto.ports.infrastructure import Infrastructure
from otto.ports.notifier import Notifier
from otto.ports.pipelines import PipelineRecords
from otto.ports.policies import Policies, PolicyHook, Prices
from otto.ports.probe import Probe
from otto.ports.queue import Queue
from otto.ports.source import Moved, Source, Specs, Vouching
from otto.ports.store import Ledger, Store

__all__ = [
    "Clock",
    "Configuration",
    "Forge",
    "ImageBuilder",
    "ImageIndex",
    "Images",
    "Infrastructure",
    "Ledger",
    "Moved",
    "Notifier",
    "PipelineRecords",
    "Policies",
    "PolicyHook",
    "Prices",
    "Probe",
    "Proposals",
    "Queue",
    "Source",
    "Specs",
    "Store",
    "Vouching",
]
