"""Metrics of the HTTP API: what was asked, what was refused, and who guesses."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from otto.model.caller import Scope, Token

REFUSALS = (
    "unauthenticated",
    "forbidden",
    "too-many-requests",
    "not-found",
    "conflict",
    "invalid",
    "precondition-failed",
    "precondition-required",
)
"""Kinds of refusals, as `otto.api.problems` calls them."""

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
OTHER = "other"
"""Method of a request that has none of `METHODS`, and route of one that no route was found for."""

_SECONDS = (0.005, 0.01, 0.025, 0.1, 0.25, 1, 2.5, 10, 60)
_IN_USE = timedelta(days=7)


class ApiMetrics:
    """Families about the API. Routes come out of the application, never out of a path that was sent."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._answered = Counter(
            "otto_api_requests",
            "Requests that were answered, by route and status.",
            ["method", "route", "status"],
            registry=registry,
        )
        self._answer_seconds = Histogram(
            "otto_api_request_duration_seconds",
            "From a request's head being read to the beginning of its answer.",
            ["method", "route"],
            unit="seconds",
            buckets=_SECONDS,
            registry=registry,
        )
        self._refused = Counter(
            "otto_api_refusals",
            "Requests of callers who are not let in, or may not do what they ask for.",
            ["kind"],
            registry=registry,
        )
        for kind in REFUSALS:
            self._refused.labels(kind)
        self._make_tokens(registry)

    def _make_tokens(self, registry: CollectorRegistry) -> None:
        self._guesses = Counter(
            "otto_api_guesses", "Tokens that were sent and that nobody has.", registry=registry
        )
        self._lockouts = Counter(
            "otto_api_lockouts",
            "Times that an address was no longer listened to for its guesses.",
            registry=registry,
        )
        self._tokens = Gauge("otto_api_tokens", "Tokens that hold, by scope.", ["scope"], registry=registry)
        for scope in Scope:
            self._tokens.labels(scope.word)
        self._next_end = _NextEnd(registry)

    def answered(self, method: str, route: str, status: int, seconds: float) -> None:
        """Count a request.

        Args:
            method: as it was sent.
            route: template of the route's path, "" where there is none.
            status: of the answer.
            seconds: until the answer began.
        """
        method, route = method if method in METHODS else OTHER, route or OTHER
        self._answered.labels(method, route, str(status)).inc()
        self._answer_seconds.labels(method, route).observe(seconds)

    def api_refused(self, kind: str) -> None:
        """Count a refusal; see `REFUSALS`."""
        self._refused.labels(kind).inc()

    def guessed(self, *, locked: bool) -> None:
        """Count a token that nobody has, and whether its sender is not listened to from now on."""
        self._guesses.inc()
        if locked:
            self._lockouts.inc()

    def tokens(self, tokens: Iterable[Token], now: datetime) -> None:
        """Show which tokens hold, and when the next one ends that is in use."""
        holding = [token for token in tokens if token.holds(now)]
        for scope in Scope:
            self._tokens.labels(scope.word).set(sum(token.scope is scope for token in holding))
        ends = (t.expires_at for t in holding if t.used_at is not None and now - t.used_at <= _IN_USE)
        self._next_end.at = min((end.timestamp() for end in ends), default=None)


class _NextEnd(Collector):
    """When the next token ends, seconds since 1970; without a sample where none does."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.at: float | None = None
        registry.register(self)

    def collect(self) -> Iterable[GaugeMetricFamily]:
        family = GaugeMetricFamily(
            "otto_api_next_token_end_timestamp_seconds",
            "When the next token ends of those used in the last week; left out where there is none.",
            unit="seconds",
        )
        if self.at is not None:
            family.add_metric([], self.at)
        yield family
