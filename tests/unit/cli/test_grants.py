"""What is in force, listed."""

import json

import pytest
from tests.unit.cli.conftest import Stage
from tests.unit.cli.guarded import PLAN, Guarded
from tests.unit.cli.test_schemas import check, schema

from otto.model.history import GrantKind


@pytest.fixture
def guarded(stage: Stage) -> Guarded:
    guarded = Guarded(stage)
    guarded.knows()
    guarded.knows("shop")
    guarded.holds()
    guarded.says("approve", "acme", PLAN, "--by", "ann", "--note", "[bold]seen[/bold]")
    guarded.says("freeze", "--reason", "sale", "--by", "bob")
    guarded.says("override", "shop", "--reason", "fire", "--for", "5m")
    return guarded


def listed(guarded: Guarded, *words: str) -> list[tuple[str, str]]:
    document = json.loads(guarded.says("grants", *words, "--json"))
    check("grants", document)
    return [(grant["kind"], grant["site"]) for grant in document["grants"]]


def test_all_of_them_oldest_first_and_those_of_a_site_with_those_of_all(guarded: Guarded) -> None:
    assert listed(guarded) == [("approve", "acme"), ("freeze", ""), ("override", "shop")]
    assert listed(guarded, "acme") == [("approve", "acme"), ("freeze", "")]


def test_what_has_ended_is_not_listed(guarded: Guarded) -> None:
    guarded.stage.world.clock.move(300)
    assert listed(guarded, "shop") == [("freeze", "")]


def test_the_table(guarded: Guarded) -> None:
    lines = guarded.stage.otto("grants", environ={"COLUMNS": "140"}).stdout.splitlines()
    assert lines[0].split() == ["WHAT", "SITE", "PLAN", "BY", "SINCE", "UNTIL"]
    assert lines[1].split()[:4] == ["approve", "acme", "1a2b3c444444", "ann"]
    assert lines[1].endswith("[bold]seen[/bold]")
    assert "all sites" in lines[2]
    assert "taken back" in lines[2]


def test_nothing_is_in_force(stage: Stage) -> None:
    guarded = Guarded(stage)
    guarded.knows()
    assert guarded.says("grants") == "nothing beside the specs is in force\n"


def test_of_an_unknown_site(guarded: Guarded) -> None:
    guarded.refuses("did you mean shop?", "grants", "shopp")


def test_the_schemas_know_every_kind() -> None:
    for name in ("grants", "said"):
        assert schema(name)["$defs"]["grant"]["properties"]["kind"]["enum"] == list(GrantKind)
