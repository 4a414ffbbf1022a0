"""The whole life of one site on the lab, told in order: every test goes on where the one before ended."""

from collections.abc import Iterator

import pytest

from otto.model.status import ConditionType, Phase

from .damage import podman
from .harness import Home, Json, ask, eventually, fetch, free_port, step, steps_of

pytestmark = [pytest.mark.lab, pytest.mark.xdist_group("life"), pytest.mark.timeout(600)]

HELLO = "specs/hello.yaml"


@pytest.fixture(scope="module")
def home() -> Iterator[Home]:
    # Its API is asked as from another machine: nobody gets in without a token.
    # A variable that says nothing to the lab makes its images nobody else's on this machine.
    port = str(free_port())
    home = Home.make(OTTO_API_PORT=port, OTTO_API_ANONYMOUS="never", PKR_VAR_vagrant_base=f"life-{port}")
    home.start()
    try:
        yield home
    finally:
        home.close()


def untouched(before: dict[str, dict[str, str]], after: dict[str, dict[str, str]], *hosts: str) -> None:
    for host in hosts:
        assert after[host] == before[host], f"{host} was touched"


def test_two_web_servers_and_a_balancer_come_up_from_the_spec(home: Home) -> None:
    site = home.ready("hello")
    assert [host["role"] for host in site["hosts"]] == ["balancer", "web", "web"]
    assert set(home.containers()) == {"hello-balancer-1", "hello-web-1", "hello-web-2"}
    run = home.runs("hello")[0]
    assert steps_of(run) == ["observe", "plan", "guard", "provision", "configure", "deploy", "verify"]
    home.clone()


def test_every_server_answers_through_the_balancer(home: Home) -> None:
    url = home.ready("hello")["endpoints"][0]["url"]
    answers = [fetch(url, "hello.test") for _ in range(6)]
    assert {status for status, _, _ in answers} == {200}
    assert {headers["x-otto-server"] for _, headers, _ in answers} == {"hello-web-1", "hello-web-2"}
    assert "How this page reached you" in answers[0][2]
    assert fetch(url, "hello.test", "/nosuch")[0] == 404


def test_verify_tests_the_running_site(home: Home) -> None:
    home.otto("verify", "hello")
    assert steps_of(home.runs("hello")[0])[-1] == "verify"


def test_a_second_start_plans_nothing(home: Home) -> None:
    assert home.stop() == 0
    before, hosts = len(home.runs("hello")), home.containers()
    shown = home.otto("up", "--until-ready", "--plain", "--timeout", "20", seconds=60)
    assert "Ready" in shown
    assert len(home.runs("hello")) == before
    assert home.containers() == hosts
    home.start()


def in_turn(change: str) -> list[str]:
    """The steps of a change that reaches two web servers one after the other."""
    return ["set-aside", change, "try", "return", "soak"] * 2


def hosts_of(run: Json, kind: str) -> list[list[str]]:
    """The hosts of every step of a kind, in order."""
    return [item["hosts"] for item in run["steps"] if item["kind"] == kind]


def test_a_content_push_runs_no_terraform_and_configures_nobody(home: Home) -> None:
    before = home.containers()
    home.edit("sites/hello/index.html", "</main>", "<p>Freshly pushed.</p></main>")
    commit, shown = home.push("Say something fresh")
    assert "hello" in shown
    assert "content" in shown
    site = home.ready("hello", commit)
    run = home.runs("hello")[0]
    assert steps_of(run) == ["observe", "plan", "guard", *in_turn("deploy"), "verify"]
    assert step(run, "plan")["detail"]["terraform"] is False
    assert hosts_of(run, "deploy") == [["hello-web-1"], ["hello-web-2"]]
    assert "Freshly pushed." in fetch(site["endpoints"][0]["url"], "hello.test")[2]
    untouched(before, home.containers(), *before)


def test_a_commit_that_touches_nothing_of_a_site_causes_no_work_for_it(home: Home) -> None:
    before = len(home.runs("hello"))
    home.write("README.md", "Our sites.\n")
    _, shown = home.push("Add a readme")
    assert "accepted" not in shown
    assert len(home.runs("hello")) == before


def test_scaling_out_touches_no_existing_host_but_the_balancers_configuration(home: Home) -> None:
    before = home.containers()
    home.edit(HELLO, "count: 2", "count: 3")
    commit, _ = home.push("A third server")
    home.ready("hello", commit)
    run = home.runs("hello")[0]
    assert step(run, "provision")["detail"]["actions"] == ['create module.site.lab_host.hosts["hello-web-3"]']
    assert step(run, "configure")["hosts"] == ["hello-balancer-1", "hello-web-3"]
    assert step(run, "deploy")["hosts"] == ["hello-web-3"]
    untouched(before, home.containers(), *before)


def test_scaling_in_takes_the_last_server_and_tells_the_balancer(home: Home) -> None:
    before = home.containers()
    home.edit(HELLO, "count: 3", "count: 2")
    commit, _ = home.push("Two will do")
    home.ready("hello", commit)
    run = home.runs("hello")[0]
    assert step(run, "provision")["detail"]["actions"] == [
        'scale-in module.site.lab_host.hosts["hello-web-3"]'
    ]
    assert step(run, "configure")["hosts"] == ["hello-balancer-1"]
    assert "deploy" not in steps_of(run)
    assert "hello-web-3" not in home.containers()
    untouched(before, home.containers(), "hello-balancer-1", "hello-web-1", "hello-web-2")


def test_another_algorithm_configures_the_balancer_alone(home: Home) -> None:
    home.edit(HELLO, "algorithm: roundrobin", "algorithm: leastconn")
    commit, _ = home.push("Fewest connections first")
    home.ready("hello", commit)
    run = home.runs("hello")[0]
    assert steps_of(run) == ["observe", "plan", "guard", "configure", "verify"]
    assert step(run, "configure")["hosts"] == ["hello-balancer-1"]
    assert step(run, "plan")["detail"]["terraform"] is False


def test_another_domain_configures_the_web_servers_alone(home: Home) -> None:
    home.edit(HELLO, "- www.hello.test", "- www.hello.test\n    - other.test")
    commit, _ = home.push("Another name")
    site = home.ready("hello", commit)
    run = home.runs("hello")[0]
    assert steps_of(run) == ["observe", "plan", "guard", *in_turn("configure"), "verify"]
    assert hosts_of(run, "configure") == [["hello-web-1"], ["hello-web-2"]]
    assert fetch(site["endpoints"][0]["url"], "other.test")[0] == 200


def test_another_check_is_only_verified(home: Home) -> None:
    home.edit(HELLO, "  checks:\n", "  checks:\n    - path: /glossary.html\n")
    commit, _ = home.push("Check the glossary")
    home.ready("hello", commit)
    assert steps_of(home.runs("hello")[0]) == ["observe", "plan", "guard", "verify"]


def test_a_check_that_fails_is_told_with_request_expected_and_received(home: Home) -> None:
    home.edit(HELLO, "- path: /glossary.html\n", "- path: /glossary.html\n      contains: no such words\n")
    home.push("Expect what is not there")
    site = home.wait_for("taken back", "hello", lambda status: status.message.startswith("the newest"), 90)
    assert site["ready"]
    assert "GET http://" in site["message"]
    assert "no such words" in site["message"]
    home.edit(HELLO, "      contains: no such words\n", "")
    commit, _ = home.push("Expect what is there")
    home.ready("hello", commit)


def test_a_bad_spec_keeps_the_last_good_one_and_says_so(home: Home) -> None:
    home.edit(HELLO, "count: 2", "count: many")
    _, shown = home.push("Break the spec")
    assert "specs/hello.yaml:" in shown
    site = home.wait_for(
        "told that its spec is bad", "hello", lambda status: not status.holds(ConditionType.VALID), 30
    )
    assert site["ready"]
    valid = next(item for item in site["conditions"] if item["type"] == "Valid")
    assert valid["status"] == "False"
    assert "specs/hello.yaml" in valid["message"]
    home.edit(HELLO, "count: many", "count: 2")
    commit, _ = home.push("Mend the spec")
    home.ready("hello", commit)


def test_a_suspended_site_is_left_alone_until_it_is_resumed(home: Home) -> None:
    home.otto("suspend", "hello")
    home.phase("hello", Phase.SUSPENDED)
    runs = len(home.runs("hello"))
    home.edit("sites/hello/index.html", "Freshly pushed.", "Pushed while suspended.")
    commit, _ = home.push("Change while suspended")
    assert len(home.runs("hello")) == runs
    home.otto("resume", "hello")
    site = home.ready("hello", commit)
    assert "Pushed while suspended." in fetch(site["endpoints"][0]["url"], "hello.test")[2]


def test_a_removed_host_is_made_anew(home: Home) -> None:
    before = home.containers()
    home.remove_container("hello-web-1")
    eventually(
        "another hello-web-1",
        lambda: home.containers().get("hello-web-1", before["hello-web-1"]) != before["hello-web-1"],
    )
    home.ready("hello")
    run = next(run for run in home.runs("hello") if "provision" in steps_of(run))
    assert step(run, "provision")["detail"]["actions"] == ['repair module.site.lab_host.hosts["hello-web-1"]']
    untouched(before, home.containers(), "hello-balancer-1", "hello-web-2")


def test_another_site_is_made_changed_and_taken_down_by_http(home: Home) -> None:
    before, url = home.containers(), f"http://127.0.0.1:{home.settings['OTTO_API_PORT']}"
    spec = {"web": {"count": 1}, "content": {"path": "sites/hello"}, "domains": ["hello2.test"]}
    site = {"apiVersion": "otto/v1", "kind": "Site", "metadata": {"name": "hello2"}, "spec": spec}
    there, waiting = f"{url}/site/hello2", "wait=ready&timeout=200"
    assert ask("POST", there, site)[0] == 401
    token = home.json("token", "create", "ci", "--scope", "admin")["secret"]

    status, headers, made = ask("POST", f"{there}?{waiting}", site, token, x_reason="for the summer")
    assert (status, made["ready"], made["file"]) == (201, True, "specs/sites/hello2.yaml"), made
    assert {"hello2-balancer-1", "hello2-web-1"} <= home.containers().keys()
    endpoint = home.ready("hello2", made["commit"])["endpoints"][0]["url"]
    assert fetch(endpoint, "hello2.test")[0] == 200

    other = {"spec": {"domains": ["summer.test"]}}
    assert ask("PATCH", there, other, token)[0] == 428
    status, _, changed = ask("PATCH", f"{there}?{waiting}", other, token, if_match=headers["etag"])
    assert (status, changed["ready"]) == (200, True), changed
    assert changed["digest"] != made["digest"]
    assert fetch(endpoint, "summer.test")[0] == 200
    assert ask("PATCH", there, other, token, if_match=headers["etag"])[0] == 412

    home.git("pull", "-q", "--rebase", "origin", "main")
    assert home.git("log", "-2", "--format=%an: %s").split("\n")[:2] == [
        "ci: Site hello2: spec.domains",
        "ci: Site hello2: new",
    ]
    assert "hello2" in home.otto("--server", url, "--token", token, "logs", "hello2")
    status, _, gone = ask("DELETE", f"{there}?teardown=1&{waiting}", None, token, x_reason="autumn")
    assert (status, gone["ready"]) == (200, True), gone
    assert home.containers() == before
    home.git("pull", "-q", "--rebase", "origin", "main")


def builds(home: Home) -> list[str]:
    """Machines in which images of ours are made, and hosts that try them."""
    labels = (f"label=otto.owner={home.owner}", "label=otto.builds")
    return podman("ps", "-aq", *(f"--filter={label}" for label in labels)).split()


def test_an_image_is_built_and_pruned_from_afar_beside_the_site(home: Home) -> None:
    before = home.containers()
    token = home.json("token", "create", "builder", "--scope", "operate")["secret"]
    afar = ("--server", f"http://127.0.0.1:{home.settings['OTTO_API_PORT']}", "--token", token, "images")
    (made,) = home.json(*afar, "build", "haproxy", seconds=200)["images"]
    try:
        assert (made["name"], made["result"]) == ("haproxy", "built")
        assert made["channels"] == ["candidate", "stable"]
        (again,) = home.json(*afar, "build", "haproxy")["images"]
        assert (again["result"], again["artifact"]) == ("cached", made["artifact"])
        assert "every image is needed" in home.otto(*afar, "prune", "--keep", "0", "--yes")
    finally:
        podman("rmi", made["artifact"])
    said = [(entry["who"], entry["what"]) for entry in home.json("audit", "--limit", "20")["records"]]
    assert {("builder", "build"), ("builder", "promote")} <= set(said)
    assert home.containers() == before


def test_a_controller_that_is_killed_in_the_midst_of_a_build_leaves_nothing_of_it(home: Home) -> None:
    before = home.containers()
    token = home.json("token", "create", "killer", "--scope", "operate")["secret"]
    url = f"http://127.0.0.1:{home.settings['OTTO_API_PORT']}"
    with home.begun("--server", url, "--token", token, "images", "build", "nginx", "--force") as building:
        eventually("a machine to build in", lambda: bool(builds(home)), 60)
        home.kill()
        told, status = building.communicate(timeout=60)[0], building.wait(10)
    assert status == 1
    assert url in told
    assert "Traceback" not in told
    eventually("nothing of the build", lambda: not builds(home), 60)
    assert home.containers() == before
    home.start()
    home.ready("hello")
    assert home.containers() == before


def test_a_vanished_spec_destroys_nothing(home: Home) -> None:
    before = home.containers()
    spec = (home.work / HELLO).read_text()
    (home.work / HELLO).unlink()
    home.push("Remove the spec")
    site = home.phase("hello", Phase.ORPHANED)
    assert "otto destroy hello" in site["message"]
    assert home.containers() == before
    assert fetch(site["endpoints"][0]["url"], "hello.test")[0] == 200
    home.write(HELLO, spec)
    commit, _ = home.push("Bring the spec back")
    home.ready("hello", commit)
    assert home.containers() == before


def test_destroy_asks_for_the_name_and_does_nothing_without_it(home: Home) -> None:
    before = home.containers()
    home.otto("destroy", "hello", status=None)
    assert home.containers() == before


def test_a_destroyed_site_stays_away_until_it_is_resumed(home: Home) -> None:
    home.otto("destroy", "hello", "--yes")
    assert not home.containers()
    home.phase("hello", Phase.DESTROYED)
    home.otto("reconcile", "hello", status=None)
    assert not home.containers()
    home.otto("resume", "hello")
    home.ready("hello")


def test_destroying_all_leaves_nothing_on_the_machine(home: Home) -> None:
    url = home.ready("hello")["endpoints"][0]["url"]
    assert home.stop() == 0
    assert fetch(url, "hello.test")[0] == 200, "sites go on serving without a controller"
    home.otto("destroy", "--all", "--yes")
    assert home.leftovers() == []
