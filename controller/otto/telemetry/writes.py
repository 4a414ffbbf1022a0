"""Metrics of what callers of the API write into the spec repository."""

from prometheus_client import CollectorRegistry, Counter, Histogram

from otto.model.document import Kind

RESULTS = ("committed", "unchanged", "refused", "failed")
"""A commit; nothing that would change; not as it should be or may be; could not be carried out."""

_SECONDS = (0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)


class WriteMetrics:
    """Families about writes."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._writes = Counter(
            "otto_writes",
            "Writes of sites, domains and machines through the API, by what became of them.",
            ["kind", "result"],
            registry=registry,
        )
        for kind in Kind:
            for result in RESULTS:
                self._writes.labels(kind.value, result)
        self._write_retries = Counter(
            "otto_write_retries",
            "Times that a write was made anew since somebody else's commit came first.",
            registry=registry,
        )
        self._write_seconds = Histogram(
            "otto_write_duration_seconds",
            "How long writes took, with their waiting for each other.",
            unit="seconds",
            buckets=_SECONDS,
            registry=registry,
        )

    def written(self, kind: str, result: str, seconds: float) -> None:
        """Count a write of a `Kind` of document; see `RESULTS`."""
        self._writes.labels(kind, result).inc()
        self._write_seconds.observe(seconds)

    def write_retried(self) -> None:
        """Count a write that is made anew."""
        self._write_retries.inc()
