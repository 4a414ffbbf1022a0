"""Suspend, resume and destroy."""

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


def test_who_suspends_and_resumes_is_on_record(up: Stage) -> None:
    assert up.otto("suspend", "acme", "--by", "ada", "--note", "the move").exit_code == 0
    assert up.otto("resume", "acme", "--by", "bob").exit_code == 0
    found = [item.entry for item in up.world.ledger.log if item.entry.what in ("suspend", "resume")]
    said = [(item.who, item.what, item.site, item.reason) for item in found]
    assert said == [("ada", "suspend", "acme", "the move"), ("bob", "resume", "acme", "")]
    assert all(item.detail["as"] for item in found)


@pytest.mark.parametrize("command", ["suspend", "resume"])
def test_of_an_unknown_site(up: Stage, command: str) -> None:
    result = up.otto(command, "acmee")
    assert result.exit_code == 1
    assert "did you mean acme?" in result.stderr


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
