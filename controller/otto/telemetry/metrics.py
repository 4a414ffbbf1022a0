"""Metrics, by the naming rules of Prometheus (base units, `_total` for counters, help for all).

Every family is there from the start, with its label values where they are known, so that a rate or an
alert never waits for a first event. Families about single sites can be switched off for large fleets;
those about the fleet as a whole stay. A gone site takes its series with it.
"""

import platform
import time
from collections import Counter as Tally
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager

import prometheus_client as prometheus
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, Info
from prometheus_client.exposition import choose_encoder

from otto import __version__
from otto.model.difference import Difference
from otto.model.run import Outcome
from otto.model.status import SiteStatus
from otto.telemetry.fleet import FleetMetrics

STEPS = ("plan", "guard", "provision", "configure", "deploy", "dns", "verify", "destroy")
TOOLS = ("terraform", "ansible")
RESULTS = ("succeeded", "failed", "timed-out", "interrupted")

_FAST = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
_SLOW = (0.5, 1, 2.5, 5, 10, 20, 30, 60, 120, 300, 600, 1800)


class Metrics:
    """All of OttO's metrics over one registry; cheap enough to be told everything.

    Args:
        registry: where they are registered; a new one when none is given.
        per_site: whether there are series for every site.
        now: seconds since 1970.
    """

    def __init__(
        self,
        registry: CollectorRegistry | None = None,
        *,
        per_site: bool = True,
        now: Callable[[], float] = time.time,
    ) -> None:
        # A creation time beside every counter would double the series and tell nobody anything.
        prometheus.disable_created_metrics()  # type: ignore[no-untyped-call]
        self.registry = registry or CollectorRegistry()
        self._fleet = FleetMetrics(self.registry, per_site=per_site, now=now)
        self._make_runs(self.registry)
        self._make_loop(self.registry)
        self._make_outside(self.registry)
        build = Info("otto_build", "What is running.", registry=self.registry)
        build.info({"version": __version__, "python": platform.python_version()})
        prometheus.ProcessCollector(registry=self.registry)

    def _make_runs(self, registry: CollectorRegistry) -> None:
        self._runs = Counter("otto_runs", "Runs that ended, by outcome.", ["outcome"], registry=registry)
        for outcome in Outcome:
            if outcome is not Outcome.RUNNING:
                self._runs.labels(outcome.value)
        self._run_seconds = Histogram(
            "otto_run_duration_seconds", "How long runs took.", buckets=_SLOW, registry=registry
        )
        self._step_seconds = Histogram(
            "otto_step_duration_seconds",
            "How long steps of runs took.",
            ["step"],
            buckets=_SLOW,
            registry=registry,
        )
        for step in STEPS:
            self._step_seconds.labels(step)
        self._decision_seconds = Histogram(
            "otto_push_to_decision_seconds",
            "From noticing a commit to knowing which sites it touches.",
            buckets=_FAST,
            registry=registry,
        )
        self._ready_seconds = Histogram(
            "otto_commit_to_ready_seconds",
            "From noticing a commit to a site it touches being verified.",
            buckets=_SLOW,
            registry=registry,
        )

    def _make_loop(self, registry: CollectorRegistry) -> None:
        self._depth = Gauge(
            "otto_queue_depth", "Sites that are due and wait for a worker.", registry=registry
        )
        self._delayed = Gauge("otto_queue_delayed", "Sites that are due later.", registry=registry)
        self._busy = Gauge("otto_workers_busy", "Workers that are at work on a site.", registry=registry)
        self._backoffs = Counter("otto_backoffs", "Failures that made a site wait.", registry=registry)

    def _make_outside(self, registry: CollectorRegistry) -> None:
        self._calls = Counter(
            "otto_tool_calls", "Calls of outside tools, by result.", ["tool", "result"], registry=registry
        )
        for tool in TOOLS:
            for result in RESULTS:
                self._calls.labels(tool, result)
        self._source_up = Gauge(
            "otto_source_up", "1 while the spec repository can be read.", registry=registry
        )
        self._source_success = Gauge(
            "otto_source_last_success_timestamp_seconds",
            "When the spec repository was last read.",
            registry=registry,
        )

    def run_finished(self, outcome: str, seconds: float) -> None:
        """Count a run that ended."""
        self._runs.labels(outcome).inc()
        self._run_seconds.observe(seconds)

    def step_finished(self, step: str, seconds: float) -> None:
        """Note how long a step of a run took."""
        self._step_seconds.labels(step).observe(seconds)

    def decided(self, seconds: float) -> None:
        """Note how long it took from a push to the decision which sites it touches."""
        self._decision_seconds.observe(seconds)

    def commit_ready(self, seconds: float) -> None:
        """Note how long it took from a commit to a verified site."""
        self._ready_seconds.observe(seconds)

    def watch_queue(self, depth: Callable[[], int], delayed: Callable[[], int]) -> None:
        """Ask the queue itself whenever metrics are read."""
        self._depth.set_function(depth)
        self._delayed.set_function(delayed)

    @contextmanager
    def worker_busy(self) -> Iterator[None]:
        """Count a worker as busy inside."""
        with self._busy.track_inprogress():
            yield

    def backed_off(self) -> None:
        """Count a failure that made a site wait."""
        self._backoffs.inc()

    def tool_called(self, tool: str, result: str) -> None:
        """Count a call of an outside tool; see `TOOLS` and `RESULTS`."""
        self._calls.labels(tool, result).inc()

    def source(self, *, up: bool, at: float) -> None:
        """Note whether the spec repository could be read, `at` seconds since 1970."""
        self._source_up.set(up)
        if up:
            self._source_success.set(at)

    def status(self, status: SiteStatus) -> None:
        """Show a site's status."""
        self._fleet.status(status)

    def observed(self, site: str, differences: Iterable[Difference]) -> None:
        """Show what a look at a site found, and that it was looked at now."""
        self._fleet.observed(site, Tally(difference.layer for difference in differences))

    def site_gone(self, site: str) -> None:
        """Take back everything said of a site."""
        self._fleet.gone(site)

    def render(self, accept: str = "") -> tuple[bytes, str]:
        """The answer to a scrape, and its content type, in the format the scraper accepts."""
        encode, content_type = choose_encoder(accept)
        return encode(self.registry), content_type
