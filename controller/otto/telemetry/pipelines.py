"""Metrics of pipelines, and of the webhooks that start them."""

from prometheus_client import CollectorRegistry, Counter, Histogram

from otto.model.pipeline import Trigger
from otto.model.run import Outcome
from otto.telemetry.exemplars import exemplar

SENDERS = ("github", "gitlab", "gitea", "generic")
RESULTS = (
    "accepted",
    "ignored",
    "unsigned",
    "replayed",
    "unknown",
    "malformed",
    "too-large",
    "starting",
    "off",
)

_SLOW = (0.5, 1, 2.5, 5, 10, 20, 30, 60, 120, 300, 600, 1800, 3600)
_FAST = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1)


class PipelineMetrics:
    """Families about pipelines and webhooks; may be told from any thread."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._pipelines = Counter(
            "otto_pipelines",
            "Pipelines that ended, by what started them and how they ended.",
            ["trigger", "result"],
            registry=registry,
        )
        for trigger in Trigger:
            for outcome in (Outcome.SUCCEEDED, Outcome.FAILED, Outcome.SUPERSEDED):
                self._pipelines.labels(trigger.value, outcome.value)
        self._seconds = Histogram(
            "otto_pipeline_duration_seconds",
            "From an event reaching OttO to the outcome of its pipeline, the waiting for somebody included.",
            ["trigger"],
            unit="seconds",
            buckets=_SLOW,
            registry=registry,
        )
        for trigger in Trigger:
            self._seconds.labels(trigger.value)
        self._deliveries = Counter(
            "otto_webhook_deliveries",
            "Deliveries to webhooks, by who sent them and what became of them.",
            ["sender", "result"],
            registry=registry,
        )
        for sender in SENDERS:
            for result in RESULTS:
                self._deliveries.labels(sender, result)
        self._answers = Histogram(
            "otto_webhook_duration_seconds",
            "How long webhooks took to be answered, the reading of their body included.",
            unit="seconds",
            buckets=_FAST,
            registry=registry,
        )

    def pipeline_ended(self, trigger: str, result: str, seconds: float, run: str = "") -> None:
        """Count a pipeline that ended."""
        self._pipelines.labels(trigger, result).inc(exemplar=exemplar(run))
        self._seconds.labels(trigger).observe(seconds, exemplar(run))

    def delivered(self, sender: str, result: str, seconds: float) -> None:
        """Count a delivery, one of `SENDERS`, that came to one of `RESULTS`."""
        self._deliveries.labels(sender, result).inc()
        self._answers.observe(seconds)
