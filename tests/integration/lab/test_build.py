"""Building the base image: cut off in every way, it leaves nothing that stays."""

import os
import shutil
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from otto.lab import image
from otto.lab.files import locked
from otto.model.errors import TransientError
from otto.model.progress import Progress

pytestmark = pytest.mark.lab
WORK = [Path(place) / f"otto-lab-base-{os.getuid()}.work" for place in ("/dev/shm", "/var/tmp")]


def lock() -> Path:
    return Path(ask("--lock-path"))


def ask(option: str) -> str:
    command = ["bash", str(image.script()), option]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=True).stdout.strip()


def leftovers() -> list[Path]:
    return [path for path in WORK if path.exists()]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Inputs of an image that nobody has."""
    copy = tmp_path / "lab"
    shutil.copytree(image.script().parent, copy)
    (copy / "packages").write_text("ca-certificates\n")
    return copy


@contextmanager
def building(folder: Path) -> Iterator["subprocess.Popen[str]"]:
    """A build that has come as far as to unpack packages."""
    command = ["bash", str(folder / "build-base")]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, start_new_session=True) as build:
        assert build.stderr is not None
        said = next((line for line in build.stderr if "extracting archives" in line), "")
        assert said, "the build ended early"
        yield build


def test_a_terminated_build_clears_up(folder: Path) -> None:
    with building(folder) as build:
        assert leftovers()
        os.killpg(build.pid, signal.SIGTERM)
        build.communicate(timeout=60)
    assert build.returncode != 0
    assert not leftovers()
    with locked(lock(), 30, "building"):
        assert not leftovers()


def test_what_a_killed_build_leaves_the_next_one_clears(folder: Path) -> None:
    with building(folder) as build:
        os.killpg(build.pid, signal.SIGKILL)
        build.communicate(timeout=60)
    with locked(lock(), 60, "building"):
        assert leftovers()
        ask("--clean")
    assert not leftovers()


def test_an_interrupted_builder_ends_its_build(folder: Path) -> None:
    def give_up(progress: Progress) -> None:
        if "unpacking" in progress.message:
            raise KeyboardInterrupt

    with locked(lock(), 900, "building") as held, pytest.raises(KeyboardInterrupt):
        image._run(give_up, held)
    assert not leftovers()


def test_builders_wait_for_each_other() -> None:
    with locked(lock(), 900, "building"):
        done = subprocess.run(
            ["flock", "-n", str(lock()), "true"], capture_output=True, timeout=10, check=False
        )
        assert done.returncode == 1
        with (
            pytest.raises(TransientError, match="another process has been building"),
            locked(lock(), 0.1, "building"),
        ):
            pytest.fail("two build")


def test_a_bad_option_says_which_there_are() -> None:
    done = subprocess.run(
        ["bash", str(image.script()), "--what"], capture_output=True, text=True, timeout=10, check=False
    )
    assert done.returncode == 2
    assert "usage: build-base" in done.stderr
