"""Containers that Podman was killed over while it removed them: listed, and otherwise unknown to it."""

import itertools
import os
import subprocess
import time
from collections.abc import Callable, Iterator

import pytest

from otto.lab import names
from otto.lab.lab import Lab
from otto.lab.workshop import Workshop

Podman = Callable[..., str]

# How long Podman comes before it is killed: at which of them it has begun depends on the machine.
MOMENTS = (0.02, 0.03, 0.04, 0.06, 0.09, 0.12)
TRIES = 120


@pytest.fixture
def removed(lab: Lab, podman: Podman) -> Iterator[Callable[[str], str]]:
    """Remove a container by halves; its id."""
    environment = os.environ | {"CONTAINERS_CONF": str(lab.folder / "containers.conf")}
    made = list[str]()

    def remove(name: str) -> str:
        made.append(name)
        labels = {names.OWNER: lab.owner, names.SITE: "halved", names.HOST: name}
        given = [f"--label={label}={value}" for label, value in labels.items()]
        for moment in itertools.islice(itertools.cycle(MOMENTS), TRIES):
            container = podman("create", "--name", name, *given, lab.image("base"))
            command = ["podman", "rm", "-f", "-t", "0", name]
            with subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL) as removing:
                time.sleep(moment)
                removing.kill()
            told = subprocess.run(
                ["podman", "inspect", name], env=environment, capture_output=True, text=True, check=False
            )
            if "container not known" in told.stderr:
                return container
            podman("rm", "-f", "--ignore", name)
        pytest.fail(f"in {TRIES} tries Podman was never killed at the right moment")

    yield remove
    for name in made:
        podman("rm", "-f", "--ignore", name)


def test_a_half_removed_container_is_none_and_is_removed_to_its_end(
    lab: Lab, podman: Podman, removed: Callable[[str], str]
) -> None:
    name = f"halved-{lab.owner}"
    container = removed(name)
    api = lab.api()
    assert api.list_names(name) == ((container, name),)
    assert [item["Id"] for item in api.list_containers({names.SITE: "halved"})] == [container]
    assert api.container(name) is None
    assert api.list_names(name) == ()
    assert not podman("ps", "-aq", "--filter", f"name={name}")


def test_what_a_killed_build_left_is_swept_away_all_the_same(
    lab: Lab, podman: Podman, removed: Callable[[str], str]
) -> None:
    name = f"otto-{lab.owner}.build-halved"
    removed(name)
    Workshop(lab, "").sweep("halved")
    assert not podman("ps", "-aq", "--filter", f"name={name}")
