"""What a scrape brings can be read back, in both formats, whatever sites are called."""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client.core import Metric
from prometheus_client.openmetrics.parser import text_string_to_metric_families as read_openmetrics
from prometheus_client.parser import text_string_to_metric_families as read_plain

from otto.model.difference import Cause, Difference, Layer
from otto.model.status import Condition, ConditionType, Phase, SiteStatus, Truth
from otto.telemetry.labels import label
from otto.telemetry.metrics import Metrics

AT = datetime(2026, 1, 1, tzinfo=UTC)
RUN = "20260101T000000-0a1b2c"
OPENMETRICS = "application/openmetrics-text; version=1.0.0"
DRIFT = Difference(Layer.CONFIGURATION, "hosts/a/files/x", "a", "b", Cause.DRIFT)
ODD = [
    'a"b\\c\nd',
    "a\\nb",
    "a\nb",
    "\x1b[2J",
    "\ud800",
    "\\ud800",
    "\u202eevil",
    "x" * 5000,
    "x" * 4999 + "y",
    "",
    '{site="b"} 1\notto_alive 0 # {} 1',
    "日本語 🎉",
    "a\r\nb",
    "a\x00b",
    label("x" * 5000),
]


def both(metrics: Metrics) -> Iterator[dict[str, Metric]]:
    """The families of a scrape, as each format's own parser reads them."""
    plain, kind = metrics.render()
    assert kind.startswith("text/plain; version=")
    yield {family.name: family for family in read_plain(plain.decode())}
    opened, kind = metrics.render(OPENMETRICS)
    assert kind.startswith(OPENMETRICS)
    yield opened_families(opened)


def opened_families(body: bytes) -> dict[str, Metric]:
    return {family.name: family for family in read_openmetrics(body.decode())}  # type: ignore[no-untyped-call]


def told(metrics: Metrics, site: str) -> None:
    """Everything that can be said of a site."""
    ready = Condition(ConditionType.READY, Truth.TRUE, "r", "m", AT)
    metrics.status(SiteStatus(site, Phase.READY, AT).with_condition(ready))
    metrics.observed(site, [DRIFT])
    for tier in ("probes", "facts", "refresh"):
        metrics.seen(site, tier, AT.timestamp())
    metrics.orphans({site: 1})


def exemplars(metrics: Metrics, family: str) -> list[dict[str, str]]:
    found = opened_families(metrics.render(OPENMETRICS)[0])[family]
    return [dict(sample.exemplar.labels) for sample in found.samples if sample.exemplar]


def test_both_formats_hold_the_same_families_and_types() -> None:
    metrics = Metrics()
    told(metrics, "acme")
    metrics.run_finished("succeeded", 3, RUN)
    plain, opened = both(metrics)
    # The plain format has no info type, and gauges stand for it.
    types = {name: "gauge" if f.type == "info" else f.type for name, f in opened.items()}
    types["otto_build_info"] = types.pop("otto_build")
    assert {name: family.type for name, family in plain.items()} == types
    assert opened["otto_run_duration_seconds"].unit == "seconds"


def test_a_run_is_named_beside_what_it_counted_and_how_long_it_took() -> None:
    metrics = Metrics()
    metrics.run_finished("failed", 3, RUN)
    metrics.step_finished("observe", 0.2, RUN)
    metrics.commit_ready(20, RUN)
    metrics.healed("probe", 14, RUN)
    metrics.backed_off(RUN)
    named = ("runs", "run_duration_seconds", "step_duration_seconds", "commit_to_ready_seconds")
    for family in (*named, "heal_duration_seconds", "backoffs"):
        assert exemplars(metrics, f"otto_{family}") == [{"run_id": RUN}], family
    assert b"run_id" not in metrics.render()[0]


@pytest.mark.parametrize("run", ["", "x" * 123, "a\nb", "\ud800"])
def test_no_exemplar_where_the_run_may_not_stand_in_one(run: str) -> None:
    metrics = Metrics()
    metrics.run_finished("failed", 3, run)
    assert exemplars(metrics, "otto_runs") == []
    assert metrics.registry.get_sample_value("otto_runs_total", {"outcome": "failed"}) == 1


def test_an_exemplar_of_exactly_128_characters_stands() -> None:
    metrics = Metrics()
    metrics.run_finished("failed", 3, "x" * 122)
    assert exemplars(metrics, "otto_runs") == [{"run_id": "x" * 122}]


def test_odd_names_break_nothing_and_stay_apart() -> None:
    metrics = Metrics()
    for site in ODD:
        told(metrics, site)
    metrics.orphans(dict.fromkeys(ODD, 1))
    for families in both(metrics):
        for name in ("otto_site_ready", "otto_site_orphan_hosts", "otto_observed_age_seconds"):
            shown = [sample.labels["site"] for sample in families[name].samples]
            assert len(set(shown)) == len(ODD)
            assert all(text.isprintable() and len(text) <= 200 for text in shown)
        assert [sample.value for sample in families["otto_alive"].samples] == [1]


def test_plain_names_stay_as_they_are() -> None:
    assert [label(name) for name in ("acme", "a-b.example", "日本語 🎉")] == [
        "acme",
        "a-b.example",
        "日本語 🎉",
    ]


@given(st.lists(st.text(st.characters(), max_size=250), unique=True, max_size=8))
def test_labels_of_different_names_differ_and_can_be_sent(names: list[str]) -> None:
    shown = [label(name) for name in names]
    assert len(set(shown)) == len(names)
    assert all(text.isprintable() and text.encode() is not None for text in shown)


@pytest.mark.parametrize(("accept", "limit"), [("", 4), (OPENMETRICS, 6)])
def test_ten_thousand_sites_are_shown_in_seconds(accept: str, limit: float) -> None:
    metrics = Metrics()
    for number in range(10_000):
        told(metrics, f"site-{number:05d}")
    began = time.process_time()
    body, _ = metrics.render(accept)
    assert time.process_time() - began < limit
    assert body.count(b"\notto_site_ready{") == 10_000


def test_reading_in_a_thread_while_the_loop_writes_breaks_nothing() -> None:
    metrics = Metrics()
    for number in range(300):
        told(metrics, f"site-{number}")
    with ThreadPoolExecutor(1) as scraper:
        scrapes = scraper.submit(lambda: [metrics.render()[0] for _ in range(10)])
        while not scrapes.done():
            told(metrics, "come-and-gone")
            metrics.site_gone("come-and-gone")
    assert all(b'otto_site_ready{site="site-299"} 1.0' in body for body in scrapes.result())
