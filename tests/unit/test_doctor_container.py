"""The doctor in the controller's own image, as tables over a machine made up of dictionaries."""

import dataclasses
import json
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from otto.cli.doctor import Check, Outside, State, container, place, run_checks, tools
from otto.config import LabSettings, Settings

from .test_doctor import ENGINE, WELL, PaperMachine, without

SETTINGS = Settings(home=Path("/var/lib/otto/home"))
NAMED = dataclasses.replace(SETTINGS, lab=LabSettings(socket="/run/otto/engine.sock"))
ROUTES = ("ip", "-json", "route", "show", "table", "main")


def interface(name: str, index: int, link: int) -> Mapping[str, str]:
    folder = f"/sys/class/net/{name}"
    return {f"{folder}/ifindex": f"{index}\n", f"{folder}/iflink": f"{link}\n"}


MACHINES_OWN = {**interface("lo", 1, 1), **interface("eth0", 2, 2), **interface("veth0", 7, 2)}
ITS_OWN = {**interface("lo", 1, 1), **interface("eth0", 2, 19)}


def image(**changes: object) -> PaperMachine:
    """The image on a machine that lends all it should; `net` are the interfaces' files."""
    net = changes.pop("net", MACHINES_OWN)
    assert isinstance(net, dict)
    there = {str(container.ENTRYPOINT): "", "/proc/sys/fs/inotify/max_user_instances": "1024\n", **net}
    lent: dict[str, object] = {
        "programs": frozenset({"ssh", "ansible-playbook"}),
        "files": {**there, "/proc/meminfo": WELL.files["/proc/meminfo"]},
        "modes": {str(Path(path).parent): 0o755 for path in net},
        "engines": (ENGINE, ""),
        "images": frozenset({"localhost/otto-lab-base:1"}),
        "uid": 1000,
        "hard": 1024,
    }
    return dataclasses.replace(WELL, **lent | changes)  # type: ignore[arg-type]


def test_nothing_is_missed_that_is_the_machines_business() -> None:
    checks = run_checks(image(), SETTINGS)
    assert [check for check in checks if check.state is not State.OK] == []
    names = {check.name for check in checks}
    assert {"Container engine", "Lab base image", "Machine's network", "Terraform"} <= names
    assert names.isdisjoint({"mmdebstrap", "Container runtime", "Firewall tables", "Resource limits"})


def test_outside_the_image_nothing_of_it_is_asked_for() -> None:
    assert "Machine's network" not in {check.name for check in run_checks(WELL, SETTINGS)}


CASES: list[tuple[Callable[[Outside, Settings], Check], PaperMachine, Settings, State, tuple[str, str]]] = [
    (
        container.engine,
        image(engines=("", "")),
        SETTINGS,
        State.FAIL,
        ("none", "--volume /run/podman/podman.sock:/run/podman/podman.sock"),
    ),
    (
        container.engine,
        image(engines=("", "no container engine answers at x")),
        NAMED,
        State.FAIL,
        ("answers at x", ":/run/otto/engine.sock"),
    ),
    (
        container.engine,
        image(engines=("", ""), net={**MACHINES_OWN, "/var/run/docker.sock": ""}),
        SETTINGS,
        State.FAIL,
        ("/var/run/docker.sock is there, but user 1000", "--group-add"),
    ),
    (container.network, image(net=ITS_OWN), SETTINGS, State.WARN, ("container's own", "--network host")),
    (
        container.network,
        image(net=interface("lo", 1, 1)),
        SETTINGS,
        State.WARN,
        ("container's own", "--network host"),
    ),
    (
        container.routes,
        image(outputs={ROUTES: json.dumps([{"dst": "10.203.4.0/24", "dev": "podman1"}])}),
        SETTINGS,
        State.WARN,
        ("without its unreachable route", "as root: ip route add unreachable 10.203.0.0/16"),
    ),
]


@pytest.mark.parametrize(("check", "machine", "settings", "state", "words"), CASES)
def test_check(
    check: Callable[[Outside, Settings], Check],
    machine: PaperMachine,
    settings: Settings,
    state: State,
    words: tuple[str, str],
) -> None:
    result = check(machine, settings)
    found, mend = words
    assert result.state is state, result
    assert found in result.found
    assert mend in result.mend


@pytest.mark.parametrize(
    ("machine", "name", "mend"),
    [
        (image(outputs=without("terraform")), "Terraform", "/opt/terraform/terraform"),
        (image(locked_up=True), "OTTO_HOME", "group 0"),
        (image(programs=frozenset()), "SSH client", "infra/container/build"),
        (image(images=frozenset()), "Lab base image", "on the machine"),
        (image(space=place.GIB), "Disk space", "on the machine"),
    ],
)
def test_the_mend_is_one_that_helps_inside(machine: PaperMachine, name: str, mend: str) -> None:
    check = next(check for check in run_checks(machine, SETTINGS) if check.name == name)
    assert check.state is not State.OK
    assert mend in check.mend
    assert "apt-get" not in check.mend
    assert tools.SET_UP not in check.mend


def test_every_mend_is_for_a_check_that_there_is() -> None:
    names = {check.name for check in run_checks(image(), SETTINGS)}
    assert set(container._MENDS) <= names
