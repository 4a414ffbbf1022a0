"""Several sites from one remote repository, told in order; and a controller that is killed on the way."""

import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from otto.model.status import ConditionType, Phase

from .harness import Home, eventually, fetch, site_spec, steps_of

pytestmark = [pytest.mark.lab, pytest.mark.xdist_group("fleet"), pytest.mark.timeout(600)]


@pytest.fixture(scope="module")
def home() -> Iterator[Home]:
    """A home that follows a remote repository by polling."""
    home = Home.make(OTTO_SOURCE_INTERVAL="2")
    remote = home.home.parent / "remote.git"
    home.settings["OTTO_SOURCE_URL"] = f"file://{remote}"
    subprocess.run(["git", "init", "-q", "--bare", "-b", "main", str(remote)], check=True, timeout=30)
    home.work.mkdir()
    home.git("init", "-q", "-b", "main")
    home.git("remote", "add", "origin", str(remote))
    home.write("sites/small/index.html", "<!doctype html><title>A small site</title><p>A small site.</p>\n")
    home.write("specs/first.yaml", site_spec("first"))
    home.write("specs/second.yaml", site_spec("second", more="  dependsOn: [first]\n"))
    home.push("Two sites")
    try:
        yield home
    finally:
        home.close()


def test_a_killed_controller_carries_on_in_the_middle_of_an_apply(home: Home) -> None:
    home.start()
    children = home.home / "sites" / "first" / "children.json"
    eventually("an apply under way", lambda: "apply" in _text(children), 60)
    home.kill()
    home.start()
    home.ready("first")
    assert set(home.containers()) >= {"first-balancer-1", "first-web-1"}
    assert [run["outcome"] for run in home.runs("first")].count("running") == 0


def test_a_site_waits_for_the_one_it_depends_on_and_then_comes(home: Home) -> None:
    home.ready("second")
    first = next(run for run in reversed(home.runs("first")) if "verify" in steps_of(run))
    second = home.runs("second")[-1]
    assert second["started_at"] >= first["ended_at"]


def test_both_sites_answer_each_by_its_own_balancer(home: Home) -> None:
    for name in ("first", "second"):
        site = home.ready(name)
        status, headers, body = fetch(site["endpoints"][0]["url"], f"{name}.test")
        assert status == 200
        assert headers["x-otto-server"] == f"{name}-web-1"
        assert "A small site." in body


def test_a_bad_spec_holds_up_nobody_else(home: Home) -> None:
    home.edit("specs/first.yaml", "count: 1\n  balancer", "count: 0x\n  balancer")
    home.edit("specs/second.yaml", "algorithm: roundrobin", "algorithm: leastconn")
    commit, _ = home.push("One bad, one good")
    home.ready("second", commit)
    bad = home.wait_for(
        "told that its spec is bad", "first", lambda status: not status.holds(ConditionType.VALID), 30
    )
    assert bad["ready"]
    assert "specs/first.yaml" in bad["message"]


def test_a_killed_process_group_leaves_nothing_twice(home: Home) -> None:
    home.edit("specs/second.yaml", "count: 1\n  balancer", "count: 2\n  balancer")
    home.push("A second server for the second site")
    home.wait_for("configuring", "second", lambda status: status.phase is Phase.CONFIGURING, 90)
    home.kill(group=True)
    home.start()
    home.ready("second")
    assert sorted(home.containers()) == [
        "first-balancer-1",
        "first-web-1",
        "second-balancer-1",
        "second-web-1",
        "second-web-2",
    ]


def test_a_remote_that_is_gone_keeps_the_last_good_revision(home: Home) -> None:
    remote = home.home.parent / "remote.git"
    away = remote.rename(remote.with_name("away.git"))
    eventually("the source's error", lambda: home.json("status")["source"]["error"], 60)
    assert all(site["ready"] for site in home.json("status")["sites"])
    away.rename(remote)
    eventually("the source again", lambda: not home.json("status")["source"]["error"], 60)


def test_a_second_controller_is_refused_and_named(home: Home) -> None:
    assert home.process is not None
    shown = home.otto("up", "--plain", status=1)
    assert str(home.process.pid) in shown


def test_ctrl_c_leaves_the_sites_serving_and_no_process(home: Home) -> None:
    url = home.ready("first")["endpoints"][0]["url"]
    assert home.process is not None
    os.killpg(home.process.pid, signal.SIGINT)
    home.process.wait(60)
    home.process = None
    assert fetch(url, "first.test")[0] == 200
    left = [line for line in home.leftovers() if "otto up" in line or "ansible-playbook" in line]
    assert left == []


def _text(path: Path) -> str:
    try:
        return path.read_text()
    except FileNotFoundError:
        return ""
