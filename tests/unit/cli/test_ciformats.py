"""A report as CI systems read it; hostile text in it commands nobody."""

import json
from xml.etree import ElementTree as ET

import pytest
from tests.unit.cli.test_schemas import check

from otto.cli.ciformats import Form, document, gitlab, written
from otto.model.inspection import Severity
from otto.model.remark import Remark, Report

BAD = Remark("specs/a.yaml", 3, 5, Severity.ERROR, "spec.invalid", "no, it: is 100% bad", "mend it", "a")
LESS = Remark("sites/a/index.html", 7, 0, Severity.WARNING, "link.missing", "leads nowhere")
WHOLE = Remark("", 0, 0, Severity.WARNING, "change.collapse", "much went")
REPORT = Report(
    "c" * 40, "b" * 40, ("specs/a.yaml", "specs/b.yaml"), ("b",), (BAD, LESS, WHOLE), ("  x",), ("n",)
)
HOSTILE = Remark(
    "a\n::error::x,y", 1, 0, Severity.ERROR, "r", "m\r\n::set-output name=x::y \x1b[31m ##[error]z\x00\ufffe"
)


def test_text() -> None:
    assert written(REPORT, Form.TEXT).splitlines() == [
        "specs/a.yaml:3:5: error: no, it: is 100% bad (mend it)",
        "sites/a/index.html:7: warning: leads nowhere",
        ".: warning: much went",
        "  x",
        "note: n",
        "2 spec files, 1 good site, 1 error, 2 warnings",
    ]
    assert written(Report("c"), Form.TEXT) == "0 spec files, 0 good sites: all is sound\n"


def test_github() -> None:
    assert written(REPORT, Form.GITHUB).splitlines()[:3] == [
        "::error file=specs/a.yaml,line=3,col=5,title=spec.invalid::no, it: is 100%25 bad (mend it)",
        "::warning file=sites/a/index.html,line=7,title=link.missing::leads nowhere",
        "::warning title=change.collapse::much went",
    ]


def test_gitlab() -> None:
    first, second, whole = gitlab(REPORT)
    assert first["severity"] == "major"
    assert second["location"] == {"path": "sites/a/index.html", "lines": {"begin": 7}}
    assert whole["location"] == {"path": ".", "lines": {"begin": 1}}
    assert json.loads(written(REPORT, Form.GITLAB)) == [first, second, whole]


def test_fingerprints_outlive_a_moved_line_and_tell_twins_apart() -> None:
    moved = Remark(LESS.file, 9, 0, LESS.severity, LESS.rule, LESS.message)
    alone, both = gitlab(Report("c", remarks=(moved,))), gitlab(Report("c", remarks=(LESS, moved)))
    assert alone[0]["fingerprint"] == both[0]["fingerprint"] != both[1]["fingerprint"]


def test_junit() -> None:
    top = ET.fromstring(written(REPORT, Form.JUNIT))  # noqa: S314  (ours)
    suite = top[0]
    assert (suite.get("tests"), suite.get("failures")) == ("4", "1")
    failed = [case.get("name") for case in suite if case.find("failure") is not None]
    assert failed == ["specs/a.yaml"]


def test_json() -> None:
    check("ci-validate", json.loads(written(REPORT, Form.JSON)))
    assert document(REPORT)["valid"] is False
    assert document(Report("c"))["valid"] is True


@pytest.mark.parametrize("form", list(Form))
def test_hostile_text_is_harmless_in_every_form(form: Form) -> None:
    body = written(Report("c", remarks=(HOSTILE,), changes=("::stop-commands::x",)), form)
    lines = body.splitlines()
    commands = [line for line in lines if line.lstrip(" ").startswith("::")]
    if form is Form.GITHUB:
        assert len([line for line in lines if line.startswith("::")]) == 1
        assert lines[0].startswith("::error file=a%0A%3A%3Aerror%3A%3Ax%2Cy,")
    elif form is Form.TEXT:
        assert not any(line.startswith("::") for line in commands)
        assert "##[" not in body
    assert "\x1b" not in body
    assert "\x00" not in body
    if form is Form.JUNIT:
        ET.fromstring(body)  # noqa: S314  (ours)
