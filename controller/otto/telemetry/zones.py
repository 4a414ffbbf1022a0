"""Metrics of zones."""

from collections import Counter as Tally
from collections.abc import Iterator
from dataclasses import dataclass

from prometheus_client import CollectorRegistry, Counter
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from otto.model.status import ConditionType, Phase, SiteStatus
from otto.telemetry.labels import label

LOOKS = ("serial", "full", "check")
ACTIONS = ("create", "update", "destroy")


@dataclass(slots=True)
class _Zone:
    phase: Phase = Phase.PENDING
    ready: bool = False
    resolving: bool = False
    failures: int = 0
    differences: int = 0


class ZoneMetrics(Collector):
    """Keeps what was said of each zone, and makes series of it when metrics are read.

    Args:
        registry: where it is registered.
        limit: the most zones for which every one has series of its own; with more, none has.
    """

    def __init__(self, registry: CollectorRegistry, *, limit: int) -> None:
        self._zones: dict[str, _Zone] = {}
        self._limit = limit
        self._looks = Counter(
            "otto_dns_looks",
            "Looks at zones: at the serial alone, at all of a zone, at what its nameservers answer.",
            ["look"],
            registry=registry,
        )
        self._changes = Counter(
            "otto_dns_changes",
            "Record sets that were changed, by what was done.",
            ["action"],
            registry=registry,
        )
        for look in LOOKS:
            self._looks.labels(look)
        for action in ACTIONS:
            self._changes.labels(action)
        registry.register(self)

    def looked(self, look: str) -> None:
        """Count a look at a zone; see `LOOKS`."""
        self._looks.labels(look).inc()

    def changed(self, action: str) -> None:
        """Count a changed record set; see `ACTIONS`."""
        self._changes.labels(action).inc()

    def status(self, status: SiteStatus) -> None:
        """Show a zone's status."""
        zone = self._zones.setdefault(status.site, _Zone())
        zone.phase, zone.ready, zone.failures = status.phase, status.ready, status.failures
        zone.resolving = status.holds(ConditionType.RESOLVING)

    def differs(self, zone: str, count: int) -> None:
        """Show in how many places a zone differs."""
        self._zones.setdefault(zone, _Zone()).differences = count

    def gone(self, zone: str) -> None:
        """Take back everything said of a zone."""
        self._zones.pop(zone, None)

    def collect(self) -> Iterator[Metric]:
        """Families about zones, as they are now."""
        known = dict(self._zones)
        phases = GaugeMetricFamily("otto_dns_zones", "Zones, by phase.", labels=["phase"])
        counts = Tally(zone.phase for zone in known.values())
        for phase in Phase:
            phases.add_metric([phase.value], counts[phase])
        families = {
            "ready": _gauge("otto_dns_zone_ready", "1 while the zone's Ready condition is True."),
            "resolving": _gauge(
                "otto_dns_zone_resolving", "1 while every nameserver of the zone answers as desired."
            ),
            "failures": _gauge("otto_dns_zone_failures", "Failed looks or runs in a row."),
            "differences": _gauge("otto_dns_zone_differences", "Places in which the zone is not as desired."),
        }
        if len(known) <= self._limit:
            for name, zone in known.items():
                for field, family in families.items():
                    family.add_metric([label(name)], float(getattr(zone, field)))
        yield from (phases, *families.values())


def _gauge(name: str, about: str) -> GaugeMetricFamily:
    return GaugeMetricFamily(name, about, labels=["zone"])
