"""`otto adopt`: living hosts back into a state that lost them, and nothing made twice."""

import asyncio
import io
import json

import pytest
from tests.unit.cli.conftest import Stage
from tests.unit.cli.test_schemas import check
from tests.unit.cli.test_work import controller, remote

from otto.cli import waiting
from otto.cli.answer import Answer
from otto.cli.asking import agreed
from otto.cli.commands.adopt import imports
from otto.cli.house import HomeHouse
from otto.cli.invocation import Invocation
from otto.model.errors import TransientError, UsageError
from otto.model.plan import StepKind
from otto.testing import site_spec

HOSTS = ["acme-balancer-1", "acme-web-1", "acme-web-2"]


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture
def lost(stage: Stage) -> Stage:
    """A site that is up, and whose state is lost."""
    stage.world.push(site_spec())
    assert stage.otto("reconcile", "acme").exit_code == 0
    stage.world.infrastructure.forget_state("acme")
    return stage


def ids(stage: Stage) -> set[str]:
    return {host.id for host in stage.world.hosts}


def state_of(stage: Stage) -> list[str]:
    state = asyncio.run(stage.world.infrastructure.state("acme"))
    return [host.id for host in state.hosts] if state else []


def test_with_a_whole_state_there_is_nothing_to_adopt(stage: Stage) -> None:
    stage.world.push(site_spec())
    stage.otto("reconcile", "acme")
    runs = len(stage.runs("acme"))
    result = stage.otto("adopt", "acme")
    assert result.exit_code == 0
    assert "nothing to adopt" in result.stdout
    assert len(stage.runs("acme")) == runs


def test_what_lives_is_listed_and_taken_in_and_nothing_is_made_twice(lost: Stage) -> None:
    before = ids(lost)
    result = lost.otto("adopt", "acme", "--yes", environ={"COLUMNS": "160"})
    assert result.exit_code == 0, result.output
    listed, _, done = result.stdout.partition("observe")
    for host in HOSTS:
        assert host in listed
        assert any("= imported" in line and host in line for line in done.splitlines())
    assert ids(lost) == before == set(state_of(lost))


def test_off_a_terminal_it_lists_and_does_nothing_unless_told(lost: Stage) -> None:
    result = lost.otto("adopt", "acme", typed="y\n")
    assert result.exit_code == 1
    assert "acme-web-1" in result.stdout
    assert "nothing was imported: nobody is there to ask" in result.stderr
    assert "--yes" in result.stderr
    assert not state_of(lost)


@pytest.mark.parametrize("answer", ["y\n", "YES\n"])
def test_yes_is_yes(stage: Stage, answer: str) -> None:
    agreed(Invocation(stage.composition, {}, HomeHouse), "Go on?", "nothing was done", Terminal(answer))


@pytest.mark.parametrize("answer", ["", "\n", "n\n", "yesterday\n"])
def test_anything_else_is_no(stage: Stage, answer: str) -> None:
    with pytest.raises(UsageError, match="nothing was done: that was not confirmed"):
        agreed(Invocation(stage.composition, {}, HomeHouse), "Go on?", "nothing was done", Terminal(answer))


def test_json_is_one_event_per_line(lost: Stage) -> None:
    result = lost.otto("adopt", "acme", "--yes", "--json")
    assert result.exit_code == 0
    found = [json.loads(line) for line in result.stdout.splitlines()]
    for item in found:
        check("event", item)
    assert found[0]["event"] == "adoptable"
    assert {item["host"] for item in found[0]["resources"]} >= set(HOSTS)
    assert found[-2]["event"] == "adopted"
    assert len(found[-2]["imported"]) == len(found[0]["resources"])
    assert found[-1]["ok"] is True


def test_a_run_that_fails_is_told_and_imports_nothing(lost: Stage) -> None:
    lost.world.infrastructure.failures.next("apply", TransientError("no room"))
    result = lost.otto("adopt", "acme", "--yes")
    assert result.exit_code == 1
    assert "no room" in result.stdout
    assert "= imported" not in result.stdout


def test_an_unknown_site(lost: Stage) -> None:
    result = lost.otto("adopt", "nobody")
    assert result.exit_code == 1
    assert "no spec describes a site 'nobody'" in result.stderr


async def test_a_running_controller_does_it(stage: Stage) -> None:
    stage.world.push(site_spec())
    async with controller(stage):
        await waiting.look(remote(stage), ["acme"], frozenset({StepKind.VERIFY}), 600.0)
    before = ids(stage)
    stage.world.infrastructure.forget_state("acme")
    stage.world.restart()
    async with controller(stage):
        await waiting.look(remote(stage), ["acme"], frozenset({StepKind.PROVISION}), 600.0)
    found = [
        imports(Answer("acme", ok=True, words="", run=run)) for run in await stage.world.store.runs("acme")
    ]
    assert {address.split('"')[1] for address in max(found, key=len) if '"' in address} == set(HOSTS)
    assert ids(stage) == before
