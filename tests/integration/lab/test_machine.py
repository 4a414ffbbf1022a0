"""The lab on its machine: its engine, its route, its processes, beside other labs."""

import json
import os
import secrets
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from ipaddress import IPv4Network
from pathlib import Path
from typing import Any

import pytest

from otto.adapters.identity import identity
from otto.config import LabSettings
from otto.lab import engine, pool, processes
from otto.lab.deadline import Deadline
from otto.lab.lab import Lab
from otto.lab.processes import Process
from otto.lab.service import Service

from .conftest import MakeSite, Site

pytestmark = pytest.mark.lab
# Pools of these tests alone: others on this machine use the usual one.
POOLS = ("10.202.16.0/20", "10.202.32.0/20")


@pytest.fixture
def other(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., Lab]]:
    labs: list[Lab] = []

    def make(settings: LabSettings | None = None) -> Lab:
        home = tmp_path_factory.mktemp("other")
        labs.append(Lab(home, identity(home).owner, settings))
        labs[-1].up()
        return labs[-1]

    yield make
    for lab in labs:
        lab.clean()


def test_up_says_what_it_did_and_twice_is_once(tmp_path: Path) -> None:
    lab = Lab(tmp_path, identity(tmp_path).owner, LabSettings(pool=POOLS[0]))
    try:
        first, second = lab.up(), lab.up()
        assert any("added an unreachable route over 10.202.16.0/20" in note for note in first.notes)
        assert second.notes == ()
        assert (second.image_id, second.engine.url) == (first.image_id, first.engine.url)
        status = lab.status()
        assert (status.hosts, status.networks, status.route.present) == ((), (), True)
    finally:
        cleaned = lab.clean()
    assert cleaned.route
    assert not (tmp_path / "lab").exists()
    assert not [*processes.matching(str(tmp_path))]


def test_down_takes_the_route_along_when_no_network_is_left(
    other: Callable[..., Lab], make_site: MakeSite
) -> None:
    lab = other(LabSettings(pool=POOLS[1]))
    make_site(lab, "last").apply()
    lab.down()
    assert pool.look(lab.pool).present
    for resource in reversed(lab.resources("last")):
        lab.remove(resource)
    lab.down()
    assert not pool.look(lab.pool).present


def test_looking_starts_nothing(tmp_path: Path) -> None:
    status = Lab(tmp_path, secrets.token_hex(4)).status()
    assert status.engine is None or not status.engine.ours
    assert not (tmp_path / "lab").exists()


def test_cleaning_nothing(tmp_path: Path) -> None:
    cleaned = Lab(tmp_path, secrets.token_hex(4), LabSettings(pool=POOLS[1])).clean()
    assert (cleaned.hosts, cleaned.networks, cleaned.processes) == ((), (), 0)
    assert not [*processes.matching(str(tmp_path))]


def test_two_owners_side_by_side(lab: Lab, other: Callable[..., Lab], make_site: MakeSite) -> None:
    first, second = make_site(lab, "same"), make_site(other(), "same")
    running = [_started(site) for site in (first, second)]
    for site, child in zip((first, second), running, strict=True):
        assert child.wait(120) == 0, (site.folder / "output").read_text()
    assert first.host()["address"] != second.host()["address"]
    assert [host.owner for host in first.lab.hosts()].count(second.lab.owner) == 0
    second.lab.clean()
    assert first.ssh(first.host(), "true").status == 0
    assert first.plan() == {}


def test_clean_leaves_nothing(other: Callable[..., Lab], make_site: MakeSite) -> None:
    lab = other(LabSettings(pool=POOLS[0]))
    site = make_site(lab, "doomed")
    site.variables["web"]["count"] = 2
    site.apply()
    _exec(lab, site.container())  # leaves a monitor behind
    ids = [host.id for host in lab.hosts()]
    told: list[str] = []
    cleaned = lab.clean(lambda progress: told.append(progress.message))
    assert cleaned.hosts == ("doomed-web-1", "doomed-web-2")
    assert cleaned.networks == (f"otto-{lab.owner}-doomed",)
    assert cleaned.service or not _ours(lab)
    assert cleaned.route
    assert "removed host doomed-web-1" in told
    assert not [found for id_ in ids for found in processes.matching(id_)]
    assert not [*processes.matching(str(lab.home))]
    assert not pool.look(IPv4Network(POOLS[0])).present
    routes = subprocess.run(["ip", "route"], capture_output=True, text=True, timeout=10, check=True).stdout
    assert "10.202." not in routes
    # What is left of the site in Terraform's eyes is nothing, on an engine that is started for the question.
    assert lab.resources("doomed") == ()


def test_the_route_answers_for_hosts_that_are_gone(other: Callable[..., Lab], make_site: MakeSite) -> None:
    site = make_site(other(LabSettings(pool=POOLS[0])), "ghost")
    site.apply()
    address = site.host()["address"]
    site.terraform("destroy", "-auto-approve")
    looked = subprocess.run(
        ["ip", "route", "get", address], capture_output=True, text=True, timeout=10, check=False
    )
    assert looked.returncode != 0
    assert "unreachable" in looked.stderr or "No route to host" in looked.stderr


def test_the_route_comes_back_with_the_next_network(other: Callable[..., Lab], make_site: MakeSite) -> None:
    lab = other(LabSettings(pool=POOLS[1]))
    assert pool.remove_route(lab.pool, []).changed
    make_site(lab, "again").apply()
    assert pool.look(lab.pool).present


def test_a_subnet_the_machine_uses_is_passed_over(other: Callable[..., Lab], make_site: MakeSite) -> None:
    lab = other(LabSettings(pool="10.202.64.0/23"))
    for name in ("one", "two"):
        make_site(lab, name).apply()
    found = {str(subnet) for network in lab.status().networks for subnet in network.subnets}
    assert found == {"10.202.64.0/24", "10.202.65.0/24"}
    full = make_site(lab, "three").terraform("apply", "-auto-approve")
    assert "no subnet of the lab's pool 10.202.64.0/23 is free" in " ".join(full.said.split())


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    """A Podman service of this test's own, whatever engine else runs."""
    service = Service(tmp_path / "lab")
    yield service
    service.stop()
    assert not [*processes.matching(str(tmp_path))]


def test_our_service_outlives_whoever_started_it(service: Service) -> None:
    assert service.ensure()
    found = service.process()
    assert found is not None
    assert os.getsid(found.pid) == found.pid
    assert not service.ensure()
    assert service.stop()
    assert not processes.alive(found)
    assert not service.socket.exists()
    assert not service.stop()


def _kill(service: Service) -> None:
    process = _process(service)
    os.kill(process.pid, signal.SIGKILL)
    assert processes.end(process)


def _freeze(service: Service) -> None:
    process = _process(service)
    os.kill(process.pid, signal.SIGSTOP)
    for _ in Deadline.after(10).every(0.01):  # kill returns before every thread has stopped
        if _stopped(process.pid):
            return
    pytest.fail("Podman does not stop")


def _stopped(pid: int) -> bool:
    states = [
        stat.read_text().rpartition(")")[2].split()[0] for stat in Path(f"/proc/{pid}/task").glob("*/stat")
    ]
    return set(states) == {"T"}


def _forget(service: Service) -> None:
    service.socket.unlink()
    (service.socket.parent / "podman.json").unlink()


def _mistake(service: Service) -> None:
    """A record that names a process which is somebody else's by now."""
    _kill(service)
    record = service.socket.parent / "podman.json"
    record.write_text(json.dumps({"pid": os.getpid(), "started": 1}))


@pytest.mark.parametrize("trouble", [_kill, _freeze, _forget, _mistake])
def test_our_service_comes_back(service: Service, trouble: Callable[[Service], None]) -> None:
    service.ensure()
    trouble(service)
    assert service.ensure()
    assert len([*processes.matching("system", "service", service.url)]) == 1


def test_of_two_starters_one_starts(service: Service) -> None:
    code = (
        "import sys; from pathlib import Path; from otto.lab.service import Service;"
        "print(Service(Path(sys.argv[1])).ensure())"
    )
    command = [sys.executable, "-c", code, str(service.socket.parent)]
    starters = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(3)]
    said = sorted(starter.communicate(timeout=60)[0].strip() for starter in starters)
    assert said == ["False", "False", "True"]


def test_a_home_with_a_long_path(tmp_path: Path) -> None:
    folder = tmp_path / ("long" * 25) / "lab"
    service = Service(folder)
    try:
        assert service.ensure()
        assert engine.find(folder, "", {}) == engine.Engine(service.url, ours=True)
    finally:
        service.stop()
    assert not service.socket.parent.exists()


def test_hosts_go_on_without_the_service(lab: Lab, site: Site) -> None:
    lab.down()
    assert site.ssh(site.host(), "true").status == 0
    lab.up()
    assert [host.state for host in lab.hosts("shop")] == ["running"]


def test_an_interrupted_apply_leaves_nothing_out_of_the_state(lab: Lab, make_site: MakeSite) -> None:
    site = make_site(lab, "cut")
    site.variables["web"]["count"] = 4
    child = _started(site)
    _until(lambda: len(lab.hosts("cut")) > 0)
    child.send_signal(signal.SIGINT)
    assert child.wait(60) == 1
    known = {item["values"]["id"] for item in _state(site) if item["type"] == "lab_host"}
    assert {host.id for host in lab.hosts("cut")} == known
    site.apply()
    assert site.plan() == {}


def test_a_provider_without_its_terraform_ends(lab: Lab, make_site: MakeSite) -> None:
    site = make_site(lab, "orphan")
    site.variables["web"]["count"] = 2
    child = _started(site)
    _until(lambda: len(lab.hosts("orphan")) > 0)
    child.kill()
    child.wait()
    _until(lambda: not [*processes.matching("otto.lab.provider", str(lab.home))])
    # What it had begun can be taken over as it is, half made or whole.
    for resource in lab.resources("orphan"):
        site.terraform("import", f"module.site.{resource.address}", resource.id)
    site.apply()
    assert [host.state for host in lab.hosts("orphan")] == ["running", "running"]


def _exec(lab: Lab, container: str) -> None:
    environment = dict(os.environ) | {"CONTAINERS_CONF": str(lab.folder / "containers.conf")}
    subprocess.run(["podman", "exec", container, "true"], env=environment, timeout=30, check=True)


def _started(site: Site) -> "subprocess.Popen[bytes]":
    command, environment = site.command("apply", "-auto-approve")
    with (site.folder / "output").open("wb") as output:
        return subprocess.Popen(
            command, cwd=site.folder, env=environment, stdout=output, stderr=output, start_new_session=True
        )


def _state(site: Site) -> list[dict[str, Any]]:
    root = json.loads(site.terraform("show", "-json").said)["values"]["root_module"]
    resources: list[dict[str, Any]] = root["child_modules"][0]["resources"]
    return resources


def _process(service: Service) -> Process:
    found = service.process()
    assert found is not None
    return found


def _ours(lab: Lab) -> bool:
    return lab.status().engine is not None


def _until(seen: Callable[[], bool], seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while not seen():
        assert time.monotonic() < end, "it did not come to pass"
