"""Suspend, resume, approve and destroy."""

import asyncio

import pytest
from tests.unit.cli.conftest import Stage

from otto.cli.commands import destroy as destroy_command
from otto.model.errors import TransientError
from otto.model.status import Phase
from otto.testing import site_spec


@pytest.fixture
def up(stage: Stage) -> Stage:
    stage.world.push(site_spec(), site_spec("shop"))
    assert stage.otto("provision").exit_code == 0
    return stage


def intents(stage: Stage, site: str = "acme") -> frozenset[str]:
    return asyncio.run(stage.world.store.intents(site))


def phase(stage: Stage, site: str = "acme") -> Phase | None:
    status = asyncio.run(stage.world.store.status(site))
    return status.phase if status else None


def hosts(stage: Stage) -> set[str]:
    return {host.name for host in stage.world.hosts}


def test_suspend_and_resume(up: Stage) -> None:
    result = up.otto("suspend", "acme")
    assert result.exit_code == 0
    assert "acme is suspended" in result.stdout
    assert "no controller is running" in result.stdout
    assert intents(up) == {"suspend"}
    assert up.otto("resume", "acme").exit_code == 0
    assert intents(up) == frozenset()


@pytest.mark.parametrize("command", [["suspend"], ["resume"], ["approve"]])
def test_of_an_unknown_site(up: Stage, command: list[str]) -> None:
    result = up.otto(*command, "acmee", *(["123456"] if command == ["approve"] else []))
    assert result.exit_code == 1
    assert "did you mean acme?" in result.stderr


def waiting_plan(stage: Stage) -> str:
    stage.world.images.ids["base"] = "sha256:another"
    stage.otto("reconcile", "acme")
    assert phase(stage) is Phase.AWAITING_APPROVAL
    return stage.runs("acme")[0].plan


def test_approve_lets_that_very_plan_go_on(up: Stage) -> None:
    plan = waiting_plan(up)
    before = {host.id for host in up.world.hosts if host.name.startswith("acme")}
    assert up.otto("approve", "acme", plan[:12].upper()).exit_code == 0
    assert next(iter(up.world.store.approvals)) == ("acme", plan)
    assert up.otto("reconcile", "acme").exit_code == 0
    assert not before & {host.id for host in up.world.hosts}


@pytest.mark.parametrize(
    ("digest", "told"),
    [("beefbeefbeef", "no plan of acme that waits begins with"), ("be", "too short"), ("", "too short")],
)
def test_a_wrong_digest_is_refused_and_the_right_one_named(up: Stage, digest: str, told: str) -> None:
    waiting_plan(up)
    result = up.otto("approve", "acme", digest)
    assert result.exit_code == 1
    assert told in result.stderr
    assert not up.world.store.approvals


def test_an_outdated_digest_is_called_that(up: Stage) -> None:
    first = waiting_plan(up)
    up.world.push(files={"sites/acme/index.html": "<h1>It works anew</h1>"})
    second = waiting_plan(up)
    assert first != second
    result = up.otto("approve", "acme", first[:12])
    assert result.exit_code == 1
    assert "is out of date: another one waits now" in result.stderr
    assert second[:12] in result.stderr


def test_nothing_waits(up: Stage) -> None:
    result = up.otto("approve", "acme", "123456")
    assert result.exit_code == 1
    assert "acme does not wait for an approval: it is Ready" in result.stderr


def test_destroy_asks_for_the_name(up: Stage) -> None:
    result = up.otto("destroy", "acme", typed="yes\n")
    assert result.exit_code == 1
    assert "nothing was destroyed" in result.stderr
    assert "acme-web-1" in hosts(up)
    assert up.otto("destroy", "acme", typed="").exit_code == 1
    assert intents(up) == frozenset()


def test_destroy_takes_one_site_down_and_it_stays_away(up: Stage) -> None:
    result = up.otto("destroy", "acme", typed="acme\n")
    assert result.exit_code == 0, result.output
    assert "✔ acme" in result.stdout
    assert hosts(up) == {"shop-balancer-1", "shop-web-1", "shop-web-2"}
    assert phase(up) is Phase.DESTROYED
    assert up.otto("provision", "acme").exit_code == 1
    assert up.otto("resume", "acme").exit_code == 0
    assert up.otto("provision", "acme").exit_code == 0
    assert "acme-web-1" in hosts(up)


def test_destroy_that_fails_says_why_and_keeps_the_wish(up: Stage) -> None:
    up.world.infrastructure.failures.next("destroy", TransientError("the engine is away"))
    result = up.otto("destroy", "acme", "--yes")
    assert result.exit_code == 1
    assert "✘ acme  the engine is away" in result.stdout
    assert "destroy" in intents(up)
    assert up.otto("destroy", "acme", "--yes").exit_code == 0


def test_destroy_all_takes_everything(up: Stage) -> None:
    result = up.otto("destroy", "--all", typed="destroy all\n")
    assert result.exit_code == 0, result.output
    assert hosts(up) == set()
    assert "teardown" in intents(up)


def test_an_orphan_is_destroyed_and_forgotten(up: Stage) -> None:
    up.world.withdraw("acme")
    up.otto("reconcile", "acme")
    assert phase(up) is Phase.ORPHANED
    assert up.otto("destroy", "acme", "--yes").exit_code == 0
    assert phase(up) is None
    assert up.runs("acme")[0].cause == "destroy"


def test_destroy_all_of_nothing(stage: Stage) -> None:
    result = stage.otto("destroy", "--all", "--yes")
    assert result.exit_code == 0
    assert stage.composition.opened == []


@pytest.mark.parametrize("words", [[], ["acme", "--all"]])
def test_destroy_of_one_or_all_but_not_both(up: Stage, words: list[str]) -> None:
    assert up.otto("destroy", *words).exit_code == 2


def test_what_is_typed_for_everything_is_what_the_guide_says() -> None:
    assert destroy_command.EVERYTHING == "destroy all"
