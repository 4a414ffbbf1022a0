"""The Terraform module by Terraform's own tests: its contract on mocks, its life on the lab."""

import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from otto import resources
from otto.lab import mirror
from otto.lab.lab import Lab

Terraform = Callable[..., str]


@pytest.fixture(scope="module")
def terraform(tmp_path_factory: pytest.TempPathFactory) -> Terraform:
    folder = tmp_path_factory.mktemp("module")
    made = mirror.ensure(folder / "terraform")
    settings = folder / "rc"
    settings.write_text(mirror.terraformrc(made.path, direct=False))
    copy = folder / "lab"
    shutil.copytree(resources.path("infra", "terraform", "lab"), copy)
    environment = {"PATH": os.environ["PATH"], "TF_CLI_CONFIG_FILE": str(settings), "HOME": str(folder)}

    def run(*arguments: str) -> str:
        done = subprocess.run(
            ["terraform", *arguments],
            cwd=copy,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=240,
            check=False,
        )
        assert done.returncode == 0, done.stdout
        return done.stdout

    run("init", "-no-color")
    return run


def test_it_is_valid_and_formatted(terraform: Terraform) -> None:
    terraform("fmt", "-check", "-recursive")
    assert '"warning_count": 0' in terraform("validate", "-json")


def test_its_contract(terraform: Terraform) -> None:
    assert "Success! 8 passed, 0 failed." in terraform("test", "-no-color")


@pytest.mark.lab
def test_its_life(terraform: Terraform, lab: Lab) -> None:
    socket = lab.provider_configuration()["socket"]
    said = terraform(
        "test",
        "-no-color",
        "-test-directory=tests/real",
        "-var",
        f'settings={{socket="{socket}"}}',
        "-var",
        f"owner={lab.owner}",
    )
    assert "Success! 3 passed, 0 failed." in said
    assert lab.resources("tftest") == ()


def test_the_launcher_is_no_program_for_people(tmp_path: Path) -> None:
    program = next(mirror.ensure(tmp_path).path.rglob("terraform-provider-lab_*"))
    done = subprocess.run([program], capture_output=True, text=True, timeout=30, check=False)
    assert done.returncode == 1
    assert "Terraform starts it" in done.stderr
