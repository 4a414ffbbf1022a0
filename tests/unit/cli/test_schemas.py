"""What `--json` prints is what its schema says; and the schemas know every word the model has."""

import json
from typing import Any

import pytest
from jsonschema import Draft202012Validator, FormatChecker
from tests.unit.cli.conftest import Stage

from otto import resources
from otto.model.errors import TransientError
from otto.model.plan import ActionKind, StepKind
from otto.model.run import Outcome
from otto.model.spec import HostGroup
from otto.model.status import ConditionType, Phase
from otto.testing import site_spec

NAMES = ("status", "history", "plan", "diff", "validate", "event")


def schema(name: str) -> Any:
    return json.loads(resources.path("schemas", "output", f"{name}.json").read_text(encoding="utf-8"))


def check(name: str, document: Any) -> None:
    Draft202012Validator(schema(name), format_checker=FormatChecker()).validate(document)


@pytest.fixture
def up(stage: Stage) -> Stage:
    stage.world.push(site_spec(), site_spec("shop"))
    assert stage.otto("provision", "acme").exit_code == 0
    return stage


@pytest.mark.parametrize("name", NAMES)
def test_schemas_are_sound(name: str) -> None:
    Draft202012Validator.check_schema(schema(name))


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("status", ["status"]),
        ("status", ["status", "acme"]),
        ("history", ["history", "acme"]),
        ("plan", ["plan", "acme"]),
        ("plan", ["plan", "shop"]),
        ("diff", ["diff", "shop"]),
    ],
)
def test_documents(up: Stage, name: str, words: list[str]) -> None:
    check(name, json.loads(up.otto(*words, "--json").stdout))


def test_status_of_nothing(stage: Stage) -> None:
    check("status", json.loads(stage.otto("status", "--json").stdout))


def test_a_plan_that_needs_approval(up: Stage) -> None:
    up.world.images.ids["base"] = "sha256:another"
    document = json.loads(up.otto("plan", "acme", "--json").stdout)
    check("plan", document)
    assert document["verdict"]["kind"] == "NeedsApproval"


def test_history_of_a_failure(up: Stage) -> None:
    up.world.push(site_spec(web=HostGroup(3, "small", "base")))
    up.world.infrastructure.failures.next("apply:acme-web-3", TransientError("no room", detail="in full"))
    up.otto("reconcile", "acme")
    check("history", json.loads(up.otto("history", "acme", "--json").stdout))


@pytest.mark.parametrize("words", [["up", "--until-ready"], ["verify"], ["destroy", "--all", "--yes"]])
def test_events(up: Stage, words: list[str]) -> None:
    lines = up.otto(*words, "--json").stdout.splitlines()
    assert lines
    for line in lines:
        check("event", json.loads(line))


def test_every_word_of_the_model_is_in_the_schemas() -> None:
    site = schema("status")["$defs"]
    assert site["site"]["properties"]["phase"]["enum"] == list(Phase)
    assert site["condition"]["properties"]["type"]["enum"] == list(ConditionType)
    assert schema("history")["$defs"]["run"]["properties"]["outcome"]["enum"] == list(Outcome)
    plan = schema("plan")["$defs"]
    assert set(plan["action"]["properties"]["kind"]["enum"]) == set(ActionKind)
    assert plan["step"]["properties"]["kind"]["enum"] == list(StepKind)
