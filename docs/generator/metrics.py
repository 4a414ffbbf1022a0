"""Reference of the metrics, from the registry itself."""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime

from prometheus_client import CollectorRegistry
from prometheus_client.metrics_core import Metric

from generator.page import code, joined, table
from otto.model.difference import Cause, Difference, Layer
from otto.model.status import Condition, ConditionType, Phase, SiteStatus, Truth
from otto.telemetry.metrics import Metrics

_INTRO = """\
# Metrics

`GET /metrics` on the API's address (`127.0.0.1:7070`; settings `api.address` and `api.port`) answers in
Prometheus' text format, or in OpenMetrics where the scraper asks for it. Names follow Prometheus' rules:
base units, `_total` for counters. A family is there from the start, with its label values where they are
known, so that a rate never waits for a first event. Families with the label `site` are left out when
`metrics.perSite` is `false`; a site that is gone takes its series with it.

How to scrape them is told in [Monitor OttO](../how-to/monitor.md)."""

_OWN = "## OttO's own"
_PROCESS = "## The process\n\nBy prometheus-client; on Linux only."


def render() -> str:
    """The page."""
    families = sorted(_registry().collect(), key=lambda family: family.name)
    own = [family for family in families if family.name.startswith("otto_")]
    process = [family for family in families if not family.name.startswith("otto_")]
    return joined([_INTRO, _OWN, _table(own), _PROCESS, _table(process)])


def _registry() -> CollectorRegistry:
    """A registry that was told of one site, so that every family shows its labels."""
    metrics = Metrics()
    now = datetime(2025, 1, 1, tzinfo=UTC)
    ready = Condition(ConditionType.READY, Truth.TRUE, "Verified", "", now)
    metrics.status(SiteStatus("hello", Phase.READY, now).with_condition(ready))
    metrics.observed("hello", [Difference(Layer.SERVING, "checks", "a", "b", Cause.DRIFT)])
    return metrics.registry


def _table(families: Iterable[Metric]) -> str:
    return table(("metric", "type", "labels", ""), map(_row, families))


def _row(family: Metric) -> tuple[str, str, str, str]:
    suffix = {"counter": "_total", "info": "_info"}.get(family.type, "")
    return code(family.name + suffix), family.type, ", ".join(_labels(family)), family.documentation


def _labels(family: Metric) -> Iterator[str]:
    names = {name for sample in family.samples for name in sample.labels}
    yield from (code(name) for name in sorted(names - {"le"}))
