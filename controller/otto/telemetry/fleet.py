"""Metrics of sites, one by one and counted together."""

from collections import Counter as Tally
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

from prometheus_client import CollectorRegistry
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from otto.model.difference import Layer
from otto.model.status import Phase, SiteStatus
from otto.telemetry.labels import label


@dataclass(slots=True)
class _Site:
    """What is shown of one site. Mappings are replaced, never changed: another thread may be reading them."""

    phase: Phase | None = None
    ready: bool = False
    failures: int = 0
    succeeded_at: float | None = None
    ends_at: float | None = None
    observed_at: float | None = None
    differences: Mapping[Layer, int] = field(default_factory=dict)
    seen_at: Mapping[str, float] = field(default_factory=dict)


class FleetMetrics(Collector):
    """Keeps what was said of each site, and makes series of it when metrics are read.

    A site has one series for its phase (the present one, as 1), and series for those layers only in
    which something differs; so a thousand sites stay readable.

    Args:
        registry: where it is registered.
        limit: the most sites for which every one has series of its own; with more, none has.
        now: seconds since 1970.
    """

    def __init__(self, registry: CollectorRegistry, *, limit: int, now: Callable[[], float]) -> None:
        self._sites: dict[str, _Site] = {}
        self._orphans: Mapping[str, int] = {}
        self._limit = limit
        self._now = now
        registry.register(self)

    def status(self, status: SiteStatus) -> None:
        """Show a site's status."""
        site = self._sites.setdefault(status.site, _Site())
        site.phase, site.ready, site.failures = status.phase, status.ready, status.failures
        site.ends_at = status.ends_at.timestamp() if status.ends_at else None
        if status.ready:
            site.succeeded_at = status.updated_at.timestamp()

    def observed(self, name: str, differences: Mapping[Layer, int]) -> None:
        """Show in how many places each layer differs, as seen now."""
        site = self._sites.setdefault(name, _Site())
        site.differences, site.observed_at = dict(differences), self._now()

    def seen(self, name: str, tier: str, at: float) -> None:
        """Show that a tier looked at a site, `at` seconds since 1970; what is gone stays gone."""
        site = self._sites.get(name)
        if site is None:
            return  # gone while the look was under way
        site.seen_at = {**site.seen_at, tier: at}
        site.observed_at = at if site.observed_at is None else max(at, site.observed_at)

    def orphans(self, counts: Mapping[str, int]) -> None:
        """Show how many hosts nobody owns, by the site their labels name; those not named have none."""
        self._orphans = {name: count for name, count in counts.items() if count > 0}

    def gone(self, name: str) -> None:
        """Take back everything said of a site."""
        self._sites.pop(name, None)

    def shows_sites(self) -> bool:
        """Whether every site has series of its own, there being few enough of them."""
        return len(self._sites.keys() | self._orphans.keys()) <= self._limit

    def describe(self) -> list[Metric]:
        """The families, without samples: what a registry checks names against."""
        return [*_fleet_families(), *_site_families().values()]

    def collect(self) -> Iterator[Metric]:
        """The families with a sample for each thing that was said."""
        sites, orphans = self._sites.copy(), self._orphans  # the loop goes on writing meanwhile
        shown = len(sites.keys() | orphans.keys()) <= self._limit  # of these copies, unlike `shows_sites`
        yield from self._counted(sites, orphans, dropped=not shown)
        if shown:
            yield from self._each(sites, orphans)

    def _counted(
        self, sites: Mapping[str, _Site], orphans: Mapping[str, int], *, dropped: bool
    ) -> Iterator[Metric]:
        phases, unready, ready, differing, oldest, ownerless, left_out = _fleet_families()
        counts = Tally((site.phase, site.ready) for site in sites.values())
        for phase in Phase:
            phases.add_metric([phase.value], counts[phase, True] + counts[phase, False])
            unready.add_metric([phase.value], counts[phase, False])
        for layer in Layer:
            differing.add_metric([layer.value], sum(layer in site.differences for site in sites.values()))
        ready.add_metric([], sum(site.ready for site in sites.values()))
        seen = [site.observed_at for site in sites.values() if site.observed_at is not None]
        oldest.add_metric([], max(0.0, self._now() - min(seen)) if seen else 0.0)
        ownerless.add_metric([], sum(orphans.values()))
        left_out.add_metric([], dropped)
        yield from (phases, unready, ready, differing, oldest, ownerless, left_out)

    def _each(self, sites: Mapping[str, _Site], orphans: Mapping[str, int]) -> Iterator[Metric]:
        families = _site_families()
        now = self._now()
        for name, site in sites.items():
            shown = label(name)
            _add_status(families, shown, site)
            for layer, count in site.differences.items():
                families["differences"].add_metric([shown, layer.value], count)
            if site.observed_at is not None:
                families["age"].add_metric([shown], max(0.0, now - site.observed_at))
            for tier, at in site.seen_at.items():
                families["ages"].add_metric([shown, tier], max(0.0, now - at))
        for name, count in orphans.items():
            families["orphans"].add_metric([label(name)], count)
        yield from families.values()


def _add_status(families: Mapping[str, GaugeMetricFamily], shown: str, site: _Site) -> None:
    if site.phase is None:
        return
    families["ready"].add_metric([shown], site.ready)
    families["phase"].add_metric([shown, site.phase.value], 1)
    families["failures"].add_metric([shown], site.failures)
    if site.succeeded_at is not None:
        families["success"].add_metric([shown], site.succeeded_at)
    if site.ends_at is not None:
        families["end"].add_metric([shown], site.ends_at)


def _fleet_families() -> tuple[GaugeMetricFamily, ...]:
    return (
        _gauge("otto_sites", "Sites, by phase.", "phase"),
        _gauge("otto_sites_unready", "Sites whose Ready condition is not True, by phase.", "phase"),
        _gauge("otto_sites_ready", "Sites whose Ready condition is True."),
        _gauge("otto_sites_differing", "Sites that are not as desired, by layer.", "layer"),
        _gauge(
            "otto_oldest_observation_age_seconds", "Age of the oldest last look at a site.", unit="seconds"
        ),
        _gauge("otto_orphan_hosts", "Hosts under OttO's labels that no spec and no state owns."),
        _gauge(
            "otto_site_series_dropped",
            "1 while series of single sites are left out, as metrics.perSite or metrics.siteLimit asks.",
        ),
    )


def _site_families() -> dict[str, GaugeMetricFamily]:
    return {
        "ready": _gauge("otto_site_ready", "1 while the site's Ready condition is True.", "site"),
        "phase": _gauge("otto_site_phase", "1 for the phase the site is in.", "site", "phase"),
        "failures": _gauge("otto_site_failures", "Failed runs in a row with the same inputs.", "site"),
        "success": _gauge(
            "otto_site_last_success_timestamp_seconds",
            "When the site was last seen ready.",
            "site",
            unit="seconds",
        ),
        "end": _gauge(
            "otto_site_end_timestamp_seconds",
            "When the site is taken down, by its time to live or a tombstone; left out where it is not.",
            "site",
            unit="seconds",
        ),
        "differences": _gauge(
            "otto_differences", "Places in which the site is not as desired.", "site", "layer"
        ),
        "age": _gauge(
            "otto_observed_age_seconds", "Age of the last look at the site.", "site", unit="seconds"
        ),
        "ages": _gauge(
            "otto_tier_observed_age_seconds",
            "Age of a tier's last look at the site.",
            "site",
            "tier",
            unit="seconds",
        ),
        "orphans": _gauge(
            "otto_site_orphan_hosts",
            "Hosts labelled with the site that no spec and no state owns; left out where there are none.",
            "site",
        ),
    }


def _gauge(name: str, about: str, *labels: str, unit: str = "") -> GaugeMetricFamily:
    return GaugeMetricFamily(name, about, labels=labels, unit=unit)
