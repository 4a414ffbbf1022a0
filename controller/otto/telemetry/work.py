"""Metrics of the loop itself: its queue, its workers, and whether it is alive."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from prometheus_client import CollectorRegistry, Gauge

from otto.telemetry.health import Health


class WorkMetrics:
    """Families about the loop.

    Attributes:
        health: what `/healthz` asks; the loop's parts tell it that they are at work.
    """

    def __init__(self, registry: CollectorRegistry, health: Health) -> None:
        self.health = health
        self._depth = Gauge(
            "otto_queue_depth", "Sites that are due and wait for a worker.", registry=registry
        )
        self._delayed = Gauge("otto_queue_delayed", "Sites that are due later.", registry=registry)
        self._workers = Gauge("otto_workers", "Workers there are.", registry=registry)
        self._busy = Gauge("otto_workers_busy", "Workers that are at work on a site.", registry=registry)
        self._make_health(registry)

    def _make_health(self, registry: CollectorRegistry) -> None:
        alive = Gauge("otto_alive", "1 while the loop is alive, as /healthz tells.", registry=registry)
        alive.set_function(lambda: not self.health.reasons())
        longest = Gauge(
            "otto_longest_work_seconds",
            "How long the worker that is longest at its site has been there.",
            unit="seconds",
            registry=registry,
        )
        longest.set_function(lambda: self.health.longest)
        lag = Gauge(
            "otto_event_loop_lag_seconds",
            "The most by which the event loop was late in the last minute.",
            unit="seconds",
            registry=registry,
        )
        lag.set_function(lambda: self.health.lag)

    def watch_queue(self, depth: Callable[[], int], delayed: Callable[[], int]) -> None:
        """Ask the queue itself whenever metrics are read, from whatever thread reads them."""
        self._depth.set_function(depth)
        self._delayed.set_function(delayed)

    def workers(self, count: int) -> None:
        """Show how many workers there are."""
        self._workers.set(count)

    @contextmanager
    def worker_busy(self, site: str = "") -> Iterator[None]:
        """Count a worker as busy with a site inside."""
        with self._busy.track_inprogress(), self.health.working(site):
            yield
