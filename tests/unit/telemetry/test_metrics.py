"""Metrics are there from the start, keep the naming rules, and go with their site."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from prometheus_client import CollectorRegistry
from prometheus_client.core import Metric
from prometheus_client.parser import text_string_to_metric_families

from otto.model.difference import Cause, Difference, Layer
from otto.model.run import Outcome
from otto.model.status import Condition, ConditionType, Phase, SiteStatus, Truth
from otto.telemetry.metrics import RESULTS, STEPS, TOOLS, Metrics

AT = datetime(2026, 1, 1, tzinfo=UTC)
DRIFT = Difference(Layer.CONFIGURATION, "hosts/a/files/x", "a", "b", Cause.DRIFT)


class Time:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def now() -> Time:
    return Time()


@pytest.fixture
def metrics(now: Time) -> Metrics:
    return Metrics(now=now)


def status(site: str, phase: Phase = Phase.READY, *, ready: bool = True) -> SiteStatus:
    truth = Truth.TRUE if ready else Truth.FALSE
    return SiteStatus(site, phase, AT).with_condition(Condition(ConditionType.READY, truth, "r", "m", AT))


def value(metrics: Metrics, name: str, **labels: str) -> float | None:
    return metrics.registry.get_sample_value(name, labels)


def series(metrics: Metrics, site: str) -> set[str]:
    return {
        sample.name
        for family in metrics.registry.collect()
        for sample in family.samples
        if sample.labels.get("site") == site
    }


def families(metrics: Metrics) -> Iterator[Metric]:
    return (family for family in metrics.registry.collect() if family.name.startswith("otto_"))


def test_label_values_that_are_known_are_there_from_the_start(metrics: Metrics) -> None:
    for outcome in set(Outcome) - {Outcome.RUNNING}:
        assert value(metrics, "otto_runs_total", outcome=outcome.value) == 0
    for tool in TOOLS:
        for result in RESULTS:
            assert value(metrics, "otto_tool_calls_total", tool=tool, result=result) == 0
    for step in STEPS:
        assert value(metrics, "otto_step_duration_seconds_count", step=step) == 0
    for phase in Phase:
        assert value(metrics, "otto_sites", phase=phase.value) == 0
    for name in (
        "otto_backoffs_total",
        "otto_workers_busy",
        "otto_queue_depth",
        "otto_source_up",
        "otto_sites_ready",
    ):
        assert value(metrics, name) == 0


def test_what_runs_says_so(metrics: Metrics) -> None:
    (build,) = [family for family in families(metrics) if family.name == "otto_build"]
    assert build.samples[0].name == "otto_build_info"
    assert set(build.samples[0].labels) == {"version", "python"}


def test_runs_and_steps_are_counted_and_timed(metrics: Metrics) -> None:
    metrics.run_finished("succeeded", 12)
    metrics.step_finished("verify", 3)
    metrics.decided(0.1)
    metrics.commit_ready(20)
    metrics.backed_off()
    metrics.tool_called("terraform", "failed")
    assert value(metrics, "otto_runs_total", outcome="succeeded") == 1
    assert value(metrics, "otto_run_duration_seconds_sum") == 12
    assert value(metrics, "otto_step_duration_seconds_sum", step="verify") == 3
    assert value(metrics, "otto_push_to_decision_seconds_bucket", le="0.1") == 1
    assert value(metrics, "otto_commit_to_ready_seconds_count") == 1
    assert value(metrics, "otto_backoffs_total") == 1
    assert value(metrics, "otto_tool_calls_total", tool="terraform", result="failed") == 1


def test_a_busy_worker_is_counted_even_when_it_fails(metrics: Metrics) -> None:
    def work() -> None:
        with metrics.worker_busy():
            seen.append(value(metrics, "otto_workers_busy"))
            raise RuntimeError

    seen: list[float | None] = []
    with pytest.raises(RuntimeError):
        work()
    assert seen == [1]
    assert value(metrics, "otto_workers_busy") == 0


def test_the_queue_is_asked_when_metrics_are_read(metrics: Metrics) -> None:
    keys = ["a"]
    metrics.watch_queue(lambda: len(keys), lambda: 7)
    keys.append("b")
    assert value(metrics, "otto_queue_depth") == 2
    assert value(metrics, "otto_queue_delayed") == 7


def test_an_unreadable_source_keeps_the_time_of_its_last_success(metrics: Metrics) -> None:
    metrics.source(up=True, at=50)
    metrics.source(up=False, at=60)
    assert value(metrics, "otto_source_up") == 0
    assert value(metrics, "otto_source_last_success_timestamp_seconds") == 50


def test_a_site_shows_its_present_phase_only(metrics: Metrics) -> None:
    metrics.status(status("acme"))
    metrics.status(status("acme", Phase.DRIFTED, ready=False))
    metrics.status(status("other"))
    assert value(metrics, "otto_site_ready", site="acme") == 0
    assert value(metrics, "otto_site_phase", site="acme", phase="Drifted") == 1
    assert value(metrics, "otto_site_phase", site="acme", phase="Ready") is None
    assert value(metrics, "otto_site_last_success_timestamp_seconds", site="acme") == AT.timestamp()
    assert value(metrics, "otto_sites", phase="Ready") == 1
    assert value(metrics, "otto_sites", phase="Drifted") == 1
    assert value(metrics, "otto_sites_ready") == 1


def test_differences_are_shown_while_they_last(metrics: Metrics, now: Time) -> None:
    metrics.observed("acme", [DRIFT, DRIFT])
    now.now += 5
    assert value(metrics, "otto_differences", site="acme", layer="configuration") == 2
    assert value(metrics, "otto_sites_differing", layer="configuration") == 1
    assert value(metrics, "otto_observed_age_seconds", site="acme") == 5
    metrics.observed("acme", [])
    assert value(metrics, "otto_differences", site="acme", layer="configuration") is None
    assert value(metrics, "otto_sites_differing", layer="configuration") == 0
    assert value(metrics, "otto_observed_age_seconds", site="acme") == 0


def test_the_oldest_look_tells_how_far_behind_the_fleet_is(metrics: Metrics, now: Time) -> None:
    metrics.observed("a", [])
    now.now += 60
    metrics.observed("b", [])
    now.now += 1
    assert value(metrics, "otto_oldest_observation_age_seconds") == 61


def test_a_gone_site_takes_its_series_with_it(metrics: Metrics) -> None:
    metrics.status(status("acme"))
    metrics.observed("acme", [DRIFT])
    assert len(series(metrics, "acme")) == 6
    metrics.site_gone("acme")
    metrics.site_gone("never-there")
    assert series(metrics, "acme") == set()
    assert value(metrics, "otto_sites_ready") == 0


def test_series_of_single_sites_can_be_switched_off() -> None:
    metrics = Metrics(per_site=False)
    metrics.status(status("acme"))
    metrics.observed("acme", [DRIFT])
    assert series(metrics, "acme") == set()
    assert value(metrics, "otto_sites_ready") == 1
    assert value(metrics, "otto_sites_differing", layer="configuration") == 1


def test_names_keep_the_rules_of_prometheus(metrics: Metrics) -> None:
    metrics.status(status("acme"))
    metrics.observed("acme", [DRIFT])
    for family in families(metrics):
        assert family.documentation.endswith("."), family.name
        assert re.fullmatch(r"[a-z][a-z0-9_]*", family.name)
        assert not family.name.endswith(("_total", "_count", "_sum", "_bucket", "_info")), family.name
        assert not re.search(r"_(ms|milliseconds|minutes|hours|kb|mb|percent)(_|$)", family.name)
        assert family.type not in family.name.split("_")
        if family.type == "counter":
            assert all(sample.name.endswith("_total") for sample in family.samples)
        if family.type == "histogram":
            assert family.name.endswith("_seconds")
        for sample in family.samples:
            assert not sample.name.endswith("_created")
            assert all(re.fullmatch(r"[a-z]+", label) for label in sample.labels)


def test_a_scrape_can_be_read_back(metrics: Metrics) -> None:
    metrics.status(status('a"b\\c\nd'))
    body, kind = metrics.render()
    assert kind.startswith("text/plain")
    ready = [f for f in text_string_to_metric_families(body.decode()) if f.name == "otto_site_ready"]
    assert ready[0].samples[0].labels == {"site": 'a"b\\c\nd'}
    assert metrics.render("application/openmetrics-text; version=1.0.0")[1].startswith(
        "application/openmetrics-text"
    )


def test_two_sets_of_metrics_do_not_meet() -> None:
    Metrics().backed_off()
    assert value(Metrics(), "otto_backoffs_total") == 0
    registry = CollectorRegistry()
    Metrics(registry)
    with pytest.raises(ValueError, match="Duplicated timeseries"):
        Metrics(registry)
