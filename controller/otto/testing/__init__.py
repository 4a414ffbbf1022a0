"""The outside in memory: for OttO's own tests, and for authors of plug-ins.

`World` holds one of everything in `otto.ports`, over the same simulated hosts, so that a story can be
told from a push to a repair without a process, a socket or a second of waiting:

    world = World()
    world.push(site_spec("acme"))           # a commit with a spec and a page
    kit = world.kit()                        # what the loop takes
    ...                                      # run the loop, or the part of it under test
    world.hosts.kill("acme-web-1")           # also pause, start, remove, cut; or edit `world.hosts[NAME]`
    await world.clock.advance(30)            # time passes when told to
    world.infrastructure.failures.next("apply", TransientError("quota"))
    gate = world.configuration.failures.hold("deploy")   # stop work in the middle

A plug-in that adds a provider or a store is right when it behaves as the port in memory does: the tests
`tests/unit/test_testing_*.py` say what that is, and take any implementation.
"""

from otto.testing.clock import START, FakeClock, settle
from otto.testing.configuration import MemoryConfiguration
from otto.testing.failures import Failures, Gate
from otto.testing.forge import MemoryForge, MemoryProposals
from otto.testing.hosts import Backend, Hosts, SimHost
from otto.testing.imagebuilder import MemoryImageBuilder
from otto.testing.imageindex import MemoryImageIndex
from otto.testing.images import MemoryImages
from otto.testing.infrastructure import MemoryInfrastructure
from otto.testing.ledger import MemoryLedger
from otto.testing.pipelines import MemoryPipelines
from otto.testing.probe import MemoryProbe
from otto.testing.source import MemorySource, MemorySpecs, spec_text
from otto.testing.specbook import MemorySpecbook
from otto.testing.store import MemoryStore
from otto.testing.tokens import MemoryTokens
from otto.testing.world import World, site_spec
from otto.testing.zones import MemoryZones, SimZone

__all__ = [
    "START",
    "Backend",
    "Failures",
    "FakeClock",
    "Gate",
    "Hosts",
    "MemoryConfiguration",
    "MemoryForge",
    "MemoryImageBuilder",
    "MemoryImageIndex",
    "MemoryImages",
    "MemoryInfrastructure",
    "MemoryLedger",
    "MemoryPipelines",
    "MemoryProbe",
    "MemoryProposals",
    "MemorySource",
    "MemorySpecbook",
    "MemorySpecs",
    "MemoryStore",
    "MemoryTokens",
    "MemoryZones",
    "SimHost",
    "SimZone",
    "World",
    "settle",
    "site_spec",
    "spec_text",
]
