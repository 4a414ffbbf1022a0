"""Metrics of zones."""

from collections import Counter as Tally
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

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
    in_sync: bool = False
    failures: int = 0
    differences: int = 0
    serial: int | None = None
    seen_at: dict[str, float] = field(default_factory=dict)


class ZoneMetrics(Collector):
    """Keeps what was said of each zone, and makes series of it when metrics are read.

    Args:
        registry: where it is registered.
        limit: the most zones for which every one has series of its own; with more, none has.
        now: seconds since 1970.
    """

    def __init__(self, registry: CollectorRegistry, *, limit: int, now: Callable[[], float]) -> None:
        self._zones: dict[str, _Zone] = {}
        self._limit = limit
        self._now = now
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
        zone.in_sync = status.holds(ConditionType.IN_SYNC)

    def differs(self, zone: str, count: int) -> None:
        """Show in how many places a zone differs."""
        self._zones.setdefault(zone, _Zone()).differences = count

    def seen(self, zone: str, look: str, at: float, serial: int | None) -> None:
        """Show that a look at a zone came to its end, `at` seconds since 1970, and found that serial."""
        known = self._zones.setdefault(zone, _Zone())
        known.seen_at = {**known.seen_at, look: at}
        known.serial = serial

    def gone(self, zone: str) -> None:
        """Take back everything said of a zone."""
        self._zones.pop(zone, None)

    def collect(self) -> Iterator[Metric]:
        """Families about zones, as they are now."""
        known = dict(self._zones)
        phases = GaugeMetricFamily("otto_dns_zones", "Zones, by phase.", labels=["phase"])
        unready = GaugeMetricFamily(
            "otto_dns_zones_unready", "Zones whose Ready condition is not True, by phase.", labels=["phase"]
        )
        counts = Tally(zone.phase for zone in known.values())
        waiting = Tally(zone.phase for zone in known.values() if not zone.ready)
        for phase in Phase:
            phases.add_metric([phase.value], counts[phase])
            unready.add_metric([phase.value], waiting[phase])
        families = _families()
        if len(known) <= self._limit:
            for name, zone in known.items():
                _add(families, label(name), zone, self._now())
        yield from (phases, unready, *families.values())


def _add(families: dict[str, GaugeMetricFamily], shown: str, zone: _Zone, now: float) -> None:
    for field_name in ("ready", "resolving", "in_sync", "failures", "differences"):
        families[field_name].add_metric([shown], float(getattr(zone, field_name)))
    families["phase"].add_metric([shown, zone.phase.value], 1)
    if zone.serial is not None:
        families["serial"].add_metric([shown], zone.serial)
    for look, at in zone.seen_at.items():
        families["age"].add_metric([shown, look], max(0.0, now - at))


def _families() -> dict[str, GaugeMetricFamily]:
    return {
        "ready": _gauge("otto_dns_zone_ready", "1 while the zone's Ready condition is True."),
        "resolving": _gauge(
            "otto_dns_zone_resolving", "1 while every nameserver of the zone answers as desired."
        ),
        "in_sync": _gauge(
            "otto_dns_zone_in_sync", "1 while the zone was seen to hold what is desired, and no conflict."
        ),
        "failures": _gauge("otto_dns_zone_failures", "Failed looks or runs in a row."),
        "differences": _gauge("otto_dns_zone_differences", "Places in which the zone is not as desired."),
        "phase": _gauge("otto_dns_zone_phase", "1 for the phase the zone is in.", "phase"),
        "serial": _gauge("otto_dns_zone_serial", "The zone's serial, as it was seen last."),
        "age": _gauge(
            "otto_dns_zone_observed_age_seconds",
            "Age of the last look at the zone that came to its end, by kind of look.",
            "look",
            unit="seconds",
        ),
    }


def _gauge(name: str, about: str, *labels: str, unit: str = "") -> GaugeMetricFamily:
    return GaugeMetricFamily(name, about, labels=["zone", *labels], unit=unit)
