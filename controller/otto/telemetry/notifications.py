"""Metrics of what people were told."""

from prometheus_client import CollectorRegistry, Counter

RESULTS = ("sent", "failed", "dropped")


class NotificationMetrics:
    """Families about notices."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._notifications = Counter(
            "otto_notifications",
            "Notices on each way people are told, by what became of them.",
            ["result"],
            registry=registry,
        )
        for result in RESULTS:
            self._notifications.labels(result)

    def notified(self, result: str) -> None:
        """Count a notice on one way: `sent`, `failed` (after all tries) or `dropped` (too many waited)."""
        self._notifications.labels(result).inc()
