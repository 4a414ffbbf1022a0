"""The base image's tag: a digest of all that goes into it."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from otto.lab import image


def ask(folder: Path, option: str) -> str:
    command = ["bash", str(folder / "build-base"), option]
    return subprocess.run(command, capture_output=True, text=True, timeout=30, check=True).stdout.strip()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    copy = tmp_path / "a lab"
    shutil.copytree(image.script().parent, copy)
    return copy


def test_python_and_the_script_agree() -> None:
    assert image.reference() == ask(image.script().parent, "--tag")
    assert re.fullmatch(r"localhost/otto-lab-base:[0-9a-f]{12}", image.reference())


def test_the_tag_does_not_depend_on_the_place(folder: Path) -> None:
    assert ask(folder, "--tag") == image.reference()


def test_modes_and_what_is_no_input_do_not_count(folder: Path) -> None:
    (folder / "packages").chmod(0o600)
    (folder / "containers.conf").write_text("# other settings\n")
    assert ask(folder, "--tag") == image.reference()


@pytest.mark.parametrize(
    "name", ["packages", "masked", "disabled", "finish", "build-base", "files/etc/sudoers.d/otto"]
)
def test_every_input_counts(folder: Path, name: str) -> None:
    with (folder / name).open("a") as file:
        file.write("# more\n")
    assert ask(folder, "--tag") != image.reference()


def test_a_new_file_counts(folder: Path) -> None:
    (folder / "files/etc/motd").write_text("hello\n")
    assert ask(folder, "--tag") != image.reference()


def test_the_image_says_which_it_is() -> None:
    changes = ask(image.script().parent, "--changes").splitlines()
    assert f"LABEL otto.lab.base={image.reference().partition(':')[2]}" in changes
    assert 'CMD ["/sbin/init"]' in changes
