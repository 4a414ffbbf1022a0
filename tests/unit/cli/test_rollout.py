"""`otto rollout`: every word of it, as a person says them one after the other."""

import json
from typing import Any

import pytest

from otto.model.spec import Check
from otto.model.strategy import Rollout
from otto.testing import site_spec

from .conftest import Stage

STEPS = Rollout(soak=0.0)
PAGE = "sites/acme/index.html"


@pytest.fixture
def up(stage: Stage) -> Stage:
    stage.world.push(site_spec(rollout=STEPS))
    assert stage.otto("provision", "acme").exit_code == 0
    return stage


def said(up: Stage, *words: str) -> str:
    """What a command says when all is well."""
    result = up.otto(*words, environ={"COLUMNS": "300"})
    assert result.exit_code == 0, result.output
    return result.stdout


def refused(up: Stage, *words: str) -> str:
    """What it says when it will not do it."""
    result = up.otto(*words, environ={"COLUMNS": "300"})
    assert result.exit_code == 1, result.output
    return result.stderr


def reconciled(up: Stage) -> None:
    """A controller comes to it."""
    up.otto("--set", "loop.verifyDeadline=0", "reconcile", "acme")


def pages(up: Stage) -> set[str]:
    """What the web servers say."""
    servers = [host for host in up.world.hosts if host.role.value == "web"]
    return {up.world.source.files(host.revision or "")["index.html"].decode() for host in servers}


def document(up: Stage) -> Any:
    return json.loads(said(up, "rollout", "status", "acme", "--json"))


def test_nothing_was_rolled_out_yet(up: Stage) -> None:
    assert said(up, "rollout", "status", "acme") == "nothing was rolled out at acme yet\n"
    assert "no older state of acme is known" in refused(up, "rollout", "undo", "acme")
    assert "no rollout of acme is under way" in refused(up, "rollout", "abort", "acme")
    assert "no rollout of acme is paused" in refused(up, "rollout", "resume", "acme")
    assert "nobody" in refused(up, "rollout", "status", "nobody")


def test_paused_named_in_status_and_why_and_resumed(up: Stage) -> None:
    assert "nothing further is rolled out at acme" in said(
        up, "rollout", "pause", "acme", "--reason", "lunch", "--by", "ada"
    )
    assert "paused already, by ada" in refused(up, "rollout", "pause", "acme")
    commit = up.world.push(files={PAGE: "<h1>It works, anew</h1>"})
    reconciled(up)
    assert pages(up) == {"<h1>It works</h1>"}
    waits = f"commit {commit[:12]} waits: the rollout is paused by ada: lunch"
    assert waits in said(up, "why", "acme")
    assert waits in up.otto("status", "acme", environ={"COLUMNS": "300"}).stdout
    assert "paused by ada" in said(up, "rollout", "status", "acme")
    assert "pause" in said(up, "grants", "acme")
    assert "rollouts of acme go on" in said(up, "rollout", "resume", "acme")
    reconciled(up)
    assert pages(up) == {"<h1>It works, anew</h1>"}
    assert "is rolled out, 2 servers" in said(up, "rollout", "status", "acme")


def test_undone_and_tried_again(up: Stage) -> None:
    up.world.push(files={PAGE: "<h1>It works, anew</h1>"})
    reconciled(up)
    assert "is taken back, to" in said(up, "rollout", "undo", "acme", "--reason", "ugly", "--by", "ada")
    assert "taken back already" in refused(up, "rollout", "undo", "acme")
    reconciled(up)
    assert pages(up) == {"<h1>It works</h1>"}
    found = document(up)
    assert (found["state"], found["reason"]) == ("reverted", "ugly")
    assert "no older state" in refused(up, "rollout", "undo", "acme")
    assert "is tried again (ugly)" in said(up, "rollout", "resume", "acme")
    reconciled(up)
    assert pages(up) == {"<h1>It works, anew</h1>"}
    record = [entry["what"] for entry in json.loads(said(up, "audit", "--json"))["records"]]
    assert [what for what in record if what.startswith("rollout-")] == ["rollout-resume", "rollout-undo"]


def test_an_older_quarantine_stays_until_all_are_taken_back(up: Stage) -> None:
    bad = site_spec(rollout=STEPS, checks=(Check("/", contains="nowhere to be found"),))
    up.world.push(bad)
    reconciled(up)
    assert document(up)["state"] == "reverted"
    assert "quarantined" in said(up, "rollout", "status", "acme")
    up.world.push(site_spec(rollout=STEPS), files={PAGE: "<h1>It works, anew</h1>"})
    reconciled(up)
    why = refused(up, "rollout", "resume", "acme")
    assert "none is quarantined now" in why
    assert "otto rollout resume acme --all" in why
    assert "is tried again" in said(up, "rollout", "resume", "acme", "--all")
    assert said(up, "grants", "acme") == "nothing beside the specs is in force\n"
