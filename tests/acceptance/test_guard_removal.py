"""What goes and what stays when specs vanish, are buried, or have an end; told in order over one home.

Three small sites. Nothing of them goes but by a tombstone, by `otto destroy`, or by its time to live.
"""

import asyncio
import shutil
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from urllib.parse import urlsplit

import pytest
from tests.integration.notify.receivers import web_server

from otto.model.history import GrantKind
from otto.model.status import Phase

from . import damage
from .ahead import Ahead, at_work
from .guarded import Guarded, spec
from .harness import eventually, fetch, free_port, steps_of
from .journal import Journal
from .remains import hosts, remains

pytestmark = [pytest.mark.lab, pytest.mark.xdist_group("guard-removal"), pytest.mark.timeout(600)]

SITES = ("ant", "bee", "cat")
DRAIN = 4.0
TOMBSTONE = "apiVersion: otto/v1\nkind: Tombstone\nspec: {site: cat, reason: the campaign is over}\n"


@pytest.fixture(scope="module")
def home() -> Iterator[Guarded]:
    home = Guarded.make(
        OTTO_API_PORT=str(free_port()),
        OTTO_LOG_FORMAT="json",
        OTTO_LOOP_INTERVAL="600",
        OTTO_LOOP_DRAINTIMEOUT=str(DRAIN),
        OTTO_SOURCE_INTERVAL="600",
    )
    try:
        commit = home.begin(ant=spec("ant"), bee=spec("bee", {"ttl": "8h"}), cat=spec("cat"))
        for name in SITES:
            home.ready(name, commit)
        yield home
    finally:
        home.close()


def hosts_of(*sites: str) -> list[str]:
    return sorted(f"{site}-{role}-1" for site in sites for role in ("balancer", "web"))


def all_serve(home: Guarded, *sites: str) -> None:
    for name in sites:
        site = home.ready(name, seconds=90)
        assert fetch(site["endpoints"][0]["url"], f"{name}.test")[0] == 200
    assert hosts(home) == hosts_of(*sites)


def is_frozen(home: Guarded, *held: str) -> None:
    """OttO itself has frozen all deletion, once, and keeps these sites."""
    eventually("a freeze", lambda: home.grants(GrantKind.FREEZE), 30)
    (freeze,) = home.grants(GrantKind.FREEZE)
    assert (freeze.origin, freeze.site, freeze.held) == ("source", "", held)
    assert home.metric("otto_frozen") == 1


def thawed(home: Guarded) -> None:
    eventually("a thaw", lambda: not home.grants(GrantKind.FREEZE), 30)
    assert home.metric("otto_frozen") == 0


def empty_commit(home: Guarded) -> str:
    """A commit of nothing at all, that follows none."""
    tree = home.git("hash-object", "-w", "-t", "tree", "/dev/null").strip()
    return home.git("commit-tree", tree, "-m", "Nothing").strip()


# Desired state collapses


def test_an_emptied_folder_freezes_deletions_and_what_breaks_is_healed(home: Guarded) -> None:
    before = home.containers()
    shutil.move(home.work / "specs", home.work.parent / "kept")
    home.push("Oops")
    is_frozen(home, *SITES)
    damage.kill("ant-web-1")(home)
    eventually("ant-web-1 again", lambda: home.containers()["ant-web-1"] != before["ant-web-1"], 60)
    all_serve(home, *SITES)
    assert {name: host["id"] for name, host in home.containers().items()} == {
        name: host["id"] for name, host in before.items()
    }
    assert set(home.verdicts("ant")) == {"Allowed"}


def test_the_freeze_outlives_a_killed_controller_and_is_there_once(home: Guarded) -> None:
    before = home.containers()
    home.again(killed=True)
    is_frozen(home, *SITES)
    all_serve(home, *SITES)
    assert home.containers() == before
    assert len(home.record("freeze")) == 1


def test_a_thaw_of_it_asks_for_a_word_and_without_it_nothing_is_thawed(home: Guarded) -> None:
    home.refuses("that was not confirmed", "thaw", typed="yes\n")
    home.refuses("that was not confirmed", "thaw")
    is_frozen(home, *SITES)


def test_it_thaws_by_itself_when_the_specs_are_back(home: Guarded) -> None:
    before = home.containers()
    shutil.move(home.work.parent / "kept", home.work / "specs")
    commit, _ = home.push("Back again")
    thawed(home)
    for name in SITES:
        home.ready(name, commit)
    assert home.containers() == before
    assert [item.entry.who for item in home.record("thaw")] == ["otto"]


def test_a_forced_push_of_another_branch_takes_nothing_away(home: Guarded) -> None:
    before = home.containers()
    home.git("push", "-q", "--force", "origin", f"{empty_commit(home)}:main")
    is_frozen(home, *SITES)
    all_serve(home, *SITES)
    home.git("push", "-q", "--force", "origin", "HEAD:main")
    thawed(home)
    all_serve(home, *SITES)
    assert home.containers() == before


def test_a_controller_started_over_the_wrong_branch_takes_nothing_away(home: Guarded) -> None:
    before = home.containers()
    home.git("push", "-q", "origin", f"{empty_commit(home)}:refs/heads/elsewhere")
    assert not home.grants(GrantKind.FREEZE)
    home.settings["OTTO_SOURCE_BRANCH"] = "elsewhere"
    home.again()
    is_frozen(home, *SITES)
    all_serve(home, *SITES)
    del home.settings["OTTO_SOURCE_BRANCH"]
    home.again(killed=True)
    thawed(home)
    all_serve(home, *SITES)
    assert home.containers() == before


# One site goes


def test_one_spec_that_is_deleted_makes_an_orphan_that_goes_on_serving(home: Guarded) -> None:
    before = home.containers()
    url = home.ready("cat")["endpoints"][0]["url"]
    (home.work / "specs" / "cat.yaml").unlink()
    home.push("No cat")
    site = home.phase("cat", Phase.ORPHANED)
    assert "otto destroy cat" in site["message"]
    assert [item["kind"] for item in home.json("why", "cat")["blockers"]] == ["orphaned"]
    assert fetch(url, "cat.test")[0] == 200
    assert home.containers() == before
    assert not home.grants(GrantKind.FREEZE)


def test_a_tombstone_waits_while_deletions_are_frozen_whatever_becomes_of_the_controller(
    home: Guarded,
) -> None:
    before = home.containers()
    home.otto("freeze", "--site", "cat", "--reason", "the auditors are here", "--by", "ada")
    home.write("specs/cat.yaml", TOMBSTONE)
    home.push("Bury the cat")
    home.held("cat", "guard.freeze")
    home.again(killed=True)
    site = home.held("cat", "guard.freeze")
    assert site["leaving"] == "tombstone"
    (blocker,) = (item for item in home.json("why", "cat")["blockers"] if item["rule"] == "guard.freeze")
    assert blocker["unblock"] == "otto thaw --site cat"
    assert "the auditors are here" in blocker["what"]
    assert len(home.grants(GrantKind.FREEZE, "cat")) == 1
    assert home.containers() == before
    assert set(home.verdicts("cat")[-1:]) == {"Waiting"}


def test_thawed_the_site_is_drained_first_and_a_killed_controller_goes_on_with_it(home: Guarded) -> None:
    before = home.containers()
    journal = Journal(home.home.parent / "up.log")
    url = fetched_before(home, "cat")
    with a_visitor_who_stays(url):
        home.otto("thaw", "--site", "cat", "--by", "grace", "--reason", "they left")
        journal.wait(
            "the drain",
            lambda line: line.get("event") == "step.started" and line.get("step") == "drain",
            30,
        )
        home.kill()
        assert hosts(home) == hosts_of(*SITES)
        home.again()
        eventually("cat gone", lambda: hosts(home) == hosts_of("ant", "bee"), 60)
    eventually("cat forgotten", lambda: home.peek("cat") is None, 30)
    assert {name: home.containers()[name] for name in hosts_of("ant", "bee")} == {
        name: before[name] for name in hosts_of("ant", "bee")
    }
    assert steps_of(home.runs("cat")[0]) == ["drain", "destroy"]
    assert [run["outcome"] for run in home.runs("cat")].count("running") == 0
    reasons = [item.entry.reason for item in home.record("destroy", "cat")]
    assert set(reasons) == {"tombstone specs/cat.yaml: the campaign is over"}
    assert remains(home, ["ant", "bee"]) == []


def fetched_before(home: Guarded, name: str) -> str:
    site = home.site(name)
    assert site is not None
    url = str(site["endpoints"][0]["url"])
    assert fetch(url, f"{name}.test")[0] == 200
    return url


@contextmanager
def a_visitor_who_stays(url: str) -> Iterator[None]:
    """Somebody who has said half of what he wants, so that a balancer that stops waits for him."""
    where = urlsplit(url)
    with socket.create_connection((where.hostname or "", where.port or 80), 10) as link:
        link.sendall(b"GET / HTTP/1.1\r\nHost: ")
        yield


def test_destroy_wants_the_name_typed_and_a_site_that_is_there(home: Guarded) -> None:
    home.refuses("that was not confirmed", "destroy", "ant", typed="bee\n")
    home.refuses("that was not confirmed", "destroy", "ant", typed="")
    home.refuses("there is no site", "destroy", "dog", "--yes")
    home.refuses("that was not confirmed", "destroy", "--all", typed="yes\n")


def test_destroyed_by_a_person_it_is_drained_first_and_stays_away_after_a_restart(home: Guarded) -> None:
    before = home.containers()
    home.otto("destroy", "ant", "--by", "ada", "--note", "not needed", typed="ant\n")
    assert steps_of(home.runs("ant")[0]) == ["drain", "destroy"]
    asked, done = home.record("destroy", "ant")
    assert (asked.entry.who, asked.entry.reason) == ("ada", "not needed")
    assert (done.entry.who, done.entry.reason) == ("otto", "otto destroy")
    home.again(killed=True)
    home.phase("ant", Phase.DESTROYED)
    all_serve(home, "bee")
    assert home.containers() == {name: before[name] for name in hosts_of("bee")}


# An end that comes by itself


def test_a_site_ends_with_its_time_to_live_after_a_warning_and_no_sooner_than_somebody_put_it_off(
    home: Guarded,
) -> None:
    home.stop()
    asyncio.run(lives_and_ends(home))
    assert home.containers() == {}
    run = home.runs("bee")[0]
    assert steps_of(run) == ["drain", "destroy"]
    assert [item.entry.reason for item in home.record("destroy", "bee")] == ["its time to live is over"]


async def lives_and_ends(home: Guarded) -> None:
    clock = Ahead()
    async with web_server() as told:
        ways = home.home / "ways"
        ways.write_text(f"json://127.0.0.1:{told.port}/\n")
        ways.chmod(0o600)
        home.settings["OTTO_NOTIFY_URLS"] = f"file:{ways}"
        async with at_work(home, clock):
            clock.ahead = timedelta(hours=7, minutes=30)
            await seen("a warning", lambda: told.bodies)
            assert "bee is taken down in" in told.bodies[0]["title"]
            assert "otto extend bee" in told.bodies[0]["message"]
            await asyncio.to_thread(home.otto, "extend", "bee", "1h", "--by", "ada", "--reason", "a demo")
            clock.ahead = timedelta(hours=8, minutes=30)
            await seen("a second warning", lambda: len(told.bodies) > 1)
            assert hosts(home) == hosts_of("bee")
            clock.ahead = timedelta(hours=9, minutes=1)
            await seen("the end", lambda: not hosts(home))
            await asyncio.to_thread(home.phase, "bee", Phase.DESTROYED)


async def seen(what: str, holds: Callable[[], object]) -> None:
    await asyncio.to_thread(eventually, what, holds, 60)


def test_in_the_end_the_audit_record_is_whole(home: Guarded) -> None:
    home.whole()
