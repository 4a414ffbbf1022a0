"""Metrics are there from the start, keep the naming rules, and go with their site."""

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from prometheus_client import CollectorRegistry
from prometheus_client.core import Metric

from otto.model.caller import Scope
from otto.model.difference import Cause, Difference, Layer
from otto.model.document import Kind
from otto.model.host import HostEventKind
from otto.model.pipeline import Trigger
from otto.model.plan import StepKind
from otto.model.run import Outcome
from otto.model.sign import Tier
from otto.model.status import Condition, ConditionType, Phase, SiteStatus, Truth
from otto.telemetry.api import REFUSALS
from otto.telemetry.guarding import VERDICTS
from otto.telemetry.health import Health
from otto.telemetry.metrics import Metrics
from otto.telemetry.notifications import RESULTS as NOTIFIED
from otto.telemetry.observation import LOOK_RESULTS, TIERS
from otto.telemetry.outside import RESULTS, TOOLS
from otto.telemetry.pipelines import RESULTS as DELIVERED
from otto.telemetry.pipelines import SENDERS
from otto.telemetry.rollouts import RESULTS as ROLLED_OUT
from otto.telemetry.runs import STEPS
from otto.telemetry.writes import RESULTS as WRITTEN
from otto.telemetry.zones import ACTIONS, LOOKS

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


def known() -> Iterator[tuple[str, dict[str, str]]]:
    """Every counter and gauge without a site, with each of its known label values."""
    yield from (("otto_runs_total", {"outcome": o.value}) for o in Outcome if o is not Outcome.RUNNING)
    yield from (("otto_step_duration_seconds_count", {"step": step}) for step in STEPS)
    yield from (("otto_tool_calls_total", {"tool": t, "result": r}) for t in TOOLS for r in RESULTS)
    yield from (("otto_notifications_total", {"result": result}) for result in NOTIFIED)
    yield from (("otto_sites", {"phase": phase.value}) for phase in Phase)
    yield from (("otto_sites_unready", {"phase": phase.value}) for phase in Phase)
    yield from (("otto_sites_differing", {"layer": layer.value}) for layer in Layer)
    yield from (("otto_provider_events_total", {"kind": kind.value}) for kind in HostEventKind)
    yield from (("otto_signs_total", {"tier": tier.value}) for tier in Tier)
    yield from (("otto_heal_duration_seconds_count", {"tier": tier.value}) for tier in Tier)
    yield from (("otto_observation_duration_seconds_count", {"tier": tier}) for tier in TIERS)
    yield from (("otto_observation_lag_seconds", {"tier": tier}) for tier in TIERS)
    yield from (("otto_observations_total", {"tier": t, "result": r}) for t in TIERS for r in LOOK_RESULTS)
    ends = (Outcome.SUCCEEDED, Outcome.FAILED, Outcome.SUPERSEDED)
    yield from (
        ("otto_pipelines_total", {"trigger": t.value, "result": o.value}) for t in Trigger for o in ends
    )
    yield from (("otto_pipeline_duration_seconds_count", {"trigger": t.value}) for t in Trigger)
    yield from (
        ("otto_webhook_deliveries_total", {"sender": s, "result": r}) for s in SENDERS for r in DELIVERED
    )
    yield from (("otto_dns_looks_total", {"look": look}) for look in LOOKS)
    yield from (("otto_dns_changes_total", {"action": action}) for action in ACTIONS)
    yield from (("otto_dns_zones", {"phase": phase.value}) for phase in Phase)
    yield from (("otto_dns_zones_unready", {"phase": phase.value}) for phase in Phase)
    yield from (("otto_api_refusals_total", {"kind": kind}) for kind in REFUSALS)
    yield from (("otto_api_tokens", {"scope": scope.word}) for scope in Scope)
    yield from (("otto_writes_total", {"kind": k.value, "result": r}) for k in Kind for r in WRITTEN)
    yield from (("otto_guard_verdicts_total", {"verdict": verdict}) for verdict in VERDICTS)
    taken = ("destroy", "replace", "scale-in", "repair")
    yield from (("otto_guarded_removals_total", {"action": action}) for action in taken)
    yield from (("otto_rollouts_ended_total", {"result": result}) for result in ROLLED_OUT)
    for name in (
        "api_guesses_total",
        "api_lockouts_total",
        "backoffs_total",
        "webhook_duration_seconds_count",
        "commit_to_ready_seconds_count",
        "event_loop_lag_seconds",
        "fleet_policy_bad",
        "frozen",
        "longest_work_seconds",
        "oldest_observation_age_seconds",
        "orphan_hosts",
        "provider_event_stream_up",
        "push_to_decision_seconds_count",
        "queue_delayed",
        "queue_depth",
        "run_duration_seconds_count",
        "site_series_dropped",
        "sites_ready",
        "source_failures_total",
        "source_last_success_timestamp_seconds",
        "sites_cost_unknown",
        "forge_dropped_total",
        "source_unsigned",
        "source_up",
        "rollouts_begun_total",
        "workers",
        "workers_busy",
        "write_duration_seconds_count",
        "write_retries_total",
    ):
        yield f"otto_{name}", {}


@pytest.mark.parametrize(("name", "labels"), known(), ids=str)
def test_what_is_known_is_there_from_the_start(metrics: Metrics, name: str, labels: dict[str, str]) -> None:
    assert metrics.registry.get_sample_value(name, labels) == 0


def test_no_family_is_forgotten_at_the_start(metrics: Metrics) -> None:
    there = {sample.name for family in families(metrics) for sample in family.samples}
    kinds = re.compile(r"_(bucket|sum)$")
    missing = {kinds.sub("_count", name) for name in there} - {name for name, _ in known()}
    assert missing == {"otto_build_info", "otto_alive"}


def test_every_step_of_a_plan_and_of_a_run_is_among_the_steps() -> None:
    assert {kind.value for kind in StepKind} <= set(STEPS)
    assert "observe" in STEPS


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


def test_looks_signs_and_events_are_counted(metrics: Metrics) -> None:
    metrics.looked("facts", "timed-out", 8)
    metrics.sign(Tier.INVENTORY)
    metrics.sign("probe")
    metrics.event(HostEventKind.DIED)
    metrics.event_stream(up=True)
    metrics.healed("probe", 12)
    metrics.tier_lag("probes", 3)
    assert value(metrics, "otto_observations_total", tier="facts", result="timed-out") == 1
    assert value(metrics, "otto_observation_duration_seconds_sum", tier="facts") == 8
    assert value(metrics, "otto_signs_total", tier="inventory") == 1
    assert value(metrics, "otto_signs_total", tier="probe") == 1
    assert value(metrics, "otto_provider_events_total", kind="died") == 1
    assert value(metrics, "otto_provider_event_stream_up") == 1
    assert value(metrics, "otto_heal_duration_seconds_bucket", tier="probe", le="15.0") == 1
    assert value(metrics, "otto_heal_duration_seconds_bucket", tier="probe", le="10.0") == 0
    assert value(metrics, "otto_observation_lag_seconds", tier="probes") == 3
    metrics.event_stream(up=False)
    metrics.tier_lag("probes", -1)
    assert value(metrics, "otto_provider_event_stream_up") == 0
    assert value(metrics, "otto_observation_lag_seconds", tier="probes") == 0


def test_health_can_be_read_from_the_metrics_alone() -> None:
    time = Time()
    metrics = Metrics(health=Health(longest_work=60, now=time))
    with metrics.worker_busy("acme"):
        time.now += 59
        assert value(metrics, "otto_alive") == 1
        time.now += 2
        assert value(metrics, "otto_alive") == 0
        assert value(metrics, "otto_longest_work_seconds") == 61
    assert value(metrics, "otto_alive") == 1
    assert value(metrics, "otto_longest_work_seconds") == 0


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
    assert value(metrics, "otto_source_failures_total") == 1


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
    assert value(metrics, "otto_sites_unready", phase="Drifted") == 1
    assert value(metrics, "otto_sites_unready", phase="Ready") == 0
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


def test_each_tier_has_an_age_and_the_last_look_is_the_newest_of_all(metrics: Metrics, now: Time) -> None:
    metrics.observed("acme", [])
    metrics.seen("acme", "facts", now.now - 20)
    assert value(metrics, "otto_observed_age_seconds", site="acme") == 0
    now.now += 30
    metrics.seen("acme", "probes", now.now - 1)
    assert value(metrics, "otto_tier_observed_age_seconds", site="acme", tier="facts") == 50
    assert value(metrics, "otto_tier_observed_age_seconds", site="acme", tier="probes") == 1
    assert value(metrics, "otto_observed_age_seconds", site="acme") == 1


def test_a_look_that_ends_after_its_site_is_gone_brings_nothing_back(metrics: Metrics) -> None:
    metrics.status(status("acme"))
    metrics.site_gone("acme")
    metrics.seen("acme", "probes", 1)
    assert series(metrics, "acme") == set()
    assert value(metrics, "otto_oldest_observation_age_seconds") == 0


def test_orphans_are_counted_together_and_by_site_where_there_are_any(metrics: Metrics) -> None:
    metrics.orphans({"acme": 2, "shop": 0, "nobody": 1})
    assert value(metrics, "otto_orphan_hosts") == 3
    assert value(metrics, "otto_site_orphan_hosts", site="acme") == 2
    assert value(metrics, "otto_site_orphan_hosts", site="nobody") == 1
    assert value(metrics, "otto_site_orphan_hosts", site="shop") is None
    metrics.orphans({})
    assert value(metrics, "otto_orphan_hosts") == 0
    assert value(metrics, "otto_site_orphan_hosts", site="acme") is None


def test_a_gone_site_takes_its_series_with_it(metrics: Metrics) -> None:
    metrics.status(status("acme"))
    metrics.observed("acme", [DRIFT])
    metrics.seen("acme", "facts", 1)
    assert len(series(metrics, "acme")) == 7
    metrics.site_gone("acme")
    metrics.site_gone("never-there")
    assert series(metrics, "acme") == set()
    assert value(metrics, "otto_sites_ready") == 0


def test_series_of_single_sites_can_be_switched_off() -> None:
    metrics = Metrics(per_site=False)
    metrics.status(status("acme"))
    metrics.observed("acme", [DRIFT])
    metrics.orphans({"acme": 2})
    assert series(metrics, "acme") == set()
    assert value(metrics, "otto_sites_ready") == 1
    assert value(metrics, "otto_sites_differing", layer="configuration") == 1
    assert value(metrics, "otto_orphan_hosts") == 2
    assert value(metrics, "otto_site_series_dropped") == 1


def test_above_the_limit_no_site_has_series_and_that_is_said() -> None:
    metrics = Metrics(site_limit=2)
    metrics.status(status("a"))
    metrics.status(status("b"))
    assert series(metrics, "a")
    assert value(metrics, "otto_site_series_dropped") == 0
    metrics.status(status("c"))
    assert series(metrics, "a") == set()
    assert value(metrics, "otto_site_series_dropped") == 1
    assert value(metrics, "otto_sites_ready") == 3
    metrics.site_gone("c")
    assert series(metrics, "a")
    metrics.orphans({"c": 1})  # whoever labels hosts can make no more series than that, either
    assert series(metrics, "a") == set()


def test_names_keep_the_rules_of_prometheus(metrics: Metrics) -> None:
    metrics.status(status("acme"))
    metrics.observed("acme", [DRIFT])
    metrics.seen("acme", "probes", 1)
    metrics.orphans({"acme": 1})
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
        assert family.unit == ("seconds" if family.name.endswith("_seconds") else ""), family.name
        for sample in family.samples:
            assert not sample.name.endswith("_created")
            assert all(re.fullmatch(r"[a-z]+", label) for label in sample.labels)


def test_two_sets_of_metrics_do_not_meet() -> None:
    Metrics().backed_off()
    assert value(Metrics(), "otto_backoffs_total") == 0
    registry = CollectorRegistry()
    Metrics(registry)
    with pytest.raises(ValueError, match="Duplicated timeseries"):
        Metrics(registry)


def test_a_zone_is_shown_while_it_is_there(metrics: Metrics) -> None:
    at = datetime(2026, 1, 1, tzinfo=UTC)
    ready = Condition(ConditionType.READY, Truth.TRUE, "Verified", "", at)
    resolving = Condition(ConditionType.RESOLVING, Truth.FALSE, "Failed", "", at)
    status = SiteStatus("acme.example", Phase.DEGRADED, at, failures=2)
    metrics.zone(status.with_condition(ready).with_condition(resolving))
    metrics.zone_differs("acme.example", 3)
    labels = {"zone": "acme.example"}
    value = metrics.registry.get_sample_value
    found = {name: value(f"otto_dns_zone_{name}", labels) for name in ("ready", "resolving", "failures")}
    assert found == {"ready": 1, "resolving": 0, "failures": 2}
    assert value("otto_dns_zone_differences", labels) == 3
    assert value("otto_dns_zones", {"phase": "Degraded"}) == 1
    assert value("otto_dns_zone_phase", labels | {"phase": "Degraded"}) == 1
    assert value("otto_dns_zone_in_sync", labels) == 0
    metrics.zone(status.with_condition(replace(ready, type=ConditionType.IN_SYNC)))
    assert value("otto_dns_zone_in_sync", labels) == 1
    # A zone is no site.
    assert value("otto_sites", {"phase": "Degraded"}) == 0
    metrics.zone_gone("acme.example")
    assert value("otto_dns_zone_ready", labels) is None


def test_looks_at_a_zone_have_an_age_and_its_serial_is_shown(metrics: Metrics, now: Time) -> None:
    metrics.zone_seen("acme.example", "full", now.now - 10, 2026010101)
    now.now += 30
    metrics.zone_seen("acme.example", "serial", now.now, 2**32 - 1)
    value = metrics.registry.get_sample_value
    labels = {"zone": "acme.example"}
    assert value("otto_dns_zone_serial", labels) == 2**32 - 1
    assert value("otto_dns_zone_observed_age_seconds", labels | {"look": "full"}) == 40
    assert value("otto_dns_zone_observed_age_seconds", labels | {"look": "serial"}) == 0
    metrics.zone_seen("acme.example", "full", now.now, None)  # of a provider without serials
    assert value("otto_dns_zone_serial", labels) is None


def test_more_zones_than_the_limit_have_no_series() -> None:
    metrics = Metrics(site_limit=1)
    for name in ("a.example", "b.example"):
        metrics.zone(SiteStatus(name, Phase.READY, AT))
    value = metrics.registry.get_sample_value
    assert value("otto_dns_zone_ready", {"zone": "a.example"}) is None
    assert value("otto_dns_zones", {"phase": "Ready"}) == 2
    assert value("otto_dns_zones_unready", {"phase": "Ready"}) == 2
    metrics.zone_gone("b.example")
    assert value("otto_dns_zone_ready", {"zone": "a.example"}) == 0
