"""Reference of the metrics, from the registry itself."""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime

from prometheus_client import CollectorRegistry
from prometheus_client.metrics_core import Metric

from generator.page import code, joined, table
from otto.model.cost import Cost
from otto.model.difference import Cause, Difference, Layer
from otto.model.status import Condition, ConditionType, Phase, SiteStatus, Truth
from otto.telemetry.metrics import Metrics

_INTRO = """\
# Metrics

`GET /metrics` on the API's address (`127.0.0.1:7070`; settings `api.address` and `api.port`) answers in
Prometheus' text format, or in OpenMetrics where the scraper asks for it. Names follow Prometheus' rules:
base units, `_total` for counters. A family is there from the start, with its label values where they are
known, so that a rate never waits for a first event. A histogram `NAME` comes as `NAME_bucket`, `NAME_sum` and
`NAME_count`.

Families with the label `site` or `zone` are left out when `metrics.perSite` is `false`, and when there are
more sites than `metrics.siteLimit`; `otto_site_series_dropped` says so. A site that is gone takes its
series with it.
Names of sites that hold unprintable characters or a backslash are shown with escapes, those of more than 200
characters are cut.

In OpenMetrics, what a run counted or took holds the run's id as an exemplar, `run_id`: that is marked with ◆.

How to scrape them is told in [Monitor OttO](../how-to/monitor.md), what to watch for in
[Alert on these](../how-to/alert.md)."""

_OWN = "## OttO's own"
_LABELS = """\
## Label values

Those that are known, and there from the start. `site` is a site's name, `zone` a zone's, `rule` one of
[the guard's rules](guard-rules.md) or a [hook's](../how-to/policy-hook.md); versions are free text. `route`
is a path of [the API](api.md) as it stands there, and `other` where a request came to none; `method` is one
of HTTP's usual ones, or `other`. Their series come with the first request."""
_PROCESS = "## The process\n\nBy prometheus-client; on Linux only."


def render() -> str:
    """The page."""
    families = sorted(_registry().collect(), key=lambda family: family.name)
    own = [family for family in families if family.name.startswith("otto_")]
    process = [family for family in families if not family.name.startswith("otto_")]
    return joined([_INTRO, _OWN, _table(own), _LABELS, _values(), _PROCESS, _table(process)])


def _registry() -> CollectorRegistry:
    """A registry that was told of one site, so that every family shows its labels."""
    metrics = Metrics()
    now = datetime(2025, 1, 1, tzinfo=UTC)
    ready = Condition(ConditionType.READY, Truth.TRUE, "Verified", "", now)
    status = SiteStatus("hello", Phase.READY, now, cost=Cost(0.018), currency="EUR")
    metrics.status(status.with_condition(ready))
    metrics.observed("hello", [Difference(Layer.SERVING, "checks", "a", "b", Cause.DRIFT)])
    metrics.seen("hello", "probes", 1)
    metrics.zone(SiteStatus("hello.example", Phase.READY, now))
    metrics.zone_seen("hello.example", "serial", 1, 2025010101)
    metrics.orphans({"hello": 1})
    metrics.orphan_cost(Cost(0.006), "EUR")
    metrics.expect_rules(("guard.replace",))
    metrics.site_budget("hello", 0.5)
    metrics.fleet_budget(0.5)
    run = "20250101T000000-abcdef"
    metrics.run_finished("succeeded", 1, run)
    metrics.step_finished("verify", 1, run)
    metrics.commit_ready(1, run)
    metrics.healed("probe", 1, run)
    metrics.backed_off(run)
    metrics.answered("GET", "/site/{site}", 200, 1)
    return metrics.registry


def _table(families: Iterable[Metric]) -> str:
    return table(("metric", "type", "unit", "labels", ""), map(_row, families))


def _values() -> str:
    """Every set of values, with the metrics that have it."""
    known: dict[tuple[str, tuple[str, ...]], list[str]] = {}
    for family in Metrics().registry.collect():
        if family.type == "info":
            continue
        for label in sorted({name for sample in family.samples for name in sample.labels} - {"le"}):
            values = tuple(dict.fromkeys(s.labels[label] for s in family.samples if label in s.labels))
            known.setdefault((label, values), []).append(_name(family))
    rows = [
        (code(label), ", ".join(map(code, values)), ", ".join(map(code, sorted(names))))
        for (label, values), names in sorted(known.items(), key=lambda item: (item[0][0], sorted(item[1])))
    ]
    return table(("label", "values", "of"), rows)


def _row(family: Metric) -> tuple[str, ...]:
    mark = " ◆" if any(sample.exemplar for sample in family.samples) else ""
    name = code(_name(family)) + mark
    return name, family.type, _unit(family), ", ".join(_labels(family)), family.documentation


def _name(family: Metric) -> str:
    return family.name + {"counter": "_total", "info": "_info"}.get(family.type, "")


def _unit(family: Metric) -> str:
    if family.name.endswith("_timestamp_seconds") or family.name == "process_start_time_seconds":
        return "seconds since 1970"
    return next((unit for unit in ("seconds", "bytes") if family.name.endswith(f"_{unit}")), "")


def _labels(family: Metric) -> Iterator[str]:
    names = {name for sample in family.samples for name in sample.labels}
    yield from (code(name) for name in sorted(names - {"le"}))
