"""A fresh clone, at a path with a space in it, before anything is set up."""

import re
import subprocess
from pathlib import Path

import pytest

from otto import resources

ROOT = resources.root()
GOALS = re.findall(r"^([a-z]+):.*## ", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    target = tmp_path_factory.mktemp("clone") / "my otto"
    subprocess.run(
        ["git", "clone", "--quiet", "--no-local", "--depth=1", f"file://{ROOT}", target],
        check=True,
        timeout=60,
    )
    return target


def make(clone: Path, *words: str) -> subprocess.CompletedProcess[str]:
    command = ["make", "--no-print-directory", *words]
    return subprocess.run(command, cwd=clone, capture_output=True, text=True, timeout=30, check=False)


def test_help_names_every_goal(clone: Path) -> None:
    shown = make(clone)
    assert shown.returncode == 0
    assert [goal for goal in GOALS if f"make {goal}" not in shown.stdout] == []
    assert {"run", "test", "status", "provision", "config", "verify", "destroy", "check", "bench"} <= set(
        GOALS
    )


@pytest.mark.parametrize("goal", GOALS)
def test_goal_can_be_planned_and_hands_its_arguments_on(clone: Path, goal: str) -> None:
    planned = make(clone, "-n", goal, "ARGS=--some-flag")
    assert planned.returncode == 0, planned.stderr
    assert goal in ("clean", "help") or "--some-flag" in planned.stdout


def test_scripts_are_executable_and_need_no_var(clone: Path) -> None:
    for name in ("infra/setup/setup", "infra/setup/venv", "infra/setup/system", ".ci/run", ".ci/check"):
        assert (clone / name).stat().st_mode & 0o111, name
    assert not (clone / "var").exists()


def test_check_refuses_an_unknown_name(clone: Path) -> None:
    refused = subprocess.run(
        [clone / ".ci" / "check", "nonsense"], capture_output=True, text=True, timeout=30, check=False
    )
    assert refused.returncode == 2
    assert "no check called nonsense" in refused.stderr


def test_check_shows_what_a_failed_one_said(clone: Path) -> None:
    (clone / "broken.sh").write_text("#!/bin/bash\necho $1\n", encoding="utf-8")
    subprocess.run(["git", "-C", clone, "add", "broken.sh"], check=True, timeout=10)
    failed = subprocess.run(
        [clone / ".ci" / "check", "shell"], capture_output=True, text=True, timeout=60, check=False
    )
    assert failed.returncode == 1
    assert "SC2086" in failed.stdout
    assert "check: FAILED: shell" in failed.stdout
