"""`otto why`: one answer, from the store alone."""

import asyncio
import fcntl
import json
from dataclasses import replace

import pytest
from tests.unit.cli.conftest import Stage
from tests.unit.cli.test_schemas import check

from otto.cli import presence
from otto.model.errors import TransientError
from otto.model.spec import Check
from otto.model.status import Phase
from otto.testing import site_spec

HOSTILE = "[bold red]\x1b]0;owned\x07 [link=http://evil.example]x[/link]"


@pytest.fixture
def up(stage: Stage) -> Stage:
    stage.world.push(site_spec())
    assert stage.otto("reconcile", "acme").exit_code == 0
    stage.composition.opened.clear()
    return stage


def rows(stage: Stage, *words: str) -> dict[str, str]:
    """The page's names and values; only the first line of each."""
    shown = stage.otto("why", *words, environ={"COLUMNS": "200"}).stdout.splitlines()
    return {line[:12].strip(): line[12:].strip() for line in shown if line[:1].strip()}


def test_a_ready_site_and_the_way_to_it(up: Stage) -> None:
    run = up.runs("acme")[0]
    result = up.otto("why", "acme", environ={"COLUMNS": "200"})
    assert result.exit_code == 0
    assert result.stdout.splitlines()[0].startswith("acme  Ready  for ")
    found = rows(up, "acme")
    assert found["ready"] == "yes"
    assert found["blocked by"].startswith("controller: no controller is running")
    assert found["unblock"] == "otto up"
    assert found["commit"].endswith("specs/acme.yaml")
    assert found["plan"] == run.plan[:12]
    assert found["run"].startswith(run.id)
    assert found["check"].startswith("succeeded")
    for kind in ("plan", "provision", "configure", "deploy", "verify"):
        assert f"\n{kind}" in result.stdout
    assert up.composition.opened == ["store", "store"]


def test_it_fits_80_columns(up: Stage) -> None:
    assert max(map(len, up.otto("why", "acme").stdout.splitlines())) <= 80


def test_a_failure_is_told_with_its_mend_and_when_it_is_tried_again(up: Stage) -> None:
    up.world.push(site_spec(checks=(Check("/", contains="nowhere"),)))
    up.world.infrastructure.failures.next("plan", TransientError("no room", mend="make room"))
    assert up.otto("provision", "acme").exit_code == 1
    result = up.otto("why", "acme")
    assert result.exit_code == 0
    found = rows(up, "acme")
    assert (found["last error"], found["mend"]) == ("no room", "make room")
    assert "backoff: it failed once" in result.stdout


def test_json_is_as_its_schema_says(up: Stage) -> None:
    document = json.loads(up.otto("why", "acme", "--json").stdout)
    check("why", document)
    assert (document["site"], document["phase"], document["ready"]) == ("acme", "Ready", True)
    assert [item["kind"] for item in document["blockers"]] == ["controller"]
    assert document["chain"]["run"]["plan"] == up.runs("acme")[0].plan
    assert document["chain"]["check"]["outcome"] == "succeeded"


def test_a_site_nobody_looked_at_yet(up: Stage) -> None:
    up.world.push(site_spec("shop"))
    up.otto("reconcile", "acme")
    result = up.otto("why", "shop", "--json")
    assert result.exit_code == 0
    check("why", json.loads(result.stdout))
    assert rows(up, "shop")["run"] == "none yet"


def test_an_unknown_site(up: Stage) -> None:
    result = up.otto("why", "acne")
    assert result.exit_code == 1
    assert "did you mean acme?" in result.stderr


def test_before_anything_ran(stage: Stage) -> None:
    result = stage.otto("why", "acme")
    assert result.exit_code == 1
    assert "OttO has not run over" in result.stderr


def test_a_suspended_site_names_the_command(up: Stage) -> None:
    up.otto("suspend", "acme")
    shown = up.otto("why", "acme").stdout
    assert "suspended: a person suspended it" in shown
    assert "otto resume acme" in shown


def test_words_of_others_are_text_and_nothing_else(up: Stage) -> None:
    status = asyncio.run(up.world.store.status("acme"))
    run = up.runs("acme")[0]
    assert status
    bad = replace(status, phase=Phase.DEGRADED, failures=1, message=HOSTILE)
    asyncio.run(up.world.store.save_status(bad))
    steps = tuple(replace(step, summary=HOSTILE) for step in run.steps)
    asyncio.run(up.world.store.save_run(replace(run, steps=steps, cause=HOSTILE)))
    for words in (["why", "acme"], ["why", "acme", "--json"]):
        shown = up.otto(*words, environ={"FORCE_COLOR": "1", "COLUMNS": "200"}).stdout
        assert "\x1b]0" not in shown
        assert "\x07" not in shown
        assert "[link=http://evil.example]" in shown


def test_a_command_that_works_as_a_controller_counts_as_one(stage: Stage) -> None:
    assert not presence.held(stage.home)
    with (stage.home / "controller.lock").open("a+") as lock:
        assert not presence.held(stage.home)
        fcntl.flock(lock, fcntl.LOCK_EX)
        assert presence.held(stage.home)
    assert not presence.held(stage.home)
