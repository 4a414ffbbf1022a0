"""Metrics of runs: how they ended, how long they, their steps and what they brought about took."""

from prometheus_client import CollectorRegistry, Counter, Histogram

from otto.model.run import Outcome
from otto.model.sign import Tier
from otto.telemetry.exemplars import exemplar

STEPS = (
    "observe",
    "plan",
    "guard",
    "set-aside",
    "provision",
    "configure",
    "deploy",
    "try",
    "return",
    "soak",
    "dns",
    "verify",
    "drain",
    "destroy",
)

_FAST = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
_SLOW = (0.5, 1, 2.5, 5, 10, 20, 30, 60, 120, 300, 600, 1800)
_HEAL = (0.5, 1, 2.5, 5, 10, 15, 20, 30, 45, 60, 120, 300, 600, 1800)


class RunMetrics:
    """Families about runs. Where a run's id is given, it stands beside the number as an exemplar."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._make_runs(registry)
        self._make_latencies(registry)

    def _make_runs(self, registry: CollectorRegistry) -> None:
        self._runs = Counter("otto_runs", "Runs that ended, by outcome.", ["outcome"], registry=registry)
        for outcome in Outcome:
            if outcome is not Outcome.RUNNING:
                self._runs.labels(outcome.value)
        self._run_seconds = Histogram(
            "otto_run_duration_seconds",
            "How long runs took.",
            unit="seconds",
            buckets=_SLOW,
            registry=registry,
        )
        self._step_seconds = Histogram(
            "otto_step_duration_seconds",
            "How long steps of runs took.",
            ["step"],
            unit="seconds",
            buckets=_SLOW,
            registry=registry,
        )
        for step in STEPS:
            self._step_seconds.labels(step)
        self._backoffs = Counter("otto_backoffs", "Failures that made a site wait.", registry=registry)

    def _make_latencies(self, registry: CollectorRegistry) -> None:
        self._decision_seconds = Histogram(
            "otto_push_to_decision_seconds",
            "From noticing a commit to knowing which sites it touches.",
            unit="seconds",
            buckets=_FAST,
            registry=registry,
        )
        self._ready_seconds = Histogram(
            "otto_commit_to_ready_seconds",
            "From noticing a commit to a site it touches being verified.",
            unit="seconds",
            buckets=_SLOW,
            registry=registry,
        )
        self._heal_seconds = Histogram(
            "otto_heal_duration_seconds",
            "From the first sign of something wrong, by its tier, to the site being verified again; "
            "without what a new spec caused.",
            ["tier"],
            unit="seconds",
            buckets=_HEAL,
            registry=registry,
        )
        for tier in Tier:
            self._heal_seconds.labels(tier.value)

    def run_finished(self, outcome: str, seconds: float, run: str = "") -> None:
        """Count a run that ended."""
        self._runs.labels(outcome).inc(exemplar=exemplar(run))
        self._run_seconds.observe(seconds, exemplar(run))

    def step_finished(self, step: str, seconds: float, run: str = "") -> None:
        """Note how long a step of a run took; see `STEPS`."""
        self._step_seconds.labels(step).observe(seconds, exemplar(run))

    def backed_off(self, run: str = "") -> None:
        """Count a failure that made a site wait."""
        self._backoffs.inc(exemplar=exemplar(run))

    def decided(self, seconds: float) -> None:
        """Note how long it took from a push to the decision which sites it touches."""
        self._decision_seconds.observe(seconds)

    def commit_ready(self, seconds: float, run: str = "") -> None:
        """Note how long it took from a commit to a verified site."""
        self._ready_seconds.observe(seconds, exemplar(run))

    def healed(self, tier: str, seconds: float, run: str = "") -> None:
        """Note how long it took from the first sign, seen by a `Tier`, to a verified site."""
        self._heal_seconds.labels(tier).observe(seconds, exemplar(run))
