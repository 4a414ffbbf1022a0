"""Metrics of observation: looks by tier, signs, and what providers tell by themselves."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from otto.model.host import HostEventKind
from otto.model.sign import Tier

TIERS = ("probes", "facts", "refresh")
LOOK_RESULTS = ("succeeded", "failed", "timed-out")

_LOOKS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120)


class ObservationMetrics:
    """Families about observation; `TIERS` are the settings' sections, `Tier` names what a sign came from."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._make_looks(registry)
        self._make_signs(registry)

    def _make_looks(self, registry: CollectorRegistry) -> None:
        self._looks = Counter(
            "otto_observations",
            "Looks at a site, by tier and result.",
            ["tier", "result"],
            registry=registry,
        )
        self._look_seconds = Histogram(
            "otto_observation_duration_seconds",
            "How long looks at a site took, by tier.",
            ["tier"],
            unit="seconds",
            buckets=_LOOKS,
            registry=registry,
        )
        self._lag = Gauge(
            "otto_observation_lag_seconds",
            "How far a tier is behind its interval.",
            ["tier"],
            unit="seconds",
            registry=registry,
        )
        for tier in TIERS:
            self._look_seconds.labels(tier)
            self._lag.labels(tier)
            for result in LOOK_RESULTS:
                self._looks.labels(tier, result)

    def _make_signs(self, registry: CollectorRegistry) -> None:
        self._signs = Counter(
            "otto_signs", "Signs that made a site due, by what saw them.", ["tier"], registry=registry
        )
        for tier in Tier:
            self._signs.labels(tier.value)
        self._events = Counter(
            "otto_provider_events",
            "What providers told of hosts by themselves, by kind.",
            ["kind"],
            registry=registry,
        )
        for kind in HostEventKind:
            self._events.labels(kind.value)
        self._stream = Gauge(
            "otto_provider_event_stream_up",
            "1 while providers' events are listened to.",
            registry=registry,
        )

    def looked(self, tier: str, result: str, seconds: float) -> None:
        """Count a look of a tier at a site; see `TIERS` and `LOOK_RESULTS`."""
        self._looks.labels(tier, result).inc()
        self._look_seconds.labels(tier).observe(seconds)

    def tier_lag(self, tier: str, seconds: float) -> None:
        """Show how far a tier is behind its interval."""
        self._lag.labels(tier).set(max(0.0, seconds))

    def sign(self, tier: str) -> None:
        """Count a sign that made a site due, by its `Tier`."""
        self._signs.labels(tier).inc()

    def event(self, kind: str) -> None:
        """Count what a provider told of a host; see `HostEventKind`."""
        self._events.labels(kind).inc()

    def event_stream(self, up: bool) -> None:
        """Show whether providers' events are listened to."""
        self._stream.set(up)
