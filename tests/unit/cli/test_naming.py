"""The store, opened to be read: what is logged meanwhile is not what a command prints."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
import structlog
from tests.unit.cli.conftest import MemoryComposition, Stage
from tests.unit.cli.guarded import Guarded
from typer.testing import CliRunner

from otto.cli.main import build_app
from otto.config import Settings
from otto.model.policy import Policy
from otto.ports import Store

FLEET_POLICY = "apiVersion: otto/v1\nkind: FleetPolicy\nspec: {labels: [{match: {env: test}, ttl: 4h}]}\n"


class TornRow(MemoryComposition):
    """Its store holds a row that cannot be read."""

    @asynccontextmanager
    async def open_store_only(self, settings: Settings) -> AsyncIterator[Store]:
        async with super().open_store_only(settings) as store:
            structlog.get_logger("otto.adapters.store").warning("store.row_unreadable", kind="Grant")
            yield store


@pytest.fixture
def torn(stage: Stage) -> Stage:
    Guarded(stage).knows()
    stage.composition = TornRow(stage.world)
    return stage


@pytest.mark.parametrize(
    "words",
    [
        ["status", "--json"],
        ["why", "acme", "--json"],
        ["grants", "--json"],
        ["audit", "--json"],
        ["audit", "--verify", "--json"],
        ["inventory", "--list"],
        ["override", "acme", "--reason", "x", "--json"],
    ],
)
def test_warnings_are_said_beside_the_json(torn: Stage, words: list[str]) -> None:
    result = torn.otto(*words)
    assert result.exit_code == 0, result.output
    assert json.loads(result.stdout)
    assert "store.row_unreadable" in result.stderr


def test_what_is_no_warning_is_not_said(stage: Stage) -> None:
    guarded = Guarded(stage)
    guarded.knows(policy=Policy(ttl=8 * 3600))
    guarded.born(guarded.now)
    (stage.home / "policy.yaml").write_text(FLEET_POLICY, encoding="utf-8")
    result = stage.otto("extend", "acme", "4h", "--json")
    assert json.loads(result.stdout)["given"]["kind"] == "extend"
    assert result.stderr == ""
    assert "policy.changed" in stage.otto("--debug", "extend", "acme", "4h", "--json").stderr


def test_a_shell_that_completes_is_told_names_alone(torn: Stage) -> None:
    environ = {
        "_OTTO_COMPLETE": "complete_bash",
        "COMP_WORDS": f"otto --home {torn.home} status ",
        "COMP_CWORD": "4",
    }
    result = CliRunner().invoke(build_app(torn.composition), [], env=environ, prog_name="otto")
    assert (result.stdout.split(), result.stderr) == (["acme"], "")
