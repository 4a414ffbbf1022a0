"""Cancelled, too slow, stubborn: no child outlives the coroutine that started it."""

import asyncio
import os
from dataclasses import replace
from pathlib import Path

import pytest

from otto.adapters.clock import SystemClock
from otto.adapters.terraform import Settings, TerraformInfrastructure, children, processes
from otto.adapters.terraform.folder import Folder
from otto.model.errors import TransientError
from otto.model.progress import Progress, silent
from otto.model.spec import Provider

from .conftest import eventually
from .local_provider import LocalBackend, make_inputs

STUBBORN = """#!/bin/sh
[ "$1" = version ] && exec echo "Terraform v1.11.4"
trap '' INT TERM
sleep 60 & sleep 60
"""


def marked(settings: Settings) -> list[processes.Process]:
    return processes.marked(children.VARIABLE, str(Folder.of(settings.home, "blog").path))


async def interrupted_apply(
    infrastructure: TerraformInfrastructure, backend: LocalBackend
) -> asyncio.Task[object]:
    backend.settings["delay"] = "100"
    plan = await infrastructure.plan(make_inputs(), silent)
    task: asyncio.Task[object] = asyncio.create_task(infrastructure.apply(plan, silent))
    await eventually(lambda: any(backend.world.glob("*.begun")))
    return task


async def test_a_cancelled_apply_writes_its_state_first(
    infrastructure: TerraformInfrastructure, backend: LocalBackend, settings: Settings
) -> None:
    apply = await interrupted_apply(infrastructure, backend)
    apply.cancel()
    await asyncio.sleep(0.05)
    apply.cancel()
    with pytest.raises(asyncio.CancelledError):
        await apply
    assert not marked(settings)
    plan = await infrastructure.plan(make_inputs(), silent)
    assert {change.reason for change in plan.changes} == {"replace_because_tainted"}


async def test_an_apply_that_takes_too_long_is_interrupted(settings: Settings, backend: LocalBackend) -> None:
    hasty = replace(settings, apply_timeout=0.5)
    infrastructure = TerraformInfrastructure({Provider.LAB: backend}, hasty, SystemClock())
    apply = await interrupted_apply(infrastructure, backend)
    with pytest.raises(TransientError, match=r"apply of site blog took over 0\.5 s"):
        await apply
    assert not marked(settings)
    state = await infrastructure.state("blog")
    assert state is not None


async def test_a_report_that_raises_ends_the_command(
    infrastructure: TerraformInfrastructure, backend: LocalBackend, settings: Settings
) -> None:
    def report(progress: Progress) -> None:
        raise RuntimeError(progress.message)

    backend.settings["delay"] = "100"
    plan = await infrastructure.plan(make_inputs(), silent)
    with pytest.raises(RuntimeError, match="creating blog-"):
        await infrastructure.apply(plan, report)
    assert not marked(settings)


async def test_what_ignores_signals_is_killed(
    tmp_path: Path, settings: Settings, backend: LocalBackend
) -> None:
    binary = tmp_path / "terraform"
    binary.write_text(STUBBORN)
    binary.chmod(0o755)
    hasty = replace(settings, binary=str(binary), init_timeout=0.1, grace=0.1, kill_grace=0.1)
    infrastructure = TerraformInfrastructure({Provider.LAB: backend}, hasty, SystemClock())
    with pytest.raises(TransientError, match="init of site blog took over"):
        await infrastructure.plan(make_inputs(), silent)
    assert not marked(settings)


async def test_what_terraform_leaves_behind_is_ended(
    infrastructure: TerraformInfrastructure, backend: LocalBackend, settings: Settings
) -> None:
    backend.settings["background"] = "sleep 100 >/dev/null 2>&1 &"
    plan = await infrastructure.plan(make_inputs(), silent)
    await infrastructure.apply(plan, silent)
    assert not marked(settings)
    await infrastructure.plan(make_inputs(), silent)


async def test_nothing_of_ours_stays_open(infrastructure: TerraformInfrastructure) -> None:
    await infrastructure.plan(make_inputs(), silent)
    before = len(os.listdir("/proc/self/fd"))  # noqa: PTH208
    for _ in range(3):
        await infrastructure.plan(make_inputs(), silent)
    assert len(os.listdir("/proc/self/fd")) == before  # noqa: PTH208
