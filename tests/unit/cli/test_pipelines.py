"""`otto pipelines` over the world in memory."""

import asyncio
import json
from datetime import timedelta

import pytest
from jsonschema import Draft202012Validator, FormatChecker
from tests.unit.cli.conftest import Stage

from otto import resources
from otto.model.pipeline import Event, Pipeline, StageKind, Trigger
from otto.model.pipeline import Stage as Part
from otto.model.run import Outcome
from otto.testing import site_spec


@pytest.fixture
def up(stage: Stage) -> Stage:
    stage.world.push(site_spec(), site_spec("shop"))
    assert stage.otto("provision").exit_code == 0
    return stage


def keep(stage: Stage, *pipelines: Pipeline) -> None:
    asyncio.run(stage.world.store.pipelines.save(*pipelines))


def pipeline(stage: Stage, identity: str, site: str = "acme") -> Pipeline:
    now = stage.world.clock.now() + timedelta(seconds=1)
    parts = (
        Part(StageKind.FETCH, now, now, Outcome.SUCCEEDED, "commit cccc"),
        Part(StageKind.DEPLOY, now, None, Outcome.RUNNING, "", ("first \x1b[31m", *("line",) * 60, "last")),
    )
    return Pipeline(
        identity, site, Event(Trigger.CONTENT, now, "ada", "https://a/b", "main"), now, stages=parts
    )


def check(text: str) -> None:
    schema = json.loads(resources.path("schemas", "output", "pipelines.json").read_text(encoding="utf-8"))
    Draft202012Validator.check_schema(schema)
    Draft202012Validator(schema, format_checker=FormatChecker()).validate(json.loads(text))


def test_pipelines_are_listed_with_and_without_the_word(up: Stage) -> None:
    for words in (["pipelines"], ["pipelines", "list"], ["pipelines", "--limit", "5"]):
        found = up.otto(*words)
        assert found.exit_code == 0
        assert "acme" in found.stdout
        assert "shop" in found.stdout
    for words in (["pipelines", "acme"], ["pipelines", "list", "acme"]):
        found = up.otto(*words)
        assert "acme" in found.stdout
        assert "shop" not in found.stdout
        assert "succeeded" in found.stdout


def test_the_help_of_the_group_names_its_commands(stage: Stage) -> None:
    found = stage.otto("pipelines", "--help")
    assert found.exit_code == 0
    assert all(word in found.stdout for word in ("list", "show", "run"))


def test_what_is_printed_for_programs_is_what_its_schema_says(up: Stage) -> None:
    check(up.otto("pipelines", "--json").stdout)
    document = up.otto("pipelines", "acme", "--json").stdout
    check(document)
    identity = json.loads(document)["pipelines"][0]["id"]
    check(up.otto("pipelines", "show", identity, "--json").stdout)


def test_one_is_shown_with_its_stages_and_what_they_said(up: Stage) -> None:
    keep(up, pipeline(up, "30000101T000000-aaaaaa"))
    shown = up.otto("pipelines", "show", "3000", environ={"COLUMNS": "120"})
    assert shown.exit_code == 0
    assert "content of https://a/b, main" in shown.stdout
    assert "commit cccc" in shown.stdout
    assert "22 lines before these" in shown.stdout
    assert "last" in shown.stdout
    assert "\x1b" not in shown.stdout
    listed = up.otto("pipelines", environ={"COLUMNS": "160"}).stdout
    assert "deploy: last" in listed


def test_an_id_has_to_fit_one(up: Stage) -> None:
    keep(up, pipeline(up, "30000101T000000-aaaaaa"), pipeline(up, "30000101T000000-bbbbbb"))
    assert "fits 2 pipelines" in up.otto("pipelines", "show", "3000").stderr
    assert "there is no pipeline 'x'" in up.otto("pipelines", "show", "x").stderr


def test_a_site_that_never_was_is_told_from_one_without_pipelines(up: Stage) -> None:
    assert "there is no site 'acne'" in up.otto("pipelines", "acne").stderr


def test_to_start_one_takes_a_controller(up: Stage) -> None:
    found = up.otto("pipelines", "run", "acme")
    assert found.exit_code == 1
    assert "no controller is running" in found.stderr
    assert "otto verify acme" in found.stderr
