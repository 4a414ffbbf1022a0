"""The adapter over the lab's own provider: real hosts, real drift, real kills."""

import asyncio
import json
import os
import re
import shutil
import signal
import sys
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
import pytest_asyncio

from otto.adapters.goldenimages import GoldenImages
from otto.adapters.identity import identity
from otto.adapters.terraform import TerraformInfrastructure, children, processes
from otto.adapters.terraform.folder import Folder
from otto.cli.labbackend import LabImages
from otto.lab import ssh
from otto.lab.lab import Lab
from otto.model.errors import OttoError, TerminalError
from otto.model.history import Account
from otto.model.host import Host, HostEvent, HostEventKind, HostState, LiveHost
from otto.model.image import Artifact, Channel, Image, Smoke
from otto.model.infrastructure import InfrastructureInputs, ResourceChange
from otto.model.progress import silent
from otto.model.spec import HostGroup, Provider
from otto.testing import MemoryImageIndex

from .conftest import eventually
from .lab_provider import make_infrastructure, make_inputs, make_lab

pytestmark = pytest.mark.lab
ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    lab = make_lab(tmp_path_factory.mktemp("otto"))
    try:
        lab.up()
        yield lab
    finally:
        lab.clean()


@pytest.fixture
def infrastructure(lab: Lab) -> TerraformInfrastructure:
    return make_infrastructure(lab)


@pytest_asyncio.fixture
async def site(request: pytest.FixtureRequest, infrastructure: TerraformInfrastructure) -> AsyncIterator[str]:
    name = re.sub(r"[^a-z]+", "-", request.node.name.removeprefix("test_"))[:30].strip("-")
    yield name
    await infrastructure.destroy(name, Provider.LAB, silent)
    assert not await infrastructure.inventory(name)


async def build(infrastructure: TerraformInfrastructure, site: str, web: int = 1) -> None:
    await infrastructure.apply(await infrastructure.plan(make_inputs(site, web), silent), silent)


def told(changes: tuple[ResourceChange, ...]) -> dict[str, tuple[tuple[str, ...], bool]]:
    return {change.host or change.type: (change.verbs, change.drifted) for change in changes}


async def test_life(infrastructure: TerraformInfrastructure, site: str) -> None:
    plan = await infrastructure.plan(make_inputs(site, 2), silent)
    made = (("create",), False)
    assert told(plan.changes) == {f"{site}-web-1": made, f"{site}-web-2": made, "lab_network": made}
    state = await infrastructure.apply(plan, silent)
    live = await infrastructure.inventory(site)
    assert [(host.name, host.id) for host in state.hosts] == [(host.name, host.id) for host in live]
    assert {(host.provider, host.size) for host in live} == {("lab", "small")}
    assert state.hosts[0].host_key.startswith("ssh-ed25519 ")
    assert not await infrastructure.plan(make_inputs(site, 2), silent)
    assert not await infrastructure.refresh(make_inputs(site, 2), silent)
    fewer = await infrastructure.plan(make_inputs(site, 1), silent)
    assert told(fewer.changes) == {f"{site}-web-2": (("delete",), False)}
    assert len((await infrastructure.apply(fewer, silent)).hosts) == 1


async def test_it_acts_as_this_homes_owner(infrastructure: TerraformInfrastructure, lab: Lab) -> None:
    assert await infrastructure.account(Provider.LAB) == Account(lab.owner, "local")
    with pytest.raises(TerminalError, match="not set up here"):
        await infrastructure.account(Provider.AWS)


async def test_drift(infrastructure: TerraformInfrastructure, lab: Lab, site: str) -> None:
    await build(infrastructure, site, 2)
    first, second = await infrastructure.inventory(site)
    lab.api().remove_container(first.id)
    lab.api().rename_container(second.id, f"renamed-{site}")

    seen = await infrastructure.refresh(make_inputs(site, 2), silent)
    assert told(seen) == {first.name: (("delete",), True), second.name: (("update",), True)}
    assert seen[1].changed == ("container",)
    assert len((await infrastructure.state(site)).hosts) == 2  # type: ignore[union-attr]

    plan = await infrastructure.plan(make_inputs(site, 2), silent)
    assert told(plan.changes) == {first.name: (("create",), True), second.name: (("update",), True)}
    state = await infrastructure.apply(plan, silent)
    assert {host.name for host in await infrastructure.inventory(site)} == {h.name for h in state.hosts}
    assert not await infrastructure.plan(make_inputs(site, 2), silent)


async def test_imports(infrastructure: TerraformInfrastructure, lab: Lab, site: str) -> None:
    async def taken_in() -> None:
        plan = await infrastructure.plan(make_inputs(site), silent)
        found = [change for change in plan.changes if change.host]
        assert [(c.host, c.importing, c.verbs) for c in found] == [(f"{site}-web-1", True, ("no-op",))]
        await infrastructure.apply(plan, silent)
        assert await infrastructure.inventory(site) == before
        assert not await infrastructure.plan(make_inputs(site), silent)

    await build(infrastructure, site)
    before = await infrastructure.inventory(site)
    state = lab.home / "sites" / site / "terraform.tfstate"
    state.unlink()
    await taken_in()
    state.write_text(state.read_text().replace(before[0].id, "0" * 64))
    await taken_in()


async def test_lost_state(infrastructure: TerraformInfrastructure, lab: Lab, site: str) -> None:
    await build(infrastructure, site, 2)
    before = await infrastructure.inventory(site)
    shutil.rmtree(lab.home / "sites" / site)
    assert await infrastructure.state(site) is None

    inputs = make_inputs(site, 2)
    adoptable = await infrastructure.adoptable(inputs)
    assert sorted(item.host for item in adoptable) == ["", f"{site}-web-1", f"{site}-web-2"]
    plan = await infrastructure.plan(inputs, silent)
    assert {change.address for change in plan.changes} == {item.address for item in adoptable}
    assert {(change.verbs, change.importing) for change in plan.changes} == {(("no-op",), True)}
    state = await infrastructure.apply(plan, silent)
    assert await infrastructure.inventory(site) == before
    assert {host.id for host in state.hosts} == {host.id for host in before}
    assert not await infrastructure.adoptable(inputs)
    assert not await infrastructure.plan(inputs, silent)


async def podman(lab: Lab, *words: str) -> str:
    """What somebody does with containers by hand."""
    env = os.environ | {"CONTAINERS_CONF": str(lab.folder / "containers.conf")}
    process = await asyncio.create_subprocess_exec("podman", *words, env=env, stdout=asyncio.subprocess.PIPE)
    said, _ = await process.communicate()
    assert process.returncode == 0
    return said.decode().strip()


@asynccontextmanager
async def orphan(lab: Lab, site: str, owner: str) -> AsyncIterator[LiveHost]:
    """A container that somebody ran by hand, with the labels of a site and an owner."""
    name = f"{site}-web-7"
    labels = {"otto.owner": owner, "otto.site": site, "otto.host": name, "otto.role": "web"}
    words = [f"--label={label}={value}" for label, value in labels.items()]
    host = await podman(
        lab, "run", "-d", "--network=none", "--stop-signal=KILL", *words, lab.image("base"), "sleep", "600"
    )
    try:
        yield LiveHost(host, name, site, "web", HostState.RUNNING)
    finally:
        lab.api().remove_container(host)


async def test_orphan(infrastructure: TerraformInfrastructure, lab: Lab, site: str) -> None:
    await build(infrastructure, site)
    async with orphan(lab, site, lab.owner) as stray:
        assert [host.name for host in await infrastructure.inventory(site)] == [f"{site}-web-1", stray.name]
        assert not await infrastructure.plan(make_inputs(site), silent)
        assert not await infrastructure.adoptable(make_inputs(site))
        await infrastructure.apply(await infrastructure.plan(make_inputs(site, 2), silent), silent)
        assert len(await infrastructure.inventory(site)) == 3

        await infrastructure.remove(stray)
        assert [host.name for host in await infrastructure.inventory(site)] == [
            f"{site}-web-1",
            f"{site}-web-2",
        ]
        await infrastructure.remove(stray)


async def test_stranger(infrastructure: TerraformInfrastructure, lab: Lab, site: str, tmp_path: Path) -> None:
    async with orphan(lab, site, identity(tmp_path).owner) as stranger:
        assert not await infrastructure.inventory(site)
        with pytest.raises(TerminalError, match="does not carry the labels"):
            await infrastructure.remove(stranger)
        assert lab.api().container(stranger.id)


def answers(host: Host) -> bool:
    return ssh.answers(host.address, host.ssh_port)


@pytest.mark.parametrize("harm", ["cut", "paused"])
async def test_replace(infrastructure: TerraformInfrastructure, lab: Lab, site: str, harm: str) -> None:
    await build(infrastructure, site, 2)
    before = await infrastructure.state(site)
    assert before
    first, second = before.hosts
    if harm == "cut":
        lab.api().disconnect_container(first.id, f"otto-{lab.owner}-{site}")
        assert (await infrastructure.inventory(site))[0].state is HostState.RUNNING
    else:
        await podman(lab, "pause", first.id)
    assert not answers(first)

    wanted = replace(make_inputs(site, 2), replace=(first.name, f"{site}-web-9"))
    plan = await infrastructure.plan(wanted, silent)
    (change,) = plan.changes
    assert (change.host, change.verbs, change.reason) == (
        first.name,
        ("delete", "create"),
        "replace_by_request",
    )
    began = time.monotonic()
    after = await infrastructure.apply(plan, silent)
    print(f"replacing a host that is {harm} took {time.monotonic() - began:.1f} s")  # noqa: T201
    made = after.named(first.name)
    assert made
    assert (made.address, made.id == first.id) == (first.address, False)
    assert after.named(second.name) == second
    assert answers(made)
    assert not await infrastructure.plan(make_inputs(site, 2), silent)


@asynccontextmanager
async def another_image(lab: Lab) -> AsyncIterator[str]:
    """An image like the base image, with an id of its own."""
    made = await podman(lab, "create", lab.image("base"), "true")
    try:
        image = await podman(lab, "commit", "-q", "--change", f"LABEL other={lab.owner}", made)
    finally:
        await podman(lab, "rm", made)
    try:
        yield f"sha256:{image}"
    finally:
        await podman(lab, "rmi", image)


def of_image(site: str, image: str, **pinned: str) -> InfrastructureInputs:
    kept = {f"{site}-{name}": of for name, of in pinned.items()}
    return replace(make_inputs(site), web=HostGroup(2, "small", image), pinned=kept)


async def test_another_image_replaces_hosts_but_pinned_ones(
    infrastructure: TerraformInfrastructure, lab: Lab, site: str
) -> None:
    old = lab.image("base")
    await build(infrastructure, site, 2)
    state = await infrastructure.state(site)
    assert state
    assert {host.image for host in state.hosts} == {old}
    async with another_image(lab) as new:
        partly = of_image(site, new, **{"web-2": old})
        plan = await infrastructure.plan(partly, silent)
        (change,) = plan.changes
        assert (change.host, change.verbs) == (f"{site}-web-1", ("delete", "create"))
        assert change.replace_for == ("image",)
        state = await infrastructure.apply(plan, silent)
        images = {f"{site}-web-1": new, f"{site}-web-2": old}
        assert {host.name: host.image for host in state.hosts} == images
        assert {host.name: host.image for host in await infrastructure.inventory(site)} == images
        assert not await infrastructure.plan(partly, silent)
        rest = await infrastructure.plan(of_image(site, new), silent)
        assert told(rest.changes) == {f"{site}-web-2": (("delete", "create"), False)}
        await infrastructure.destroy(site, Provider.LAB, silent)


async def test_another_size_is_given_in_place_but_to_hosts_that_keep_theirs(
    infrastructure: TerraformInfrastructure, site: str
) -> None:
    await build(infrastructure, site, 2)
    before = {host.name: host.id for host in await infrastructure.inventory(site)}
    larger = replace(make_inputs(site), web=HostGroup(2, "medium", "base"))
    plan = await infrastructure.plan(replace(larger, sizes={f"{site}-web-2": "small"}), silent)
    (change,) = plan.changes
    assert (change.host, change.verbs) == (f"{site}-web-1", ("update",))
    assert "size" in change.changed
    state = await infrastructure.apply(plan, silent)
    sizes = {f"{site}-web-1": "medium", f"{site}-web-2": "small"}
    assert {host.name: host.size for host in state.hosts} == sizes
    assert {host.name: host.id for host in await infrastructure.inventory(site)} == before
    rest = await infrastructure.plan(larger, silent)
    assert told(rest.changes) == {f"{site}-web-2": (("update",), False)}
    await infrastructure.destroy(site, Provider.LAB, silent)


async def test_a_lost_host_is_made_from_what_stands_in_and_the_others_stay(
    infrastructure: TerraformInfrastructure, lab: Lab, site: str
) -> None:
    revoked = lab.image("base")
    await build(infrastructure, site, 2)
    before = {host.name: host for host in await infrastructure.inventory(site)}
    lab.api().remove_container(before[f"{site}-web-2"].id)
    async with another_image(lab) as good:
        mended = of_image(site, revoked, **{"web-1": revoked, "web-2": good})
        plan = await infrastructure.plan(mended, silent)
        assert told(plan.changes) == {f"{site}-web-2": (("create",), True)}
        await infrastructure.apply(plan, silent)
        after = {host.name: host for host in await infrastructure.inventory(site)}
        assert after[f"{site}-web-2"].image == good
        assert after[f"{site}-web-1"].id == before[f"{site}-web-1"].id
        assert not await infrastructure.plan(mended, silent)
        # One that answers nothing is made anew by request, whatever else changes: a repair.
        both = of_image(site, revoked, **{"web-1": good, "web-2": good})
        (change,) = (await infrastructure.plan(replace(both, replace=(f"{site}-web-1",)), silent)).changes
        assert (change.host, change.reason) == (f"{site}-web-1", "replace_by_request")
        await infrastructure.destroy(site, Provider.LAB, silent)


async def test_golden_names_stand_for_what_the_engine_has(lab: Lab) -> None:
    index = MemoryImageIndex()
    images = GoldenImages(index, LabImages(lab))
    now = datetime.now(UTC)
    assert await images.resolve(Provider.LAB, "base") == lab.image("base")
    async with another_image(lab) as made:
        artifact = Artifact(made, now, Smoke(passed=True))
        digest = f"sha256:{'1' * 64}"
        await index.add(Image("nginx", digest, "base", now, artifacts={"lab": artifact}))
        await index.point(Channel("nginx", "stable", digest, now, "ada"))
        assert await images.resolve(Provider.LAB, "nginx") == made
    with pytest.raises(TerminalError, match="is gone from lab") as caught:
        await images.resolve(Provider.LAB, "nginx")
    assert caught.value.mend == "otto images build nginx"


async def test_an_image_that_is_gone_replaces_nothing(
    infrastructure: TerraformInfrastructure, lab: Lab, site: str
) -> None:
    old, gone = lab.image("base"), "sha256:" + "0" * 64
    await build(infrastructure, site, 2)
    before = await infrastructure.inventory(site)
    kept = of_image(site, gone, **{"web-1": old, "web-2": old})
    assert not await infrastructure.plan(kept, silent)
    with pytest.raises(OttoError, match=f"{site}-web-2: there is no image {gone}"):
        await infrastructure.plan(of_image(site, gone, **{"web-1": old}), silent)
    assert await infrastructure.inventory(site) == before


async def test_replace_what_is_gone(infrastructure: TerraformInfrastructure, lab: Lab, site: str) -> None:
    await build(infrastructure, site)
    (host,) = await infrastructure.inventory(site)
    lab.api().remove_container(host.id)
    wanted = replace(make_inputs(site), replace=(host.name,))
    plan = await infrastructure.plan(wanted, silent)
    assert told(plan.changes) == {host.name: (("create",), True)}
    await infrastructure.apply(plan, silent)
    assert len(await infrastructure.inventory(site)) == 1


async def test_events(infrastructure: TerraformInfrastructure, lab: Lab, site: str) -> None:
    heard: asyncio.Queue[HostEvent] = asyncio.Queue()

    async def listen() -> None:
        async for event in infrastructure.events():
            heard.put_nowait(event)

    listener = asyncio.create_task(listen())
    try:
        await build(infrastructure, site)
        while (await asyncio.wait_for(heard.get(), 10)).kind is not HostEventKind.STARTED:
            pass
        (host,) = await infrastructure.inventory(site)
        lab.api().remove_container(host.id)
        for kind in (HostEventKind.DIED, HostEventKind.REMOVED):
            event = await asyncio.wait_for(heard.get(), 10)
            assert (event.site, event.host, event.id, event.kind) == (site, host.name, host.id, kind)
    finally:
        listener.cancel()
        await asyncio.gather(listener, return_exceptions=True)


async def test_foreign(infrastructure: TerraformInfrastructure, lab: Lab, site: str) -> None:
    name = f"otto-{lab.owner}-{site}-web-1"
    foreign = lab.api().create_container(name, {"Image": lab.image("base"), "Cmd": ["sleep", "60"]})
    try:
        with pytest.raises(TerminalError, match=f"{name} "):
            await infrastructure.plan(make_inputs(site), silent)
    finally:
        lab.api().remove_container(foreign)


async def killed(lab: Lab, site: str) -> None:
    """Kill a controller once its Terraform makes hosts."""
    command = ("-m", "tests.integration.terraform.lab_provider", str(lab.home), site, "2")
    controller = await asyncio.create_subprocess_exec(sys.executable, *command, cwd=ROOT)
    await eventually(lambda: bool(lab.hosts(site)))
    controller.kill()
    await controller.wait()


async def test_killed_controller(infrastructure: TerraformInfrastructure, lab: Lab, site: str) -> None:
    await killed(lab, site)
    assert children.survivors(Folder.of(lab.home / "sites", site))
    await infrastructure.settle(site, silent)
    state = await infrastructure.state(site)
    assert state is not None
    assert len(state.hosts) == 2
    assert not await infrastructure.plan(make_inputs(site, 2), silent)


async def test_killed_terraform(infrastructure: TerraformInfrastructure, lab: Lab, site: str) -> None:
    await killed(lab, site)
    folder = Folder.of(lab.home / "sites", site)
    for child in children.survivors(folder):
        processes.send(child.process, signal.SIGKILL)
    await infrastructure.settle(site, silent)
    assert not processes.marked(children.VARIABLE, str(folder.path))
    before = {host.id for host in await infrastructure.inventory(site)}
    await build(infrastructure, site, 2)
    after = {host.id for host in await infrastructure.inventory(site)}
    assert before <= after
    assert len(after) == 2
    assert not await infrastructure.plan(make_inputs(site, 2), silent)


async def test_cancelled(infrastructure: TerraformInfrastructure, lab: Lab, site: str) -> None:
    plan = await infrastructure.plan(make_inputs(site, 2), silent)
    apply = asyncio.create_task(infrastructure.apply(plan, silent))
    await eventually(lambda: bool(lab.hosts(site)))
    apply.cancel()
    with pytest.raises(asyncio.CancelledError):
        await apply
    state = json.loads((lab.home / "sites" / site / "terraform.tfstate").read_text())
    known = {
        instance["attributes"]["id"]
        for resource in state["resources"]
        if resource["type"] == "lab_host"
        for instance in resource["instances"]
    }
    assert known >= {host.id for host in await infrastructure.inventory(site)}
    await build(infrastructure, site, 2)
    assert len(await infrastructure.inventory(site)) == 2
