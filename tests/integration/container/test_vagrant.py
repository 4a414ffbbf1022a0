"""The Vagrantfile, as Vagrant reads it; and its docker provider, on Podman."""

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from otto import resources

from .conftest import Controller, eventually, podman, run

pytestmark = pytest.mark.xdist_group("container")
ROOT = resources.root()


@pytest.fixture
def vagrant(tmp_path: Path) -> Callable[..., str]:
    """Vagrant with a home and a state of its own; `docker` is Podman, as Debian's podman-docker has it."""
    if shutil.which("vagrant") is None:
        pytest.fail("no vagrant: apt-get install --no-install-recommends vagrant")
    docker = tmp_path / "bin" / "docker"
    docker.parent.mkdir()
    docker.write_text('#!/bin/sh\nexec podman "$@"\n')
    docker.chmod(0o755)
    own = {
        "PATH": f"{docker.parent}:{os.environ['PATH']}",
        "VAGRANT_HOME": str(tmp_path / "home"),
        "VAGRANT_DOTFILE_PATH": str(tmp_path / "state"),
        "VAGRANT_VAGRANTFILE": str(ROOT / "Vagrantfile"),
        "VAGRANT_CWD": str(ROOT),
        "VAGRANT_CHECKPOINT_DISABLE": "1",
    }

    def call(*words: str, **more: str) -> str:
        return run("vagrant", *words, "--no-color", more=own | more)

    return call


@pytest.fixture
def stand_in(image: str, owner: str) -> Iterator[Controller]:
    """The names and the port of a container that Vagrant makes."""
    made = Controller(image, owner)
    yield made
    made.remove()


def test_is_valid_for_a_virtual_machine(vagrant: Callable[..., str]) -> None:
    # Neither VirtualBox nor libvirt is on the machines this is tested on: their own settings are not read.
    assert "validated successfully" in vagrant("validate", "--ignore-provider")


def test_is_valid_for_docker(vagrant: Callable[..., str]) -> None:
    assert "validated successfully" in vagrant("validate", VAGRANT_DEFAULT_PROVIDER="docker")


def bring_up(vagrant: Callable[..., str], settings: dict[str, str]) -> None:
    """Have Vagrant make its container.

    It asks for every container of every network first, and gives up when one is gone by then: other tests'
    are, now and then.
    """
    for patience in range(5, -1, -1):
        try:
            vagrant("up", "--provider=docker", **settings)
        except AssertionError as error:
            if "no such object" not in str(error) or not patience:
                raise
        else:
            return


@pytest.mark.lab
def test_runs_the_controller_in_a_container(
    vagrant: Callable[..., str], stand_in: Controller, engine_socket: Path
) -> None:
    settings = {
        "OTTO_VM_SOCKET": str(engine_socket),
        "OTTO_VM_IMAGE": stand_in.image,
        "OTTO_VM_NAME": stand_in.name,
        "OTTO_VM_PORT": str(stand_in.port),
        "CLOWD_PROVIDERS": "aws",
    }
    bring_up(vagrant, settings)
    eventually("healthy", stand_in.healthy, 30, stand_in.logs)
    assert "answers at unix:///run/otto/engine.sock" in stand_in.otto(
        "--set", "providers=lab", "doctor", check=False
    )
    vagrant("halt", **settings)
    assert stand_in.exit_status() == 0
    vagrant("destroy", "--force", **settings)
    assert not podman("ps", "--all", "--quiet", "--filter", f"name={stand_in.name}")
