"""Policy tests are read from files, judged by the guard itself, and bad files are told with their place."""

import json
from pathlib import Path
from typing import Any

import pytest

from otto.adapters.specs import policycases
from otto.adapters.specs.limits import SpecLimits
from otto.adapters.specs.policycases import NOON, read_cases
from otto.decide.plandata import plan_data, plan_of
from otto.decide.policytest import PolicyResult, run
from otto.model.plan import Action, ActionKind, Circumstances, Plan, Step, StepKind
from otto.model.policy import Limits, Place

REPLACE = Action("lab_host.host", ActionKind.REPLACE, ("image",), "acme-web-1")
PLAN = Plan(
    "acme",
    "",
    (Step(StepKind.PROVISION, ("acme-web-1",), (REPLACE,)),),
    Circumstances(
        "lab", {"acme-web-1": "web", "acme-web-2": "web", "acme-balancer-1": "balancer"}, ("spec",)
    ),
)
PRINTED = {
    "site": "acme",
    "commit": "c" * 40,
    "digest": "d" * 64,
    "differences": [],
    "plan": plan_data(PLAN),
    "verdict": {"kind": "NeedsApproval", "reasons": []},
}
SITE = """
  apiVersion: otto/v1
  kind: Site
  metadata: {name: acme}
  spec:
    content: {path: sites/acme}
    policy: {approval: always}
"""


GOOD = "planFile: plan.json\nexpect: {verdict: Allowed}"


def written(folder: Path, text: str, name: str = "cases.yaml") -> Path:
    (folder / "plan.json").write_text(json.dumps(PRINTED), encoding="utf-8")
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def judged(folder: Path, text: str) -> tuple[PolicyResult, ...]:
    read = read_cases([written(folder, text)])
    assert read.problems == ()
    return run(read.cases)


def problem(folder: Path, text: str) -> str:
    read = read_cases([written(folder, text)])
    (found,) = read.problems
    assert found.file.endswith("cases.yaml")
    return str(found).rpartition("cases.yaml")[2]


def test_a_plan_is_the_same_when_it_is_read_back() -> None:
    assert plan_of(json.loads(json.dumps(PRINTED))) == PLAN
    assert plan_of(plan_data(PLAN)).digest == PLAN.digest


def test_the_guard_judges_each_case(tmp_path: Path) -> None:
    results = judged(
        tmp_path,
        """
- name: replacing asks
  planFile: plan.json
  expect: {verdict: NeedsApproval}
- name: it asks even when all is automatic if the site was protected until now
  planFile: plan.json
  policy: {approval: auto}
  history: {protected: true}
  expect: {verdict: Allowed}
""",
    )
    assert [(item.case.name, item.case.line, item.kind, item.passed) for item in results] == [
        ("replacing asks", 2, "NeedsApproval", True),
        ("it asks even when all is automatic if the site was protected until now", 5, "NeedsApproval", False),
    ]
    assert results[0].case.now == NOON


def test_a_rule_that_is_expected_and_says_nothing_fails_the_case(tmp_path: Path) -> None:
    (result,) = judged(tmp_path, "planFile: plan.json\nexpect: {rules: [guard.nothing.such]}")
    assert (result.passed, result.missing) == (False, ("guard.nothing.such",))
    (good,) = judged(tmp_path, f"planFile: plan.json\nexpect: {{rules: [{result.reasons[0].rule}]}}")
    assert good.passed
    assert good.case.name == f"acme {PLAN.digest[:12]}"


def test_policies_come_from_the_case_from_a_site_or_from_both(tmp_path: Path) -> None:
    (tmp_path / "site.yaml").write_text(SITE.replace("\n  ", "\n"), encoding="utf-8")
    text = f"""
planFile: plan.json
expect: {{verdict: NeedsApproval}}
---
planFile: plan.json
site: {SITE.rstrip()}
expect: {{verdict: NeedsApproval}}
---
planFile: plan.json
site: site.yaml
expect: {{verdict: NeedsApproval}}
---
planFile: plan.json
site: site.yaml
policy: {{approval: auto}}
expect: {{verdict: NeedsApproval}}
"""
    policies = [item.case.policy.site.approval for item in judged(tmp_path, text)]
    assert policies == ["destructive", "always", "always", "auto"]


def test_what_was_printed_may_stand_in_the_case_itself(tmp_path: Path) -> None:
    case = {"plan": PRINTED, "now": "2026-02-01T00:00:00+00:00", "expect": {"verdict": "NeedsApproval"}}
    read = read_cases([written(tmp_path, json.dumps([case, case]), "cases.json")])
    assert read.problems == ()
    assert [item.plan for item in read.cases] == [PLAN, PLAN]


def test_times_need_no_quotation_marks(tmp_path: Path) -> None:
    (result,) = judged(
        tmp_path,
        f"""
planFile: plan.json
now: 2026-01-01T12:00:00Z
history:
  grants:
  - {{kind: approve, site: acme, by: ann, at: 2026-01-01T11:00:00Z, plan: {PLAN.digest}}}
expect: {{verdict: Allowed}}
""",
    )
    assert result.passed, result.verdict


FLEET = """
  apiVersion: otto/v1
  kind: FleetPolicy
  spec:
    places: {lab: {sizes: [small]}}
    siteLimits: {count: 0, reason: nothing goes}
"""


def test_a_fleet_s_policy_may_stand_in_the_case_or_in_a_file(tmp_path: Path) -> None:
    (tmp_path / "fleet.yaml").write_text(FLEET.replace("\n  ", "\n"), encoding="utf-8")
    case = "planFile: plan.json\npolicy: {approval: auto}\nexpect: {rules: [guard.destroy.count]}\nfleet:"
    inline, file = judged(tmp_path, f"{case}{FLEET}\n---\n{case} fleet.yaml")
    for result in (inline, file):
        assert result.passed, result.verdict
        assert result.case.policy.fleet.site_limits == Limits(count=0, reason="nothing goes")
        assert result.case.policy.fleet.places == {"lab": Place(sizes=("small",))}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("expect: {verdict: Allowed}", ':1:1: a case has either "plan" or "planFile"'),
        ("planFile: plan.json\nplan: {}\nexpect: {}", ':1:1: a case has either "plan" or "planFile"'),
        ("- just text", ":1:3: a case has to be a mapping"),
        ("planFile: plan.json\nexpct: {}", ':2:1: unknown field "expct"'),
        ("planFile: plan.json", ":1:1: a case has to say what it expects"),
        ("planFile: plan.json\nexpect: {verdict: Alowed}", 'did you mean "Allowed"?'),
        ("planFile: plan.json\nexpect: {rule: [x]}", ':2:10: unknown field "rule"'),
        ("planFile: plan.json\nexpect: {rules: x}", ":2:1: Expectation.rules"),
        ("planFile: nowhere.json\nexpect: {verdict: Allowed}", "cannot be read: No such file"),
        ("planFile: cases.yaml\nexpect: {verdict: Allowed}", "is not JSON"),
        ("planFile: [x]\nexpect: {verdict: Allowed}", "path of a file"),
        ("plan: {site: acme}\nexpect: {verdict: Allowed}", ":1:1: there is no plan in it"),
        ("plan: {steps: [{kind: fly}]}\nexpect: {verdict: Allowed}", ":1:1: "),
        (
            "planFile: plan.json\npolicy:\n  approval: never\nexpect: {verdict: Allowed}",
            ":3:13: this value is not",
        ),
        (
            "planFile: plan.json\npolicy:\n  aproval: auto\nexpect: {verdict: Allowed}",
            ':3:3: unknown field "aproval"',
        ),
        (
            "planFile: plan.json\nsite: {kind: Site}\nexpect: {verdict: Allowed}",
            "no document of the kind Site",
        ),
        (
            "planFile: plan.json\nsite: nowhere.yaml\nexpect: {verdict: Allowed}",
            "nowhere.yaml: this file cannot be",
        ),
        ("planFile: plan.json\nhistory: {protcted: true}\nexpect: {verdict: Allowed}", 'mean "protected"?'),
        ("planFile: plan.json\nhistory: {protected: 1}\nexpect: {verdict: Allowed}", "History.protected"),
        ("planFile: plan.json\nnow: noon\nexpect: {verdict: Allowed}", ":2:1: "),
        (f"{GOOD}\nnow: 0001-01-01T00:00:00+14:00", ":3:1: datetime: expected a time as ISO 8601"),
        (
            f"{GOOD}\nhistory: {{grants: [{{kind: extend, site: a, by: b, at: 9999-12-31T23:00:00-14:00}}]}}",
            ":3:1: History.grants.0.at: expected a time",
        ),
        (f"{GOOD}\npolicy: {{until: 0001-01-01T00:00:00+14:00}}", "there is no such time"),
        (f"{GOOD}\na/b~c: 1", ':3:1: unknown field "a/b~c"; at /a~1b~0c;'),
        (f'{GOOD}\nsite: "\\ud800.yaml"', ":3:1"),
        ("planFile: plan.json\nfleet: {}\nexpect: {verdict: Allowed}", "no document of the kind FleetPolicy"),
        (
            f"{GOOD}\nfleet: {{apiVersion: otto/v1, kind: FleetPolicy, spec: {{x: 1}}}}",
            'unknown field "x"',
        ),
        ("planFile: plan.json\npolicy: {ttl: 8 hours}\nexpect: {verdict: Allowed}", ":2:15: "),
        ("planFile: [", "this is not YAML"),
        ("planFile: plan.json\nplanFile: plan.json\nexpect: {verdict: Allowed}", "stands here twice"),
        ("", "there is no case in it"),
    ],
)
def test_bad_files(tmp_path: Path, text: str, words: str) -> None:
    assert words in problem(tmp_path, text)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    (found,) = read_cases([tmp_path / "none.yaml"]).problems
    assert "cannot be read: No such file" in found.message


def test_a_bad_spec_in_another_file_is_told_at_its_name(tmp_path: Path) -> None:
    (tmp_path / "site.yaml").write_text(
        SITE.replace("\n  ", "\n").replace("always", "never"), encoding="utf-8"
    )
    told: Any = problem(tmp_path, "planFile: plan.json\nsite: site.yaml\nexpect: {verdict: Allowed}")
    assert told.startswith(":2:1: line 7: this value is not known here")


@pytest.mark.parametrize(
    ("site", "words"),
    [
        ("spec:\n", ":3:1: line 4: "),
        ("spec: [x]\n", ":3:1: line 4: "),
        ("", ':3:1: line 1: missing field "spec"'),
        ("spec:\n  content: {path: a}\n  content: {path: b}\n", "stands here twice"),
        ("spec:\n  policy: {protect: true, protect: true}\n", ":3:1: line 5: "),
        ("spec: {web: {count: many}}\n", ":3:1: line 4: "),
    ],
)
def test_a_bad_site_stays_bad_under_a_policy_of_the_case(tmp_path: Path, site: str, words: str) -> None:
    head = "apiVersion: otto/v1\nkind: Site\nmetadata: {name: acme}\n"
    (tmp_path / "s.yaml").write_text(head + site, encoding="utf-8")
    assert words in problem(tmp_path, f"{GOOD}\nsite: s.yaml\npolicy: {{approval: auto}}")


@pytest.mark.parametrize("field", ["planFile", "site", "fleet"])
def test_a_file_that_is_too_big_is_told_to_be(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, field: str
) -> None:
    monkeypatch.setattr(policycases, "_LIMITS", SpecLimits(size=4000))
    (tmp_path / "big.json").write_text("[" + " " * 4000 + "]", encoding="utf-8")
    case = "expect: {verdict: Allowed}" if field == "planFile" else GOOD
    told = problem(tmp_path, f"{case}\n{field}: big.json")
    assert "big.json: this file is too big" in told
    assert "allowed: at most 4000 bytes" in told
