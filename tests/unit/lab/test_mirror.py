"""The provider's version, its launcher and Terraform's settings."""

import os
import shutil
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from otto.lab import mirror

PACKAGE = Path(mirror.__file__).parent.parent


@pytest.fixture
def package(tmp_path: Path) -> Path:
    copy = tmp_path / "otto"
    shutil.copytree(PACKAGE, copy, ignore=shutil.ignore_patterns("__pycache__", "cli", "adapters"))
    return copy


def test_the_same_code_is_the_same_version(package: Path) -> None:
    assert mirror.digest(package, "launcher") == mirror.digest(PACKAGE, "launcher")


@pytest.mark.parametrize("name", ["lab/provider/host.py", "lab/hosts.py", "model/errors.py"])
def test_other_code_is_another_version(package: Path, name: str) -> None:
    before = mirror.digest(package, "launcher")
    (package / name).write_text("# changed\n")
    after = mirror.digest(package, "launcher")
    assert mirror.version_of(before) != mirror.version_of(after)


def test_code_the_provider_does_not_run_is_left_out(package: Path) -> None:
    before = mirror.digest(package, "launcher")
    (package / "reconcile/new.py").write_text("")
    assert mirror.digest(package, "launcher") == before


def test_another_interpreter_is_another_version() -> None:
    launchers = [mirror.launcher_text(p, Path("/s"), Path("/m")) for p in ("/a/python", "/b/python")]
    assert len({mirror.digest(PACKAGE, launcher) for launcher in launchers}) == 2


def test_versions_are_what_terraform_can_read() -> None:
    assert mirror.version_of("f" * 64) == f"0.1.{0xFFFFFFF}"


def test_the_mirror_has_terraforms_layout(tmp_path: Path) -> None:
    made = mirror.ensure(tmp_path)
    place = made.path / "otto.local/otto/lab" / made.version / f"linux_{mirror.architecture()}"
    program = place / f"terraform-provider-lab_v{made.version}"
    assert [*place.iterdir()] == [program]
    assert stat.S_IMODE(program.stat().st_mode) == 0o755
    assert made.required_provider == {"source": "otto.local/otto/lab", "version": made.version}


def test_it_is_written_once(tmp_path: Path) -> None:
    program = next(mirror.ensure(tmp_path).path.rglob("terraform-provider-lab_*"))
    before = program.stat().st_ino
    mirror.ensure(tmp_path)
    assert program.stat().st_ino == before


def test_the_version_before_is_kept_and_older_ones_go(tmp_path: Path) -> None:
    versions = tmp_path / "mirror/otto.local/otto/lab"
    for age, name in ((30, "0.1.3"), (20, "0.1.1"), (10, "0.1.2")):
        (versions / name).mkdir(parents=True)
        os.utime(versions / name, (1_000_000 - age, 1_000_000 - age))
    made = mirror.ensure(tmp_path)
    assert {folder.name for folder in versions.iterdir()} == {made.version, "0.1.2"}


@pytest.mark.parametrize("odd", ["plain", "with space", "with 'quote'", 'with "double"', "with $dollar"])
def test_the_launcher_survives_odd_paths(tmp_path: Path, odd: str) -> None:
    folder = tmp_path / odd
    folder.mkdir()
    python = folder / "python"
    python.write_text(f'#!/bin/sh\nexec {sys.executable} "$@"\n')
    python.chmod(0o755)
    program = folder / "launcher"
    program.write_text(mirror.launcher_text(str(python), PACKAGE.parent, folder / "mirror"))
    program.chmod(0o755)
    environment = {"PATH": "/usr/bin:/bin", "PYTHONPATH": "/nowhere", "PYTHONHOME": "/nowhere"}
    done = subprocess.run([program], env=environment, capture_output=True, text=True, timeout=30, check=False)
    # Found, started, and told apart from Terraform.
    assert (done.returncode, "Terraform starts it" in done.stderr) == (1, True)


def test_settings_for_terraform() -> None:
    assert mirror.terraformrc(Path("/home/lab/mirror")) == (
        "disable_checkpoint = true\n\n"
        "provider_installation {\n"
        "  filesystem_mirror {\n"
        '    path = "/home/lab/mirror"\n'
        '    include = ["otto.local/*/*"]\n'
        "  }\n"
        "  direct {\n"
        '    exclude = ["otto.local/*/*"]\n'
        "  }\n"
        "}\n"
    )


def test_settings_with_mirrors_for_other_providers() -> None:
    text = mirror.terraformrc(Path("/m"), [Path("/aws"), Path("/${odd}")], direct=False)
    assert text.count("filesystem_mirror {") == 3
    assert "direct {" not in text
    assert '"/$${odd}"' in text
