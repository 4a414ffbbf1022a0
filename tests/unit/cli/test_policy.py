"""`otto policy test`: one line a case, an exit status for CI, JSON for programs."""

import json
from pathlib import Path

import pytest
from tests.unit.cli.conftest import Stage
from tests.unit.cli.test_schemas import check
from tests.unit.specs.test_policycases import written

GOOD = "name: replacing asks\nplanFile: plan.json\nexpect: {verdict: NeedsApproval}\n"
BAD = "name: nothing does\nplanFile: plan.json\nexpect: {verdict: Allowed, rules: [guard.made.up]}\n"


def test_all_as_expected(stage: Stage, tmp_path: Path) -> None:
    result = stage.otto("policy", "test", str(written(tmp_path, GOOD)))
    assert (result.exit_code, result.stdout) == (0, "ok      replacing asks\n")
    assert stage.composition.opened == []


def test_something_else_comes_out(stage: Stage, tmp_path: Path) -> None:
    path = written(tmp_path, f"{GOOD}---\n{BAD}")
    result = stage.otto("policy", "test", str(path))
    assert result.exit_code == 1
    good, bad = result.stdout.splitlines()
    assert good == "ok      replacing asks"
    assert bad.startswith(
        f"FAILED  nothing does ({path}:5): expected Allowed with guard.made.up, got NeedsApproval: guard."
    )


def test_a_bad_file(stage: Stage, tmp_path: Path) -> None:
    path = written(tmp_path, f"{GOOD}---\nplanFile: plan.json\nexpect: {{verdict: No}}\n")
    result = stage.otto("policy", "test", str(path))
    assert (result.exit_code, result.stdout) == (2, "")
    assert f"{path}:6:10: there is no such verdict" in result.stderr


@pytest.mark.parametrize(("text", "status"), [(GOOD, 0), (BAD, 1), ("expect: {}", 2)])
def test_json(stage: Stage, tmp_path: Path, text: str, status: int) -> None:
    result = stage.otto("policy", "test", "--json", str(written(tmp_path, text)))
    assert result.exit_code == status
    document = json.loads(result.stdout)
    check("policy-test", document)
    assert [case["passed"] for case in document["cases"]] == [status == 0] * (status < 2)
    assert len(document["problems"]) == (status == 2)


def test_names_of_cases_are_text(stage: Stage, tmp_path: Path) -> None:
    path = written(tmp_path, 'name: "[red]\\e[2Jx"\nplanFile: plan.json\nexpect: {verdict: NeedsApproval}\n')
    assert "[red]" in stage.otto("policy", "test", str(path)).stdout
    assert "\x1b" not in stage.otto("policy", "test", str(path)).stdout
