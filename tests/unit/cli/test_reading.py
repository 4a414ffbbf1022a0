"""Commands that read: status, history, plan, diff, inventory."""

import asyncio
import json
from dataclasses import replace

import pytest
from tests.unit.cli.conftest import Stage

from otto.model.canonical import to_data
from otto.model.host import HostState, LiveHost
from otto.model.problem import Problem
from otto.model.rollout import RolloutState, RolloutStatus
from otto.model.spec import Check, HostGroup
from otto.model.strategy import Amount, Rollout
from otto.testing import START, site_spec

HOSTILE = "[bold red]\x1b]0;owned\x07 [link=http://evil.example]x[/link]"


@pytest.fixture
def up(stage: Stage) -> Stage:
    """A site that is up; nobody looks after it any more."""
    stage.world.push(site_spec(labels={"team": "web"}))
    assert stage.otto("reconcile", "acme").exit_code == 0
    stage.composition.opened.clear()
    return stage


def test_status_before_anything_ran(stage: Stage) -> None:
    result = stage.otto("status")
    assert result.exit_code == 0
    assert "no sites over" in result.stdout
    assert json.loads(stage.otto("status", "--json").stdout)["sites"] == []
    assert stage.composition.opened == []


def test_status_of_one_before_anything_ran_is_an_error(stage: Stage) -> None:
    result = stage.otto("status", "acme")
    assert result.exit_code == 1
    assert "OttO has not run over" in result.stderr
    assert "otto up" in result.stderr


def test_status_lists_sites_and_says_that_no_controller_runs(up: Stage) -> None:
    result = up.otto("status")
    assert result.exit_code == 0
    lines = result.stdout.splitlines()
    assert lines[0].split() == ["SITE", "PHASE", "READY", "FOR"]
    assert lines[1].split()[:3] == ["acme", "Ready", "yes"]
    assert "http://10.203." in lines[1]
    assert "no controller is running" in result.stdout
    assert up.composition.opened == ["store"]


def test_status_fits_80_columns(up: Stage) -> None:
    for words in (["status"], ["status", "acme"], ["history", "acme"]):
        assert max(map(len, up.otto(*words).stdout.splitlines())) <= 80, words


def test_status_of_one_is_3_when_it_is_not_ready(up: Stage) -> None:
    assert up.otto("status", "acme").exit_code == 0
    up.world.push(site_spec(), site_spec("shop", checks=(Check("/", contains="nowhere to be found"),)))
    up.otto("--set", "loop.verifyDeadline=0", "reconcile", "shop")
    result = up.otto("status", "shop", environ={"COLUMNS": "200"})
    assert result.exit_code == 3
    assert "nowhere to be found" in result.stdout


def test_status_of_one_shows_conditions_and_hosts(up: Stage) -> None:
    shown = up.otto("status", "acme").stdout
    for words in ("Provisioned", "Serving", "acme-web-2", "balancer", "team=web", "last run"):
        assert words in shown


def test_status_json_holds_what_the_issue_names(up: Stage) -> None:
    document = json.loads(up.otto("status", "--json").stdout)
    site = document["sites"][0]
    assert (site["name"], site["ready"], site["phase"]) == ("acme", True, "Ready")
    assert {item["type"] for item in site["conditions"]} >= {"Valid", "Ready", "Serving", "InSync"}
    assert site["endpoints"][0]["url"].startswith("http://")
    assert [host["name"] for host in site["hosts"]] == ["acme-balancer-1", "acme-web-1", "acme-web-2"]
    assert len(site["commit"]) == 40
    assert len(site["digest"]) == 64
    assert document["source"]["commit"] == site["commit"]
    assert document["controller"] == {"running": False, "pid": None, "version": None}


ORPHANS = [
    LiveHost(f"i-{n}", f"acme-web-{n}", "acme", "web", HostState.RUNNING, f"10.203.0.{n}") for n in (8, 9)
]
LOOSE = Problem("specs/x.yaml", 1, 1, "", "names no site", mend="give it metadata.name")


def test_status_shows_orphans_and_what_to_do(up: Stage) -> None:
    assert json.loads(up.otto("status", "--json").stdout)["orphans"] == []
    asyncio.run(up.world.store.set_value("orphans", json.dumps(to_data(ORPHANS))))
    shown = " ".join(up.otto("status").stdout.split())
    assert "2 hosts that no spec and no state owns: acme-web-8, acme-web-9" in shown
    assert "otto orphans" in shown
    found = json.loads(up.otto("status", "--json").stdout)["orphans"]
    assert [(host["id"], host["state"], host["address"]) for host in found] == [
        ("i-8", "running", "10.203.0.8"),
        ("i-9", "running", "10.203.0.9"),
    ]


def test_status_shows_spec_files_that_belong_to_no_site(up: Stage) -> None:
    assert json.loads(up.otto("status", "--json").stdout)["problems"] == []
    asyncio.run(up.world.store.set_value("problems", json.dumps(to_data([LOOSE] * 7))))
    shown = " ".join(up.otto("status").stdout.split())
    assert shown.count("spec of no site: specs/x.yaml:1:1: names no site; give it metadata.name") == 5
    assert "2 more problems" in shown
    assert json.loads(up.otto("status", "--json").stdout)["problems"][0]["file"] == "specs/x.yaml"


def test_a_pushed_file_that_belongs_to_no_site_is_shown_until_it_is_mended(up: Stage) -> None:
    up.world.push(files={"specs/x.yaml": "not even JSON"})
    assert up.otto("reconcile", "acme").exit_code == 0
    assert "spec of no site: specs/x.yaml:1:1: cannot be read" in " ".join(up.otto("status").stdout.split())
    up.world.push(files={"specs/x.yaml": None})
    assert up.otto("reconcile", "acme").exit_code == 0
    assert "spec of no site" not in up.otto("status").stdout


@pytest.mark.parametrize("told", ["", "no json", "{}", '[{"id": 7}]', "[null, 3]"])
def test_what_was_told_and_cannot_be_read_was_not_told(up: Stage, told: str) -> None:
    for key in ("orphans", "problems"):
        asyncio.run(up.world.store.set_value(key, told))
    document = json.loads(up.otto("status", "--json").stdout)
    assert (document["orphans"], document["problems"]) == ([], [])


def test_status_names_a_source_that_fails(up: Stage) -> None:
    asyncio.run(up.world.store.set_value("source", json.dumps({"commit": "", "error": "host not found"})))
    assert "source: host not found" in up.otto("status").stdout


def test_status_and_why_name_what_nobody_known_has_signed(up: Stage) -> None:
    told = {"commit": "abc", "error": "", "unsigned": "commit abc is refused: it is not signed"}
    asyncio.run(up.world.store.set_value("source", json.dumps(told)))
    words = "commit abc is refused: it is not signed"
    assert f"not deployed: {words}" in up.otto("status").stdout
    assert json.loads(up.otto("status", "--json").stdout)["source"]["unsigned"] == words
    assert words in " ".join(up.otto("why", "acme").stdout.split())
    kinds = [blocker["kind"] for blocker in json.loads(up.otto("why", "acme", "--json").stdout)["blockers"]]
    assert "signature" in kinds


def test_a_spec_that_nobody_looked_at_yet_is_pending(up: Stage) -> None:
    up.world.push(site_spec("shop"))
    up.otto("reconcile", "acme")
    assert "shop  Pending" in up.otto("status").stdout


def test_words_of_others_are_text_and_nothing_else(up: Stage) -> None:
    status = asyncio.run(up.world.store.status("acme"))
    assert status
    asyncio.run(up.world.store.save_status(replace(status, message=HOSTILE, labels={"a": HOSTILE})))
    asyncio.run(up.world.store.set_value("orphans", json.dumps(to_data([replace(ORPHANS[0], name=HOSTILE)]))))
    asyncio.run(up.world.store.set_value("problems", json.dumps(to_data([replace(LOOSE, message=HOSTILE)]))))
    for words in (["status"], ["status", "acme"], ["status", "--json"]):
        shown = up.otto(*words, environ={"FORCE_COLOR": "1", "COLUMNS": "200"}).stdout
        assert "\x1b]0" not in shown
        assert "\x07" not in shown
        assert "[bold red]" in shown
        assert "[link=http://evil.example]" in shown


def test_history_lists_runs_newest_first(up: Stage) -> None:
    up.otto("verify", "acme")
    lines = up.otto("history", "acme", environ={"COLUMNS": "140"}).stdout.splitlines()
    assert lines[0].split() == ["RUN", "AGO", "TOOK", "CAUSE", "OUTCOME", "WHAT"]
    rows = [line for line in lines[1:] if not line.startswith(" ")]
    assert [run.id for run in up.runs("acme")] == [line.split()[0] for line in rows]
    assert "provision, configure, deploy, verify" in rows[-1]
    assert len(up.otto("history", "acme", "--limit", "1").stdout.splitlines()) < len(lines)


def test_history_of_one_run_shows_its_steps(up: Stage) -> None:
    run = up.runs("acme")[0]
    shown = up.otto("history", "acme", "--run", run.id[:20], environ={"COLUMNS": "140"}).stdout
    for words in ("provision", "configure", "hosts: acme-balancer-1", "4 create", run.plan):
        assert words in shown
    document = json.loads(up.otto("history", "acme", "--run", run.id, "--json").stdout)
    assert [step["kind"] for step in document["runs"][0]["steps"]][:3] == ["observe", "plan", "guard"]


@pytest.mark.parametrize(
    ("words", "told"),
    [(["nobody"], "there is no site 'nobody'"), (["acme", "--run", "1999"], "acme has no run '1999'")],
)
def test_history_of_nothing(up: Stage, words: list[str], told: str) -> None:
    result = up.otto("history", *words)
    assert result.exit_code == 1
    assert told in result.stderr


def test_a_prefix_of_many_runs_names_them(up: Stage) -> None:
    up.otto("verify", "acme")
    result = up.otto("history", "acme", "--run", "20")
    assert result.exit_code == 1
    assert "fits 2 runs" in result.stderr


def test_a_site_as_its_spec_says_has_no_difference_and_no_plan(up: Stage) -> None:
    assert up.otto("diff", "acme", "--exit-code").exit_code == 0
    result = up.otto("plan", "acme", "--exit-code")
    assert result.exit_code == 0
    assert result.stdout == "acme: nothing to do, 0 differences\n"


def test_plan_shows_steps_actions_and_verdict_and_changes_nothing(up: Stage) -> None:
    up.world.images.ids["base"] = "sha256:another"
    before = {host.id for host in up.world.hosts}
    result = up.otto("plan", "acme", "--exit-code", environ={"COLUMNS": "120"})
    assert result.exit_code == 4
    for words in ("plan ", "provision", "± replace", "acme-web-1", "needs approval", "otto approve acme"):
        assert words in result.stdout
    assert {host.id for host in up.world.hosts} == before
    assert len(up.runs("acme")) == 1


def test_plan_json_holds_digest_steps_and_verdict(up: Stage) -> None:
    up.world.push(site_spec(web=HostGroup(3, "small", "base")))
    document = json.loads(up.otto("plan", "acme", "--json").stdout)
    assert [step["kind"] for step in document["plan"]["steps"]] == [
        "provision",
        "configure",
        "deploy",
        "verify",
    ]
    assert (document["verdict"]["kind"], document["verdict"]["reasons"]) == ("Allowed", [])
    assert document["verdict"]["warnings"] == []
    assert document["plan"]["steps"][0]["actions"][0]["type"] == "lab_host"
    assert document["differences"]


def test_diff_shows_what_is_wanted_and_what_is_there(up: Stage) -> None:
    up.world.hosts["acme-web-1"].files["/etc/nginx/nginx.conf"] = "edited"
    result = up.otto("diff", "acme", "--exit-code", environ={"COLUMNS": "160"})
    assert result.exit_code == 4
    assert "acme-web-1" in result.stdout
    assert "drift" in result.stdout
    assert json.loads(up.otto("diff", "acme", "--json").stdout)["differences"][0]["cause"] == "drift"


def test_plan_of_an_unknown_site(up: Stage) -> None:
    result = up.otto("plan", "nobody")
    assert result.exit_code == 1
    assert "no spec describes a site 'nobody'" in result.stderr


def test_inventory_follows_ansibles_convention(up: Stage) -> None:
    listed = json.loads(up.otto("inventory", "--list").stdout)
    assert listed["web"]["hosts"] == ["acme-web-1", "acme-web-2"]
    variables = listed["_meta"]["hostvars"]["acme-web-1"]
    assert variables["ansible_ssh_private_key_file"].endswith("keys/id_ed25519")
    assert f'UserKnownHostsFile="{up.home}/keys/hosts/acme-web-1"' in variables["ansible_ssh_common_args"]
    assert (up.home / "keys" / "hosts" / "acme-web-1").stat().st_mode & 0o777 == 0o600
    assert json.loads(up.otto("inventory", "--host", "acme-web-1").stdout) == variables
    assert up.otto("inventory").exit_code == 2
    assert up.otto("inventory", "--host", "nobody").exit_code == 1


def test_a_bad_spec_over_a_good_one_is_told_in_the_table(up: Stage) -> None:
    status = asyncio.run(up.world.store.status("acme"))
    assert status
    bad = Problem("specs/acme.yaml", 3, 5, "/spec/web/count", "too many")
    message = f"newest spec is bad, the last good one is in force: {bad}"
    asyncio.run(up.world.store.save_status(replace(status, message=message)))
    lines = up.otto("status").stdout.splitlines()
    assert lines[1].split()[:3] == ["acme", "Ready", "yes"]
    assert any("newest spec is bad" in line for line in lines)


def test_status_tells_how_far_a_rollout_is(up: Stage) -> None:
    known = asyncio.run(up.world.store.status("acme"))
    assert known is not None
    batches = (("acme-web-1",), ("acme-web-2",))
    rollout = RolloutStatus("acme", "d", RolloutState.RUNNING, START, batches, ("acme-web-1",))
    rollout = replace(rollout, current=("acme-web-2",), moment="soak")
    asyncio.run(up.world.store.save_status(replace(known, rollout=rollout)))
    for words in (["status"], ["status", "acme"]):
        shown = up.otto(*words, environ={"COLUMNS": "120"}).stdout
        assert "rolling out: 1 of 2 servers, soak acme-web-2" in shown, words


def test_a_commit_that_was_taken_back_leaves_the_site_ready_and_is_told(up: Stage) -> None:
    up.world.push(site_spec(checks=(Check("/", contains="nowhere to be found"),)))
    up.otto("--set", "loop.verifyDeadline=0", "reconcile", "acme")
    result = up.otto("status", "acme", environ={"COLUMNS": "300"})
    assert result.exit_code == 0
    assert "the newest commit was taken back: verification failed: / on" in result.stdout
    told = up.otto("why", "acme", environ={"COLUMNS": "300"}).stdout
    assert "quarantined: the newest commit was taken back" in told
    assert "try it again: otto rollout resume acme" in told


def test_history_names_the_steps_of_a_rollout_once(up: Stage) -> None:
    spec = site_spec(rollout=Rollout(batch=Amount(1), soak=0.0))
    up.world.push(spec, files={"sites/acme/index.html": "<h1>It works, anew</h1>"})
    assert up.otto("reconcile", "acme").exit_code == 0
    shown = up.otto("history", "acme", environ={"COLUMNS": "300"}).stdout
    assert "set-aside, deploy, try, return, verify" in shown
