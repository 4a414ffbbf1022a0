"""Metrics of what forges were asked and told."""

from prometheus_client import CollectorRegistry, Counter

CALLS = ("status", "deployment", "pulls", "comment", "user")
RESULTS = ("ok", "limited", "refused", "rejected", "failed", "interrupted")


class ForgeMetrics:
    """Families about forges. Series are there once a forge is set up."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._forge_calls = Counter(
            "otto_forge_calls",
            "Requests to the forge (GitHub, GitLab, Gitea), by what for and how they went.",
            ["forge", "call", "result"],
            registry=registry,
        )
        self._forge_dropped = Counter(
            "otto_forge_dropped", "Words to the forge that were given up.", registry=registry
        )

    def expect_forge(self, forge: str) -> None:
        """Have every series of a forge there from the start."""
        for call in CALLS:
            for result in RESULTS:
                self._forge_calls.labels(forge, call, result)

    def forge_called(self, forge: str, call: str, result: str) -> None:
        """Count a request."""
        self._forge_calls.labels(forge, call, result).inc()

    def forge_dropped(self) -> None:
        """Count a word that was given up."""
        self._forge_dropped.inc()
