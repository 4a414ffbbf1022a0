"""A controller that is killed: Terraform finishes, writes its state, and the next controller waits for it."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from otto.adapters.clock import SystemClock
from otto.adapters.terraform import Settings, TerraformInfrastructure, children, processes
from otto.adapters.terraform.folder import Folder
from otto.model.errors import WaitingError
from otto.model.progress import silent
from otto.model.spec import Provider

from .conftest import Heard, eventually
from .local_provider import LocalBackend, make_inputs

ROOT = Path(__file__).parents[3]


@asynccontextmanager
async def killed_controller(folder: Path, world: Path, **settings: str) -> AsyncIterator[int]:
    """Kill a controller while its Terraform is making hosts; yields its process id."""
    controller = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "tests.integration.terraform.controller_process",
        str(folder),
        *(f"{name}={value}" for name, value in settings.items()),
        cwd=ROOT,
    )
    site = Folder.of(folder / "sites", "blog")
    try:
        await eventually(lambda: any(world.glob("*.begun")))
        controller.kill()
        await controller.wait()
        yield controller.pid
    finally:
        for process in processes.marked(children.VARIABLE, str(site.path)):
            processes.send(process, signal.SIGKILL)


async def test_terraform_finishes_and_the_next_controller_waits(
    tmp_path: Path, infrastructure: TerraformInfrastructure, backend: LocalBackend, heard: Heard
) -> None:
    async with killed_controller(tmp_path, backend.world, delay="1.5") as pid:
        with pytest.raises(WaitingError, match=f"`apply` of process {pid}"):
            await infrastructure.plan(make_inputs(web=2), silent)
        await infrastructure.settle("blog", heard)
        assert "left by an earlier controller" in heard.messages[0]
        assert not children.survivors(Folder.of(tmp_path / "sites", "blog"))
        state = await infrastructure.state("blog")
        assert state is not None
        assert len(state.hosts) == 3
        assert not await infrastructure.plan(make_inputs(web=2), silent)


async def test_a_child_that_was_never_recorded_is_found(
    tmp_path: Path, infrastructure: TerraformInfrastructure, backend: LocalBackend, folder: Path
) -> None:
    async with killed_controller(tmp_path, backend.world, delay="1"):
        (folder / "children.json").unlink()
        await infrastructure.settle("blog", silent)
        state = await infrastructure.state("blog")
        assert state is not None
        assert len(state.hosts) == 3


async def test_a_survivor_is_interrupted_at_the_limit(
    tmp_path: Path, settings: Settings, backend: LocalBackend, folder: Path
) -> None:
    hasty = replace(settings, settle_limit=0.2)
    infrastructure = TerraformInfrastructure({Provider.LAB: backend}, hasty, SystemClock())
    async with killed_controller(tmp_path, backend.world, delay="100"):
        await infrastructure.settle("blog", silent)
        assert not children.survivors(Folder.of(tmp_path / "sites", "blog"))
        assert not (folder / "children.json").exists()
        state = await infrastructure.state("blog")
        assert state is not None
        plan = await infrastructure.plan(make_inputs(web=2), silent)
        assert {change.reason for change in plan.changes} == {"replace_because_tainted"}


async def test_what_a_killed_terraform_leaves_behind_is_ended(
    tmp_path: Path, infrastructure: TerraformInfrastructure, backend: LocalBackend
) -> None:
    site = Folder.of(tmp_path / "sites", "blog")
    async with killed_controller(tmp_path, backend.world, delay="100"):
        (survivor,) = children.survivors(site)
        processes.send(survivor.process, signal.SIGKILL)
        await eventually(lambda: not children.survivors(site))
        assert children.orphans(site)
        await infrastructure.settle("blog", silent)
        assert not processes.marked(children.VARIABLE, str(site.path))
        await infrastructure.plan(make_inputs(web=2), silent)


async def test_a_living_controller_is_left_alone(
    infrastructure: TerraformInfrastructure, backend: LocalBackend
) -> None:
    backend.settings["delay"] = "1"
    plan = await infrastructure.plan(make_inputs(), silent)
    apply = asyncio.create_task(infrastructure.apply(plan, silent))
    await eventually(lambda: any(backend.world.glob("*.begun")))
    with pytest.raises(WaitingError, match=f"`apply` of process {os.getpid()}"):
        await infrastructure.settle("blog", silent)
    assert len((await apply).hosts) == 2


async def test_settling_clears_what_nobody_holds(
    infrastructure: TerraformInfrastructure, folder: Path
) -> None:
    await infrastructure.settle("blog", silent)
    assert not folder.exists()
    await infrastructure.plan(make_inputs(), silent)
    (folder / ".terraform.tfstate.lock.info").write_text("{}")
    (folder / "children.json").write_text('{"children": [{"pid": 1, "start": 7}, "nonsense"]}')
    (folder / ".main.tf.json.0badcafe.spare").write_text("{")
    assert list(folder.glob("plan-*"))
    await infrastructure.settle("blog", silent)
    assert not list(folder.glob("plan-*"))
    assert not list(folder.glob(".*.spare"))
    assert not (folder / ".terraform.tfstate.lock.info").exists()
    assert not (folder / "children.json").exists()
