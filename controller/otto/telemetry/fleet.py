"""Metrics of sites, one by one and counted together."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

from prometheus_client import CollectorRegistry
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from otto.model.difference import Layer
from otto.model.status import Phase, SiteStatus


@dataclass(slots=True)
class _Site:
    """What is shown of one site."""

    phase: Phase | None = None
    ready: bool = False
    failures: int = 0
    succeeded_at: float | None = None
    observed_at: float | None = None
    differences: Mapping[Layer, int] = field(default_factory=dict)


class FleetMetrics(Collector):
    """Keeps what was said of each site, and makes series of it when metrics are read.

    A site has one series for its phase (the present one, as 1), and series for those layers only in
    which something differs; so ten thousand sites stay readable.

    Args:
        registry: where it is registered.
        per_site: whether there are series for every site.
        now: seconds since 1970.
    """

    def __init__(self, registry: CollectorRegistry, *, per_site: bool, now: Callable[[], float]) -> None:
        self._sites: dict[str, _Site] = {}
        self._per_site = per_site
        self._now = now
        registry.register(self)

    def status(self, status: SiteStatus) -> None:
        """Show a site's status."""
        site = self._sites.setdefault(status.site, _Site())
        site.phase, site.ready, site.failures = status.phase, status.ready, status.failures
        if status.ready:
            site.succeeded_at = status.updated_at.timestamp()

    def observed(self, name: str, differences: Mapping[Layer, int]) -> None:
        """Show in how many places each layer differs, as seen now."""
        site = self._sites.setdefault(name, _Site())
        site.differences, site.observed_at = dict(differences), self._now()

    def gone(self, name: str) -> None:
        """Take back everything said of a site."""
        self._sites.pop(name, None)

    def describe(self) -> list[Metric]:
        """The families, without samples: what a registry checks names against."""
        return [*_fleet_families(), *(_site_families().values() if self._per_site else ())]

    def collect(self) -> Iterator[Metric]:
        """The families with a sample for each thing that was said."""
        sites = dict(self._sites)  # other threads may read metrics while the loop writes them
        yield from self._counted(sites)
        if self._per_site:
            yield from self._each(sites)

    def _counted(self, sites: Mapping[str, _Site]) -> Iterator[Metric]:
        phases, ready, differing, oldest = _fleet_families()
        for phase in Phase:
            phases.add_metric([phase.value], sum(site.phase is phase for site in sites.values()))
        for layer in Layer:
            differing.add_metric([layer.value], sum(layer in site.differences for site in sites.values()))
        ready.add_metric([], sum(site.ready for site in sites.values()))
        seen = [site.observed_at for site in sites.values() if site.observed_at is not None]
        oldest.add_metric([], max(0.0, self._now() - min(seen)) if seen else 0.0)
        yield from (phases, ready, differing, oldest)

    def _each(self, sites: Mapping[str, _Site]) -> Iterator[Metric]:
        families = _site_families()
        now = self._now()
        for name, site in sites.items():
            _add_status(families, name, site)
            for layer, count in site.differences.items():
                families["differences"].add_metric([name, layer.value], count)
            if site.observed_at is not None:
                families["age"].add_metric([name], max(0.0, now - site.observed_at))
        yield from families.values()


def _add_status(families: Mapping[str, GaugeMetricFamily], name: str, site: _Site) -> None:
    if site.phase is None:
        return
    families["ready"].add_metric([name], site.ready)
    families["phase"].add_metric([name, site.phase.value], 1)
    families["failures"].add_metric([name], site.failures)
    if site.succeeded_at is not None:
        families["success"].add_metric([name], site.succeeded_at)


def _fleet_families() -> tuple[GaugeMetricFamily, ...]:
    gauge = GaugeMetricFamily
    return (
        gauge("otto_sites", "Sites, by phase.", labels=["phase"]),
        gauge("otto_sites_ready", "Sites whose Ready condition is True."),
        gauge("otto_sites_differing", "Sites that are not as desired, by layer.", labels=["layer"]),
        gauge("otto_oldest_observation_age_seconds", "Age of the oldest last look at a site."),
    )


def _site_families() -> dict[str, GaugeMetricFamily]:
    gauge = GaugeMetricFamily
    return {
        "ready": gauge("otto_site_ready", "1 while the site's Ready condition is True.", labels=["site"]),
        "phase": gauge("otto_site_phase", "1 for the phase the site is in.", labels=["site", "phase"]),
        "failures": gauge(
            "otto_site_failures", "Failed runs in a row with the same inputs.", labels=["site"]
        ),
        "success": gauge(
            "otto_site_last_success_timestamp_seconds", "When the site was last seen ready.", labels=["site"]
        ),
        "differences": gauge(
            "otto_differences", "Places in which the site is not as desired.", labels=["site", "layer"]
        ),
        "age": gauge("otto_observed_age_seconds", "Age of the last look at the site.", labels=["site"]),
    }
