"""`otto orphans`: a fresh list, and the removal of one that was named and asked about."""

import asyncio
import json

import pytest
from tests.unit.cli.conftest import Stage
from tests.unit.cli.test_schemas import check

from otto.cli.seen import Around
from otto.cli.strays import look
from otto.model.canonical import to_data
from otto.model.errors import TerminalError, TransientError
from otto.model.host import HostState
from otto.model.spec import Role
from otto.model.status import Phase, SiteStatus
from otto.testing import site_spec
from otto.testing.hosts import SimHost
from otto.testing.world import OWNER


@pytest.fixture
def up(stage: Stage) -> Stage:
    stage.world.push(site_spec())
    assert stage.otto("reconcile", "acme").exit_code == 0
    return stage


def stray(stage: Stage, name: str = "acme-web-9", site: str = "acme", owner: str = OWNER) -> SimHost:
    return stage.world.hosts.make(name, site, Role.WEB, image="base", size="small", owner=owner)


def names(stage: Stage) -> set[str]:
    return {host.name for host in stage.world.hosts}


def test_there_are_none(up: Stage) -> None:
    result = up.otto("orphans")
    assert result.exit_code == 0
    assert "no orphans" in result.stdout
    document = json.loads(up.otto("orphans", "--json").stdout)
    check("orphans", document)
    assert document == {"orphans": [], "unjudged": [], "removed": None}


def test_before_anything_ran(stage: Stage) -> None:
    result = stage.otto("orphans")
    assert result.exit_code == 1
    assert "OttO has not run over" in result.stderr
    assert stage.composition.opened == []


def test_they_are_listed_with_state_and_age(up: Stage) -> None:
    stray(up)
    up.world.hosts.pause("acme-web-9")
    stray(up, "gone-web-1", "gone")
    stray(up, "theirs-web-1", "theirs", owner="somebody else")
    result = up.otto("orphans", environ={"COLUMNS": "120"})
    assert result.exit_code == 0
    rows = [line.split() for line in result.stdout.splitlines()]
    assert rows[0] == ["HOST", "SITE", "ROLE", "STATE", "AGE", "ADDRESS", "ID"]
    assert rows[1][:4] == ["acme-web-9", "acme", "web", "paused"]
    assert rows[2][:4] == ["gone-web-1", "gone", "web", "running"]
    assert "otto orphans --remove NAME" in result.stdout
    assert "theirs" not in result.stdout
    document = json.loads(up.otto("orphans", "--json").stdout)
    check("orphans", document)
    assert [host["name"] for host in document["orphans"]] == ["acme-web-9", "gone-web-1"]


def test_one_is_removed_when_it_was_named_and_confirmed(up: Stage) -> None:
    stray(up)
    result = up.otto("orphans", "--remove", "acme-web-9", typed="acme-web-9\n")
    assert result.exit_code == 0, result.output
    assert "This removes host acme-web-9 (running at " in result.stderr
    assert "removed acme-web-9" in result.stdout
    assert names(up) == {"acme-balancer-1", "acme-web-1", "acme-web-2"}


@pytest.mark.parametrize("typed", ["", "yes\n", "acme-web-1\n"])
def test_without_its_name_typed_it_stays(up: Stage, typed: str) -> None:
    stray(up)
    result = up.otto("orphans", "--remove", "acme-web-9", typed=typed)
    assert result.exit_code == 1
    assert "nothing was destroyed" in result.stderr
    assert "acme-web-9" in names(up)


def test_yes_asks_nothing_and_json_tells_what_went(up: Stage) -> None:
    host = stray(up)
    document = json.loads(up.otto("orphans", "--remove", host.id, "--yes", "--json").stdout)
    check("orphans", document)
    assert document["removed"]["id"] == host.id
    assert document["orphans"] == []
    assert "acme-web-9" not in names(up)


@pytest.mark.parametrize("name", ["acme-web-1", "acme-balancer-1", "nobody", "theirs-web-1"])
def test_what_is_no_orphan_is_refused(up: Stage, name: str) -> None:
    stray(up, "theirs-web-1", "theirs", owner="somebody else")
    before = names(up)
    result = up.otto("orphans", "--remove", name, "--yes")
    assert result.exit_code == 1
    assert f"'{name}' is no orphan, and is left alone" in result.stderr
    assert names(up) == before


def test_a_host_of_a_lost_state_is_wanted_and_no_orphan(up: Stage) -> None:
    up.world.infrastructure.forget_state("acme")
    assert json.loads(up.otto("orphans", "--json").stdout)["orphans"] == []


def test_hosts_of_a_site_that_no_spec_wants_any_more_are_its_states(up: Stage) -> None:
    up.world.withdraw("acme")
    assert json.loads(up.otto("orphans", "--json").stdout)["orphans"] == []


def test_two_of_one_name_have_to_be_told_apart(up: Stage) -> None:
    first = stray(up)
    stray(up)
    result = up.otto("orphans", "--remove", "acme-web-9", "--yes")
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
    result = up.otto("orphans", "--remove", "acme-web-9", "--yes")
    assert result.exit_code == 1
    assert "git.example does not answer" in result.stderr
    assert "acme-web-9" in names(up)


@pytest.mark.parametrize(("worked_on", "judged"), [(True, False), (False, True)])
async def test_a_site_that_is_worked_on_is_not_judged(stage: Stage, *, worked_on: bool, judged: bool) -> None:
    stage.world.push(site_spec())
    stray(stage)
    found = await look(stage.world.kit(), Around())
    assert [host.state for host in found.orphans] == [HostState.RUNNING]
    await stage.world.store.save_status(SiteStatus("acme", Phase.PROVISIONING, stage.world.clock.now()))
    found = await look(stage.world.kit(), Around(worked_on=worked_on))
    assert (len(found.orphans) == 1) is judged
    assert ("acme" in found.unjudged) is not judged


def test_what_was_told_of_it_is_corrected_while_no_controller_does(up: Stage) -> None:
    stray(up)
    stray(up, "gone-web-1", "gone")
    live = asyncio.run(up.world.infrastructure.inventory(None))
    told = [host for host in live if host.name in ("acme-web-9", "gone-web-1")]
    asyncio.run(up.world.store.set_value("orphans", json.dumps(to_data(told))))
    assert up.otto("orphans", "--remove", "acme-web-9", "--yes").exit_code == 0
    left = json.loads(up.otto("status", "--json").stdout)["orphans"]
    assert [host["name"] for host in left] == ["gone-web-1"]


def test_hostile_names_are_text(up: Stage) -> None:
    host = stray(up)
    host.name = "[bold red]\x1b]0;owned\x07"
    shown = up.otto("orphans", environ={"FORCE_COLOR": "1", "COLUMNS": "160"}).stdout
    assert "\x1b]0" not in shown
    assert "\x07" not in shown
    assert "[bold red]" in shown
