"""The base image's tag: a digest of all that goes into it."""

import re
import shutil
import subprocess
from pathlib import Path
from typing import cast

import pytest

from otto.lab import image
from otto.lab.api import Api
from otto.lab.containers import Image


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


class Engine:
    """As much of an engine as it takes to import an image."""

    def __init__(self) -> None:
        self.imported: list[tuple[Path, str, list[str]]] = []

    def image(self, reference: str) -> Image | None:
        return Image("sha256:1") if any(item[1] == reference for item in self.imported) else None

    def import_image(self, archive: Path, reference: str, changes: list[str]) -> None:
        self.imported.append((archive, reference, changes))


def test_an_image_that_came_along_is_imported_and_not_built(tmp_path: Path) -> None:
    engine = Engine()
    (tmp_path / image.archive_name()).write_bytes(b"an archive")
    for _ in range(2):
        assert image.ensure(cast("Api", engine), archives=str(tmp_path)) == "sha256:1"
    (imported,) = engine.imported
    assert imported[:2] == (tmp_path / image.archive_name(), image.reference())
    assert 'CMD ["/sbin/init"]' in imported[2]


def test_an_archive_of_another_version_is_not_taken_for_this_one(tmp_path: Path) -> None:
    (tmp_path / "otto-lab-base-000000000000.tar.gz").write_bytes(b"an archive")
    assert image.brought_along(str(tmp_path)) is None
    (tmp_path / image.archive_name()).mkdir()
    assert image.brought_along(str(tmp_path)) is None
    assert image.brought_along("") is None
