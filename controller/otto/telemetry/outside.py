"""Metrics of what is outside: tools that are called, and the repository of specs."""

from prometheus_client import CollectorRegistry, Counter, Gauge

TOOLS = ("terraform", "ansible", "ssh", "dns")
RESULTS = ("succeeded", "failed", "timed-out", "interrupted")


class OutsideMetrics:
    """Families about tools and the source."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._calls = Counter(
            "otto_tool_calls", "Calls of outside tools, by result.", ["tool", "result"], registry=registry
        )
        for tool in TOOLS:
            for result in RESULTS:
                self._calls.labels(tool, result)
        self._source_up = Gauge(
            "otto_source_up", "1 while the spec repository can be read.", registry=registry
        )
        self._source_failures = Counter(
            "otto_source_failures", "Times the spec repository could not be read.", registry=registry
        )
        self._source_success = Gauge(
            "otto_source_last_success_timestamp_seconds",
            "When the spec repository was last read.",
            unit="seconds",
            registry=registry,
        )

        self._unsigned = Gauge(
            "otto_source_unsigned",
            "1 while the spec repository holds something newer that nobody known has signed.",
            registry=registry,
        )

    def unsigned(self, *, on: bool) -> None:
        """Note whether something is not deployed since nobody known has signed it."""
        self._unsigned.set(on)

    def tool_called(self, tool: str, result: str) -> None:
        """Count a call of an outside tool; see `TOOLS` and `RESULTS`."""
        self._calls.labels(tool, result).inc()

    def source(self, *, up: bool, at: float) -> None:
        """Note whether the spec repository could be read, `at` seconds since 1970."""
        self._source_up.set(up)
        if up:
            self._source_success.set(at)
        else:
            self._source_failures.inc()
