"""`otto orphans`: a fresh list. `otto reap`: the removal of those that were named and asked about."""

import asyncio
import json
from dataclasses import replace
from typing import Any

import pytest
from tests.unit.cli.conftest import Stage
from tests.unit.cli.test_schemas import check

from otto.cli import speaking
from otto.model.canonical import to_data
from otto.model.cost import PriceTable
from otto.model.errors import TerminalError, TransientError, UsageError
from otto.model.history import AuditEntry
from otto.model.host import HostState, LiveHost
from otto.model.spec import Role
from otto.model.status import Phase, SiteStatus
from otto.reconcile.strays import Strays, look
from otto.testing import site_spec
from otto.testing.hosts import SimHost
from otto.testing.world import OWNER


@pytest.fixture
def up(stage: Stage) -> Stage:
    stage.world.push(site_spec())
    assert stage.otto("reconcile", "acme").exit_code == 0
    stage.world.prices.tables.clear()
    return stage


def reaped(stage: Stage) -> list[AuditEntry]:
    """What is on record of reaping."""
    entries = (record.entry for record in stage.world.ledger.log)
    return [entry for entry in entries if entry.what == "reap"]


PRICES = PriceTable("lab", "EUR", {"small": 0.006})


def stray(
    stage: Stage, name: str = "acme-web-9", site: str = "acme", owner: str = OWNER, size: str = "small"
) -> SimHost:
    return stage.world.hosts.make(name, site, Role.WEB, image="base", size=size, owner=owner)


def names(stage: Stage) -> set[str]:
    return {host.name for host in stage.world.hosts}


def test_there_are_none(up: Stage) -> None:
    result = up.otto("orphans")
    assert result.exit_code == 0
    assert "no orphans" in result.stdout
    document = json.loads(up.otto("orphans", "--json").stdout)
    check("orphans", document)
    assert document == {"orphans": [], "unjudged": [], "cost": None}


@pytest.mark.parametrize("command", [["orphans"], ["reap", "acme-web-9", "--yes"]])
def test_before_anything_ran(stage: Stage, command: list[str]) -> None:
    result = stage.otto(*command)
    assert result.exit_code == 1
    assert "OttO has not run over" in result.stderr
    assert stage.composition.opened == []


def test_they_are_listed_with_state_age_and_cost(up: Stage) -> None:
    stray(up)
    up.world.hosts.pause("acme-web-9")
    stray(up, "gone-web-1", "gone", size="huge")
    stray(up, "theirs-web-1", "theirs", owner="somebody else")
    up.world.prices.tables["lab"] = PRICES
    result = up.otto("orphans", environ={"COLUMNS": "120"})
    assert result.exit_code == 0
    rows = [line.split() for line in result.stdout.splitlines()]
    assert " ".join(rows[0]) == "HOST SITE STATE AGE SIZE AN HOUR A MONTH ADDRESS ID"
    assert rows[1][:3] == ["acme-web-9", "acme", "paused"]
    assert rows[1][4:7] == ["small", "0.006", "4.38"]
    assert rows[2][:3] == ["gone-web-1", "gone", "running"]
    assert rows[2][4:7] == ["huge", "unknown", "unknown"]
    assert "together: EUR 0.006 an hour, EUR 4.38 a month, and more: no price for size huge" in result.stdout
    assert "otto reap ITEM..." in result.stdout
    assert "theirs" not in result.stdout


def test_what_they_cost_as_json(up: Stage) -> None:
    stray(up)
    stray(up, "gone-web-1", "gone", size="huge")
    assert [host["cost"] for host in listed(up)["orphans"]] == [None, None]
    up.world.prices.tables["lab"] = PRICES
    document = listed(up)
    assert [host["name"] for host in document["orphans"]] == ["acme-web-9", "gone-web-1"]
    known = {"hourly": 0.006, "monthly": 4.38, "unknown": [], "currency": "EUR"}
    unknown = {"hourly": 0, "monthly": 0, "unknown": ["huge"], "currency": "EUR"}
    assert [host["cost"] for host in document["orphans"]] == [known, unknown]
    assert document["cost"] == known | {"unknown": ["huge"]}


def listed(stage: Stage) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(stage.otto("orphans", "--json").stdout)
    check("orphans", document)
    return document


def test_one_is_removed_when_it_was_named_and_confirmed(up: Stage) -> None:
    stray(up)
    result = up.otto("reap", "acme-web-9", typed="acme-web-9\n")
    assert result.exit_code == 0, result.output
    assert "This removes host acme-web-9 (running at " in result.stderr
    assert "removed acme-web-9" in result.stdout
    assert names(up) == {"acme-balancer-1", "acme-web-1", "acme-web-2"}


def test_several_are_each_asked_for(up: Stage) -> None:
    stray(up)
    stray(up, "gone-web-1", "gone")
    stray(up, "gone-web-2", "gone")
    result = up.otto("reap", "gone-web-1", "acme-web-9", "gone-web-1", typed="gone-web-1\nacme-web-9\n")
    assert result.exit_code == 0, result.output
    assert result.stdout.splitlines()[:2] == ["removed gone-web-1", "removed acme-web-9"]
    assert names(up) == {"acme-balancer-1", "acme-web-1", "acme-web-2", "gone-web-2"}


@pytest.mark.parametrize("typed", ["", "yes\n", "acme-web-1\n", "gone-web-1\nacme-web-1\n", "gone-web-1\n"])
def test_without_every_name_typed_all_of_them_stay(up: Stage, typed: str) -> None:
    stray(up)
    stray(up, "gone-web-1", "gone")
    before = names(up)
    result = up.otto("reap", "gone-web-1", "acme-web-9", typed=typed)
    assert result.exit_code == 1
    assert "nothing was removed: that was not confirmed" in result.stderr
    assert names(up) == before
    assert reaped(up) == []


def test_yes_asks_nothing_and_json_tells_what_went(up: Stage) -> None:
    host = stray(up)
    stray(up, "gone-web-1", "gone")
    document = json.loads(up.otto("reap", host.id, "--yes", "--json").stdout)
    check("reap", document)
    assert [item["id"] for item in document["reaped"]] == [host.id]
    assert [item["name"] for item in document["orphans"]] == ["gone-web-1"]
    assert "acme-web-9" not in names(up)


@pytest.mark.parametrize("name", ["acme-web-1", "acme-balancer-1", "nobody", "theirs-web-1", ""])
def test_when_one_is_no_orphan_none_of_them_goes(up: Stage, name: str) -> None:
    stray(up, "theirs-web-1", "theirs", owner="somebody else")
    stray(up)
    before = names(up)
    for options in (["--yes"], []):
        result = up.otto("reap", "acme-web-9", name, *options, typed="acme-web-9\n")
        assert result.exit_code == 1
        assert f"'{name}' is no orphan; nothing was removed" in result.stderr
        assert "orphans: acme-web-9" in result.stderr
        assert names(up) == before
    assert reaped(up) == []


def test_all_that_are_no_orphans_are_named_at_once(up: Stage) -> None:
    stray(up)
    result = up.otto("reap", "nobody", "acme-web-9", "acme-web-1", "--yes")
    assert "'nobody', 'acme-web-1' are no orphans; nothing was removed" in result.stderr
    assert len(names(up)) == 4


def test_the_digits_of_an_id_that_are_shown_name_it(up: Stage) -> None:
    host = LiveHost("f1e7cd325b70aaaa", "acme-web-9", "acme", "web", HostState.RUNNING)
    other = replace(host, id="f1e7cd325b71aaaa")
    strays = Strays((host, other), {})
    assert strays.chosen(["f1e7cd325b70"]) == (host,)
    for few in ("f1e7", "f1e7cd325b7"):
        with pytest.raises(UsageError, match="is no orphan"):
            strays.chosen([few])


def test_what_goes_is_on_record_before_and_after(up: Stage) -> None:
    host = stray(up)
    result = up.otto("reap", "acme-web-9", "--yes", "--by", "eve", "--note", "left over from a test")
    assert result.exit_code == 0, result.output
    entries = reaped(up)
    assert [(entry.what, entry.who, entry.site, entry.reason) for entry in entries] == [
        ("reap", "eve", "acme", "left over from a test")
    ] * 2
    assert [entry.detail["result"] for entry in entries] == ["asked", "removed"]
    assert {entry.detail["id"] for entry in entries} == {host.id}
    assert {entry.detail["as"] for entry in entries} == {speaking.account()}
    assert entries[0].summary == "remove orphan acme-web-9"


def test_who_says_no_name_is_on_record_by_their_account(up: Stage) -> None:
    stray(up)
    assert up.otto("reap", "acme-web-9", "--yes").exit_code == 0
    assert [(entry.who, entry.reason) for entry in reaped(up)] == [(speaking.account(), "")] * 2


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--by", " "], "the name is empty"),
        (["--by", "\x1b[31m"], "the name holds characters that do not print"),
        (["--note", "x" * 501], "the reason is 501 characters long"),
    ],
)
def test_what_no_record_may_hold_is_refused_before_anything_goes(
    up: Stage, words: list[str], told: str
) -> None:
    stray(up)
    result = up.otto("reap", "acme-web-9", "--yes", *words)
    assert result.exit_code == 1
    assert told in result.stderr
    assert "acme-web-9" in names(up)
    assert reaped(up) == []


def test_what_cannot_be_recorded_is_not_removed(up: Stage) -> None:
    stray(up)
    up.world.ledger.failures.next("append", TransientError("the disk is full"))
    result = up.otto("reap", "acme-web-9", "--yes")
    assert result.exit_code == 1
    assert "the disk is full" in result.stderr
    assert "acme-web-9" in names(up)


def test_one_that_cannot_be_removed_ends_it_and_is_on_record(up: Stage) -> None:
    for number in (7, 8, 9):
        stray(up, f"acme-web-{number}")
    up.world.infrastructure.failures.next("remove:acme-web-8", TransientError("the provider is down"))
    result = up.otto("reap", "acme-web-7", "acme-web-8", "acme-web-9", "--yes")
    assert result.exit_code == 1
    assert "acme-web-8 was not removed: the provider is down; 1 host removed before (acme-web-7)" in " ".join(
        result.stderr.split()
    )
    assert names(up) >= {"acme-web-8", "acme-web-9"}
    assert "acme-web-7" not in names(up)
    results = [entry.detail["result"] for entry in reaped(up)]
    assert results == ["asked", "removed", "asked", "failed"]


def test_a_host_of_a_lost_state_is_wanted_and_no_orphan(up: Stage) -> None:
    up.world.infrastructure.forget_state("acme")
    assert json.loads(up.otto("orphans", "--json").stdout)["orphans"] == []


def test_hosts_of_a_site_that_no_spec_wants_any_more_are_its_states(up: Stage) -> None:
    up.world.withdraw("acme")
    assert json.loads(up.otto("orphans", "--json").stdout)["orphans"] == []


def test_two_of_one_name_have_to_be_told_apart(up: Stage) -> None:
    first = stray(up)
    stray(up)
    result = up.otto("reap", "acme-web-9", "--yes")
    assert result.exit_code == 1
    assert "several orphans are called 'acme-web-9'" in result.stderr
    assert first.id in result.stderr


def test_a_state_that_cannot_be_read_makes_nobody_an_orphan(up: Stage) -> None:
    stray(up)
    up.world.infrastructure.failures.next("state", TerminalError("the state is torn"))
    result = up.otto("orphans")
    assert result.exit_code == 0
    assert "no orphans" in result.stdout
    assert "not judged: hosts of acme: the state is torn" in result.stdout


def test_a_repository_that_cannot_be_read_judges_nobody(up: Stage) -> None:
    stray(up)
    up.world.source.failures.next("fetch", TransientError("git.example does not answer"))
    result = up.otto("reap", "acme-web-9", "--yes")
    assert result.exit_code == 1
    assert "git.example does not answer" in result.stderr
    assert "acme-web-9" in names(up)


@pytest.mark.parametrize(("worked_on", "judged"), [(True, False), (False, True)])
async def test_a_site_that_is_worked_on_is_not_judged(stage: Stage, *, worked_on: bool, judged: bool) -> None:
    stage.world.push(site_spec())
    stray(stage)
    found = await look(stage.world.kit(), at_work=False)
    assert [host.state for host in found.orphans] == [HostState.RUNNING]
    await stage.world.store.save_status(SiteStatus("acme", Phase.PROVISIONING, stage.world.clock.now()))
    found = await look(stage.world.kit(), at_work=worked_on)
    assert (len(found.orphans) == 1) is judged
    assert ("acme" in found.unjudged) is not judged


def test_what_was_told_of_it_is_corrected_while_no_controller_does(up: Stage) -> None:
    stray(up)
    stray(up, "gone-web-1", "gone")
    live = asyncio.run(up.world.infrastructure.inventory(None))
    told = [host for host in live if host.name in ("acme-web-9", "gone-web-1")]
    asyncio.run(up.world.store.set_value("orphans", json.dumps(to_data(told))))
    assert up.otto("reap", "acme-web-9", "--yes").exit_code == 0
    left = json.loads(up.otto("status", "--json").stdout)["orphans"]
    assert [host["name"] for host in left] == ["gone-web-1"]


def test_hostile_names_are_text(up: Stage) -> None:
    host = stray(up)
    host.name = "[bold red]\x1b]0;owned\x07"
    shown = up.otto("orphans", environ={"FORCE_COLOR": "1", "COLUMNS": "160"}).stdout
    assert "\x1b]0" not in shown
    assert "\x07" not in shown
    assert "[bold red]" in shown
