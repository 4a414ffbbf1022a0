"""What OttO exposes, and the rules its documentation gives, as Prometheus' own tool sees them."""

import http.client
import math
import re
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.integration.telemetry.promtool import promtool

from otto.api.app import create_app
from otto.api.server import serving
from otto.cli.up.listening import listen
from otto.config import ApiSettings
from otto.model.caller import Scope, Token
from otto.model.cost import Cost
from otto.model.difference import Cause, Difference, Layer
from otto.model.rollout import RolloutStatus
from otto.model.status import Condition, ConditionType, Phase, SiteStatus, Truth
from otto.telemetry.metrics import Metrics

AT = datetime(2026, 1, 1, tzinfo=UTC)
PAGE = Path(__file__).resolve().parents[3] / "docs" / "how-to" / "alert.md"
CASES = Path(__file__).with_name("alerts.yaml")
SITES = ("acme", "日本語 🎉", 'a"b\\c\nd', "\ud800", "\x1b[2J", "x" * 5000)


class Well:
    async def alive(self) -> Sequence[str]:
        return ()

    async def ready(self) -> Sequence[str]:
        return ()


def told() -> Metrics:
    """Metrics that were told everything there is to tell."""
    metrics = Metrics()
    run = "20260101T000000-0a1b2c"
    ready = Condition(ConditionType.READY, Truth.TRUE, "r", "m", AT)
    for site in SITES:
        status = SiteStatus(site, Phase.READY, AT, cost=Cost(0.018), currency="EUR")
        metrics.status(status.with_condition(ready))
        metrics.site_budget(site, 0.4)
        metrics.observed(site, [Difference(Layer.SERVING, "checks", "a", "b", Cause.DRIFT)])
        metrics.seen(site, "probes", AT.timestamp())
        metrics.rollouts.stands(RolloutStatus(site))
    metrics.zone(SiteStatus("acme.example", Phase.READY, AT).with_condition(ready))
    metrics.zone_seen("acme.example", "serial", AT.timestamp(), 1)
    metrics.zone_seen("acme.example", "full", AT.timestamp(), 1)
    metrics.answered("GET", "/site", 500, 0.1)
    metrics.answered("GET", "/healthz", 503, 0.1)
    metrics.answered("GET", "/readyz", 503, 0.1)
    metrics.tokens([Token("a", "ci", Scope.READ, "", AT, AT.replace(year=2027), used_at=AT)], AT)
    metrics.orphans(dict.fromkeys(SITES, 1))
    metrics.orphan_cost(Cost(0.006), "EUR")
    metrics.fleet_budget(math.inf)
    metrics.run_finished("succeeded", 12, run)
    metrics.step_finished("verify", 2, run)
    metrics.commit_ready(20, run)
    metrics.healed("probe", 14, run)
    metrics.looked("facts", "failed", 3)
    metrics.source(up=True, at=AT.timestamp())
    return metrics


def samples(metrics: Metrics) -> set[tuple[str, frozenset[str]]]:
    """Every sample's name and label names."""
    families = metrics.registry.collect()
    return {(sample.name, frozenset(sample.labels)) for family in families for sample in family.samples}


def blocks(language: str) -> list[str]:
    text = PAGE.read_text(encoding="utf-8")
    return re.findall(rf"^```{language}\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)


def rules() -> list[dict[str, Any]]:
    return [
        rule
        for block in blocks("yaml")
        for group in yaml.safe_load(block)["groups"]
        for rule in group["rules"]
    ]


def written(folder: Path) -> list[Path]:
    """The page's files of rules, as a reader would save them."""
    files = [folder / f"rules-{number}.yaml" for number, _ in enumerate(blocks("yaml"))]
    for file, block in zip(files, blocks("yaml"), strict=True):
        file.write_text(block, encoding="utf-8")
    return files


async def test_a_scrape_is_without_fault() -> None:
    listener = listen(ApiSettings(port=0))
    port = listener.getsockname()[1]
    async with serving(create_app(told().registry, Well(), "1.2.3"), listener):
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
        connection.request("GET", "/metrics")
        scrape = connection.getresponse().read()
        connection.close()
    assert scrape.count(b"\notto_site_ready{") == len(SITES)
    judged = promtool("check", "metrics", given=scrape)
    assert (judged.returncode, judged.stdout, judged.stderr) == (0, b"", b"")


def test_the_judge_finds_faults() -> None:
    judged = promtool("check", "metrics", given=b"# TYPE otto_bad counter\notto_bad_ms 1\n")
    assert judged.returncode != 0


def test_rules_and_questions_of_the_page_are_well_formed(tmp_path: Path) -> None:
    questions = [{"record": f"question:{n}", "expr": text} for n, text in enumerate(blocks("promql"))]
    asked = tmp_path / "questions.yaml"
    asked.write_text(
        yaml.safe_dump({"groups": [{"name": "questions", "rules": questions}]}), encoding="utf-8"
    )
    assert len(questions) > 5
    judged = promtool("check", "rules", "--lint=all", "--lint-fatal", asked, *written(tmp_path))
    assert judged.returncode == 0, judged.stdout + judged.stderr


def test_every_rule_fires_when_it_should_and_is_silent_when_it_should_be(tmp_path: Path) -> None:
    files = written(tmp_path)
    cases = yaml.safe_load(CASES.read_text(encoding="utf-8")) | {"rule_files": [file.name for file in files]}
    given = tmp_path / "alerts.yaml"
    given.write_text(yaml.safe_dump(cases, allow_unicode=True), encoding="utf-8")
    judged = promtool("test", "rules", given)
    assert judged.returncode == 0, (judged.stdout + judged.stderr).decode()


def test_no_rule_goes_untried() -> None:
    cases = yaml.safe_load(CASES.read_text(encoding="utf-8"))["tests"]
    tried = [case for test in cases for case in test["alert_rule_test"]]
    names = {rule["alert"] for rule in rules()}
    assert {case["alertname"] for case in tried if case.get("exp_alerts")} == names
    assert {case["alertname"] for case in tried if not case.get("exp_alerts")} == names


def test_rules_are_tried_on_series_that_there_are() -> None:
    there = samples(told())
    for test in yaml.safe_load(CASES.read_text(encoding="utf-8"))["tests"]:
        for series in test["input_series"]:
            name, _, labels = series["series"].partition("{")
            shape = (name, frozenset(re.findall(r"(\w+)=", labels)))
            assert shape in there, series["series"]


@pytest.mark.parametrize("rule", rules(), ids=lambda rule: rule["alert"])
def test_rules_ask_for_labels_and_values_that_there_are(rule: dict[str, Any]) -> None:
    values: dict[str, set[str]] = {}
    for family in told().registry.collect():
        for sample in family.samples:
            for label, value in sample.labels.items():
                values.setdefault(label, set()).add(value)
    for label, _, wanted in re.findall(r'(\w+)\s*(=~|!~|!=|=)\s*"([^"]*)"', rule["expr"]):
        phases = {phase.value for phase in Phase}
        assert set(wanted.split("|")) <= (phases if label == "phase" else values[label]), rule["alert"]
