"""Metrics of rollouts."""

from collections.abc import Callable, Iterator

from prometheus_client import CollectorRegistry, Counter
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from otto.model.rollout import RolloutState, RolloutStatus
from otto.telemetry.labels import label

RESULTS = ("done", "failed", "reverted", "stuck")


class RolloutMetrics(Collector):
    """Keeps how rollouts stand, and makes series of it when metrics are read.

    Args:
        registry: where it is registered.
        sites_shown: whether every site has series of its own.
    """

    def __init__(self, registry: CollectorRegistry, sites_shown: Callable[[], bool]) -> None:
        self._sites_shown = sites_shown
        self._known: dict[str, RolloutStatus] = {}
        self._begun = Counter("otto_rollouts_begun", "Rollouts that began.", registry=registry)
        self._ended = Counter(
            "otto_rollouts_ended",
            "What came of rollouts: done; failed; reverted after that; stuck, since they could not be.",
            ["result"],
            registry=registry,
        )
        for result in RESULTS:
            self._ended.labels(result)
        registry.register(self)

    def began(self) -> None:
        """Count a rollout that begins."""
        self._begun.inc()

    def ended(self, result: str) -> None:
        """Count what came of a rollout; see `RESULTS`."""
        self._ended.labels(result).inc()

    def stands(self, status: RolloutStatus) -> None:
        """Show how a site's rollout stands."""
        self._known[status.site] = status

    def gone(self, site: str) -> None:
        """Take back everything said of a site."""
        self._known.pop(site, None)

    def collect(self) -> Iterator[Metric]:
        """Families about single sites, as they are now."""
        known = tuple(self._known.values()) if self._sites_shown() else ()
        about = "1 for the state that a site's last rollout is in, 0 for the others."
        states = GaugeMetricFamily("otto_rollout_state", about, labels=["site", "state"])
        servers = GaugeMetricFamily(
            "otto_rollout_servers", "Servers on a site's last rollout.", labels=["site"]
        )
        done = GaugeMetricFamily(
            "otto_rollout_servers_done",
            "Servers of a site's last rollout that were changed, verified and watched.",
            labels=["site"],
        )
        for status in known:
            site = label(status.site)
            for state in RolloutState:
                states.add_metric([site, state.value], float(state is status.state))
            servers.add_metric([site], sum(len(batch) for batch in status.batches))
            done.add_metric([site], len(status.done))
        yield from (states, servers, done)
