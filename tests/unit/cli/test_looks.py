"""Commands that have sites worked on, by a controller of their own over the world in memory."""

import json

from tests.unit.cli.conftest import Stage
from typer.testing import Result

from otto.model.errors import TransientError
from otto.model.run import Outcome
from otto.testing import site_spec


def events(result: Result) -> list[dict[str, object]]:
    return [json.loads(line) for line in result.stdout.splitlines()]


def test_reconcile_brings_a_site_up_and_says_what_it_did(stage: Stage) -> None:
    stage.world.push(site_spec())
    result = stage.otto("reconcile", "acme")
    assert result.exit_code == 0, result.output
    lines = result.stdout.splitlines()
    assert any("provision" in line and "create" in line for line in lines)
    assert lines[-1].startswith("✔ acme  provision: ")
    assert stage.composition.opened == ["seed", "kit"]


def test_only_the_sites_named_are_touched(stage: Stage) -> None:
    stage.world.push(site_spec(), site_spec("shop"))
    assert stage.otto("reconcile", "shop").exit_code == 0
    assert {host.name.split("-")[0] for host in stage.world.hosts} == {"shop"}


def steps_of_last_run(stage: Stage, site: str = "acme") -> tuple[str, ...]:
    return tuple(step.kind for step in stage.runs(site)[0].steps)


def test_verify_tests_and_does_nothing_else(stage: Stage) -> None:
    stage.world.push(site_spec())
    assert stage.otto("provision").exit_code == 0
    result = stage.otto("verify")
    assert result.exit_code == 0, result.output
    assert steps_of_last_run(stage) == ("observe", "plan", "guard", "verify")


def test_configure_does_every_host_anew(stage: Stage) -> None:
    stage.world.push(site_spec())
    stage.otto("provision")
    assert stage.otto("configure", "acme").exit_code == 0
    assert steps_of_last_run(stage) == ("observe", "plan", "guard", "configure", "deploy", "verify")


def test_provision_asks_terraform_even_when_nothing_differs(stage: Stage) -> None:
    stage.world.push(site_spec())
    stage.otto("provision")
    before = stage.world.infrastructure.failures.count("plan")
    assert stage.otto("provision", "acme").exit_code == 0
    assert stage.world.infrastructure.failures.count("plan") == before + 1


def test_all_sites_are_meant_when_none_is_named(stage: Stage) -> None:
    stage.world.push(site_spec(), site_spec("shop"))
    result = stage.otto("provision")
    assert result.exit_code == 0, result.output
    assert [line[:6] for line in result.stdout.splitlines() if line.startswith("✔")] == ["✔ acme", "✔ shop"]


def test_a_failed_run_is_told_with_its_reason_and_exit_status(stage: Stage) -> None:
    stage.world.push(site_spec())
    stage.world.infrastructure.failures.next("apply:acme-web-1", TransientError("no room on the host"))
    result = stage.otto("reconcile", "acme")
    assert result.exit_code == 1
    assert "✘ acme  no room on the host" in result.stdout
    assert "otto history acme --run" in result.stdout
    assert "Traceback" not in result.output


def test_failing_checks_are_told_one_by_one(stage: Stage) -> None:
    stage.world.push(site_spec())
    stage.otto("reconcile", "acme")
    stage.world.push(files={"sites/acme/index.html": "<h1>Something else</h1>"})
    result = stage.otto("--set", "loop.verifyDeadline=0", "verify", "acme")
    assert result.exit_code == 1
    assert "expected" in result.stdout
    assert "It works" in result.stdout


def test_json_is_one_event_per_line(stage: Stage) -> None:
    stage.world.push(site_spec())
    result = stage.otto("reconcile", "acme", "--json")
    assert result.exit_code == 0
    found = events(result)
    assert {"status", "step", "answer"} <= {str(item["event"]) for item in found}
    assert found[-1]["ok"] is True
    assert all(item["site"] == "acme" for item in found)


def test_an_unknown_site_is_told_with_close_ones_and_nothing_happens(stage: Stage) -> None:
    stage.world.push(site_spec())
    result = stage.otto("reconcile", "acne")
    assert result.exit_code == 1
    assert "error: there is no site 'acne'" in result.stderr
    assert "did you mean acme?" in result.stderr
    assert not list(stage.world.hosts)


def test_a_suspended_site_fails_when_named_and_is_skipped_when_not(stage: Stage) -> None:
    stage.world.push(site_spec(), site_spec("shop", suspend=True))
    assert stage.otto("provision").exit_code == 0
    result = stage.otto("provision", "shop")
    assert result.exit_code == 1
    assert "Suspended" in result.stdout


def test_a_plan_that_waits_names_the_approval(stage: Stage) -> None:
    stage.world.push(site_spec())
    stage.otto("reconcile", "acme")
    stage.world.images.ids["base"] = "sha256:another"
    result = stage.otto("provision", "acme")
    assert result.exit_code == 1
    plan = stage.runs("acme")[0].plan[:12]
    assert "✘ acme  held by the guard" in result.stdout
    assert f"otto approve acme {plan}" in result.stdout


def test_no_answer_in_time_says_how_far_it_got(stage: Stage) -> None:
    stage.world.push(site_spec())
    stage.world.configuration.failures.hold("configure")
    result = stage.otto("reconcile", "acme", "--timeout", "0")
    assert result.exit_code == 1
    assert "✘ acme  no answer within 0 s; it is" in result.stdout


def test_a_run_that_was_cut_off_is_closed(stage: Stage) -> None:
    stage.world.push(site_spec())
    stage.world.configuration.failures.hold("configure")
    stage.otto("reconcile", "acme", "--timeout", "0")
    assert [run.outcome for run in stage.runs("acme")] == [Outcome.INTERRUPTED]


def test_an_unreadable_repository_stops_before_anything_is_judged(stage: Stage) -> None:
    stage.world.push(site_spec())
    stage.otto("reconcile", "acme")
    stage.world.source.failures.next("fetch", TransientError("git.example does not answer"))
    result = stage.otto("verify")
    assert result.exit_code == 1
    assert "git.example does not answer" in result.stderr


def test_no_spec_at_all_is_said(stage: Stage) -> None:
    stage.world.source.commit({"README": "nothing here"})
    result = stage.otto("provision")
    assert result.exit_code == 0
    assert "no site has a spec" in result.stderr


def test_both_ways_of_showing_progress_at_once_are_refused(stage: Stage) -> None:
    stage.world.push(site_spec())
    result = stage.otto("reconcile", "acme", "--plain", "--json")
    assert result.exit_code == 1
    assert "exclude each other" in result.stderr
