"""What `--json` prints is what its schema says; and the schemas know every word the model has."""

import asyncio
import json
from dataclasses import fields, replace
from typing import Any

import pytest
from jsonschema import Draft202012Validator, FormatChecker
from tests.unit.cli.conftest import Stage

from otto import resources
from otto.cli.documents import plan_document
from otto.decide.plandata import verdict_data
from otto.model.canonical import to_data
from otto.model.cost import Cost, CostChange
from otto.model.errors import TransientError
from otto.model.host import HostState, LiveHost
from otto.model.plan import ActionKind, Circumstances, Plan, Removing, StepKind
from otto.model.problem import Problem
from otto.model.reading import read
from otto.model.rollout import RolloutState
from otto.model.run import Outcome
from otto.model.spec import Check, HostGroup
from otto.model.status import ConditionType, Phase
from otto.model.verdict import Allowed, Effect, NeedsApproval, Reason, Refused, Verdict, Waiting
from otto.model.why import Obstacle
from otto.testing import START, site_spec

NAMES = (
    *("status", "why", "history", "orphans", "reap", "plan", "diff", "validate", "event"),
    *("audit", "grants", "said", "ci-validate", "rollout", "dns-diff", "dns-check", "dns-import"),
)


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
        ("why", ["why", "acme"]),
        ("why", ["why", "shop"]),
        ("history", ["history", "acme"]),
        ("rollout", ["rollout", "status", "acme"]),
        ("rollout", ["rollout", "status", "shop"]),
        ("said", ["rollout", "pause", "acme"]),
        ("plan", ["plan", "acme"]),
        ("plan", ["plan", "shop"]),
        ("diff", ["diff", "shop"]),
    ],
)
def test_documents(up: Stage, name: str, words: list[str]) -> None:
    check(name, json.loads(up.otto(*words, "--json").stdout))


def test_status_with_all_that_is_the_matter(up: Stage) -> None:
    host = LiveHost("i-1", "acme-web-9", "acme", "web", HostState.PAUSED, "10.203.0.9", up.world.clock.now())
    asyncio.run(up.world.store.set_value("orphans", json.dumps(to_data([host]))))
    problem = Problem("specs/x.yaml", 0, 0, "", "cannot be read")
    asyncio.run(up.world.store.set_value("problems", json.dumps(to_data([problem]))))
    document = json.loads(up.otto("status", "--json").stdout)
    check("status", document)
    assert (len(document["orphans"]), len(document["problems"])) == (1, 1)


def test_a_rollout_that_was_taken_back(up: Stage) -> None:
    up.world.push(site_spec(checks=(Check("/", contains="nowhere to be found"),)))
    up.otto("--set", "loop.verifyDeadline=0", "reconcile", "acme")
    document = json.loads(up.otto("rollout", "status", "acme", "--json").stdout)
    check("rollout", document)
    assert document["state"] == "reverted"
    assert [grant["kind"] for grant in document["grants"]] == ["quarantine"]
    assert [len(item["failures"]) for item in document["quarantined"]] == [1]
    status = json.loads(up.otto("status", "acme", "--json").stdout)
    check("status", status)
    assert status["sites"][0]["rollout"]["reason"] == document["reason"]


def test_status_of_nothing(stage: Stage) -> None:
    check("status", json.loads(stage.otto("status", "--json").stdout))


def test_a_plan_that_needs_approval(up: Stage) -> None:
    up.world.images.ids["base"] = "sha256:another"
    document = json.loads(up.otto("plan", "acme", "--json").stdout)
    check("plan", document)
    assert document["verdict"]["kind"] == "NeedsApproval"


REASON = Reason("guard.budget.site", "too dear", "raise it", Effect.REFUSE, {"budget": "EUR 5"}, START)


@pytest.mark.parametrize(
    "verdict",
    [
        Allowed((REASON,)),
        NeedsApproval((REASON,), 1, 2),
        Refused((REASON,), (REASON,)),
        Waiting((REASON,), START, (REASON,)),
    ],
)
def test_every_verdict(up: Stage, verdict: Verdict) -> None:
    document = json.loads(up.otto("plan", "acme", "--json").stdout)
    document["verdict"] = json.loads(json.dumps(verdict_data(verdict)))
    check("plan", document)
    told = [*document["verdict"]["reasons"], *document["verdict"]["warnings"]]
    assert [(reason["effect"], reason["figures"]) for reason in told] == [("refuse", {"budget": "EUR 5"})]


def test_a_plan_reads_back_as_what_it_is_judged_by(up: Stage) -> None:
    cost = CostChange(Cost(0.018), Cost(0.03, ("huge",)), 0.012, "EUR", ("huge",))
    hosts = {"acme-web-1": "web"}
    about = Circumstances("lab", hosts, ("spec",), (), (), ("small",), cost, Removing.PERSON)
    plan = plan_document(Plan("acme", "d", (), about))
    document = json.loads(up.otto("plan", "acme", "--json").stdout) | {"plan": plan}
    check("plan", document)
    assert read(Circumstances, plan["about"]) == about


def test_status_with_a_cost(up: Stage) -> None:
    status = asyncio.run(up.world.store.status("acme"))
    assert status is not None
    asyncio.run(up.world.store.save_status(replace(status, cost=Cost(0.1 * 3, ("huge",)), currency="EUR")))
    document = json.loads(up.otto("status", "acme", "--json").stdout)
    check("status", document)
    assert document["sites"][0]["cost"] == {
        "hourly": 0.3,
        "monthly": 219.0,
        "unknown": ["huge"],
        "currency": "EUR",
    }


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


def test_a_plan_of_a_zone_is_described_as_any_plan() -> None:
    plan, diff = schema("plan")["$defs"], schema("dns-diff")["$defs"]
    assert {name: diff[name] for name in plan} == plan


def test_every_word_of_the_model_is_in_the_schemas() -> None:
    site = schema("status")["$defs"]
    assert site["site"]["properties"]["phase"]["enum"] == list(Phase)
    assert site["condition"]["properties"]["type"]["enum"] == list(ConditionType)
    assert site["rollout"]["properties"]["state"]["enum"] == list(RolloutState)
    rollout = schema("rollout")["properties"]
    assert {name: rollout[name] for name in site["rollout"]["properties"]} == site["rollout"]["properties"]
    assert schema("history")["$defs"]["run"]["properties"]["outcome"]["enum"] == list(Outcome)
    why = schema("why")
    assert why["properties"]["phase"]["enum"] == list(Phase)
    assert why["$defs"]["blocker"]["properties"]["kind"]["enum"] == list(Obstacle)
    host = schema("status")["$defs"]["orphan"]["properties"]
    for name in ("orphans", "reap"):
        shown = schema(name)["$defs"]["host"]["properties"]
        assert {key: value for key, value in shown.items() if key != "cost"} == host
    assert host["state"]["enum"] == list(HostState)
    plan = schema("plan")["$defs"]
    assert set(plan["action"]["properties"]["kind"]["enum"]) == set(ActionKind)
    assert plan["step"]["properties"]["kind"]["enum"] == list(StepKind)
    assert plan["about"]["properties"]["removing"]["enum"] == list(Removing)
    assert plan["reason"]["properties"]["effect"]["enum"] == [effect.name.lower() for effect in Effect]
    for name, kind in (("about", Circumstances), ("cost_change", CostChange), ("reason", Reason)):
        assert set(plan[name]["properties"]) == {field.name for field in fields(kind)}, name
