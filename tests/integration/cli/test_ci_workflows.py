"""The workflow files of docs/examples, carried out: their own lines, by bash as runners call it, over git."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.integration.git.gitting import Work, git

EXAMPLES = Path(__file__).resolve().parents[3] / "docs" / "examples"
INSTALL = 'pip install "$CONTROLLER_PACKAGE"'
PAGE = "<!doctype html><title>t</title>\n"
SPEC = (
    "apiVersion: otto/v1\nkind: Site\nmetadata: {name: acme}\n"
    "spec:\n  content: {path: sites/acme, validate: error}\n"
)
BROKEN = {"sites/acme/index.html": f"{PAGE}<a href=gone>x</a>", "specs/new.yaml": "kind: Nonsense\n"}


@pytest.fixture
def clone(tmp_path: Path) -> Work:
    """What a runner checks out: a clone whose branch has a remote one to be merged into."""
    origin = Work(tmp_path / "origin")
    origin.commit({"specs/acme.yaml": SPEC, "sites/acme/index.html": PAGE})
    git(tmp_path, "clone", "-q", str(origin.path), "clone")
    work = Work(tmp_path / "clone")
    git(work.path, "checkout", "-q", "-b", "topic")
    return work


def carried_out(work: Work, lines: list[str], **variables: str) -> "subprocess.CompletedProcess[str]":
    """Run a step as the runner does: bash, which ends at the first failure, and no OttO of anybody's."""
    assert lines
    return subprocess.run(
        ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", "\n".join(lines)],
        cwd=work.path,
        env={
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
            "HOME": str(work.path.parent),
            "GIT_CONFIG_GLOBAL": "/dev/null",
        }
        | variables,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def github(event: str) -> Iterator[str]:
    """The lines of the steps that GitHub carries out on an event, but for the installation."""
    workflow: Any = yaml.safe_load((EXAMPLES / "github-actions.yml").read_text())
    for step in workflow["jobs"]["validate"]["steps"]:
        wanted = step.get("if", f"github.event_name == '{event}'") == f"github.event_name == '{event}'"
        if "run" in step and wanted:
            yield from step["run"].splitlines()


def gitlab() -> Iterator[str]:
    job: Any = yaml.safe_load((EXAMPLES / "gitlab-ci.yml").read_text())["otto"]
    yield from [*job["before_script"], *job["script"]]


def test_what_is_installed_is_what_the_repository_says() -> None:
    assert [line for line in github("push") if "otto ci" not in line] == [INSTALL]
    assert [line for line in gitlab() if "otto ci" not in line] == [INSTALL]


@pytest.mark.parametrize("event", ["push", "pull_request"])
def test_github_judges_a_push_and_a_pull_request(clone: Work, event: str) -> None:
    lines = [line for line in github(event) if line != INSTALL]
    good = carried_out(clone, lines, TARGET="main")
    assert (good.returncode, good.stderr) == (0, "")
    assert "all is sound" in good.stdout
    clone.commit(dict(BROKEN))
    bad = carried_out(clone, lines, TARGET="main")
    assert bad.returncode == 1
    assert "::error file=sites/acme/index.html,line=2" in bad.stdout
    assert "::error file=specs/new.yaml,line=1" in bad.stdout
    assert ("accepted  acme  content changed" in bad.stdout) is (event == "pull_request")
    assert (clone.path / ".cache" / "otto").is_dir()


@pytest.mark.parametrize("merge_request", [True, False])
def test_gitlab_judges_a_push_and_a_merge_request(clone: Work, *, merge_request: bool) -> None:
    lines = [line for line in gitlab() if line != INSTALL]
    base = git(clone.path, "rev-parse", "origin/main").strip()
    variables = {"CI_MERGE_REQUEST_DIFF_BASE_SHA": base} if merge_request else {}
    good = carried_out(clone, lines, **variables)
    assert (good.returncode, good.stderr) == (0, "")
    assert json.loads((clone.path / "otto.json").read_text()) == []
    clone.commit(dict(BROKEN))
    bad = carried_out(clone, lines, **variables)
    assert bad.returncode == 1
    found = json.loads((clone.path / "otto.json").read_text())
    assert {item["location"]["path"] for item in found} == {"sites/acme/index.html", "specs/new.yaml"}
