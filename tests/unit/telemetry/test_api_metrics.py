"""Metrics of the API: few series whatever is sent, and tokens that hold."""

from datetime import UTC, datetime, timedelta

import pytest

from otto.model.caller import Scope, Token
from otto.telemetry.metrics import Metrics

NOW = datetime(2026, 1, 1, tzinfo=UTC)
DAY = timedelta(days=1)


@pytest.fixture
def metrics() -> Metrics:
    return Metrics()


def value(metrics: Metrics, name: str, **labels: str) -> float | None:
    return metrics.registry.get_sample_value(f"otto_{name}", labels)


def token(name: str, ends: timedelta, scope: Scope = Scope.READ, *, used: timedelta | None = None) -> Token:
    at = None if used is None else NOW - used
    return Token(name, name, scope, "", NOW - 30 * DAY, NOW + ends, used_at=at)


def test_requests_are_counted_by_route_and_status_and_timed(metrics: Metrics) -> None:
    metrics.answered("GET", "/site/{site}", 200, 0.02)
    metrics.answered("GET", "/site/{site}", 404, 0.3)
    route = {"method": "GET", "route": "/site/{site}"}
    assert value(metrics, "api_requests_total", **route, status="200") == 1
    assert value(metrics, "api_requests_total", **route, status="404") == 1
    assert value(metrics, "api_request_duration_seconds_bucket", **route, le="0.025") == 1
    assert value(metrics, "api_request_duration_seconds_count", **route) == 2


def test_what_is_sent_makes_no_series_of_its_own(metrics: Metrics) -> None:
    for number in range(50):
        metrics.answered(f"M{number}", "", 404, 0)
    assert value(metrics, "api_requests_total", method="other", route="other", status="404") == 50


def test_refusals_guesses_and_lockouts_are_counted(metrics: Metrics) -> None:
    metrics.api_refused("forbidden")
    metrics.guessed(locked=False)
    metrics.guessed(locked=True)
    assert value(metrics, "api_refusals_total", kind="forbidden") == 1
    assert value(metrics, "api_guesses_total") == 2
    assert value(metrics, "api_lockouts_total") == 1


def test_tokens_that_hold_are_counted_by_scope(metrics: Metrics) -> None:
    tokens = [token("a", DAY), token("b", DAY), token("c", -DAY), token("d", DAY, Scope.ADMIN)]
    metrics.tokens(tokens, NOW)
    assert value(metrics, "api_tokens", scope="read") == 2
    assert value(metrics, "api_tokens", scope="admin") == 1
    metrics.tokens([], NOW)
    assert value(metrics, "api_tokens", scope="read") == 0


def test_the_next_end_is_that_of_a_token_in_use(metrics: Metrics) -> None:
    metrics.tokens([token("new", 2 * DAY), token("old", DAY, used=8 * DAY), token("gone", -DAY)], NOW)
    assert value(metrics, "api_next_token_end_timestamp_seconds") is None
    metrics.tokens([token("a", 9 * DAY, used=DAY), token("b", 4 * DAY, used=7 * DAY)], NOW)
    assert value(metrics, "api_next_token_end_timestamp_seconds") == (NOW + 4 * DAY).timestamp()


def test_writes_are_counted_by_what_became_of_them(metrics: Metrics) -> None:
    metrics.written("Site", "refused", 0.2)
    metrics.write_retried()
    assert value(metrics, "writes_total", kind="Site", result="refused") == 1
    assert value(metrics, "write_duration_seconds_sum") == 0.2
    assert value(metrics, "write_retries_total") == 1
