"""Damage, conflicts and bad input: one clear error each, sorted by what to do next."""

import asyncio
import json
import os
import shutil
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from otto.adapters.clock import SystemClock
from otto.adapters.terraform import Settings, TerraformInfrastructure
from otto.model.errors import TerminalError, TransientError, WaitingError
from otto.model.progress import silent
from otto.model.spec import Provider

from .local_provider import LocalBackend, make_inputs

GARBAGE = """#!/bin/sh
case "$1" in
  init|plan|apply)
    head -c 100000 /dev/urandom; echo
    head -c 3000000 /dev/zero; echo
    echo '[1, 2'; echo '"text"'; echo '{"type": "apply_start", "hook": []}'; echo '{"type": 3}'
    printf '\\n\\n\\n'; i=0; while [ $i -lt 2000 ]; do printf '['; i=$((i+1)); done; echo
  ;;
esac
exec REAL "$@"
"""
NO_JSON = """#!/bin/sh
[ "$1" = show ] && exec echo "not JSON"
exec REAL "$@"
"""


def with_binary(
    settings: Settings, backend: LocalBackend, path: Path, script: str | None = None
) -> TerraformInfrastructure:
    if script is not None:
        path.write_text(script.replace("REAL", shutil.which("terraform") or "terraform"))
        path.chmod(0o755)
    using = replace(settings, binary=str(path))
    return TerraformInfrastructure({Provider.LAB: backend}, using, SystemClock())


async def test_garbage_in_the_output_harms_nothing(
    tmp_path: Path, settings: Settings, backend: LocalBackend
) -> None:
    infrastructure = with_binary(settings, backend, tmp_path / "terraform", GARBAGE)
    plan = await infrastructure.plan(make_inputs(), silent)
    assert len((await infrastructure.apply(plan, silent)).hosts) == 2


async def test_a_plan_that_cannot_be_read_back(
    tmp_path: Path, settings: Settings, backend: LocalBackend, infrastructure: TerraformInfrastructure
) -> None:
    await infrastructure.apply(await infrastructure.plan(make_inputs(), silent), silent)
    infrastructure = with_binary(settings, backend, tmp_path / "terraform", NO_JSON)
    with pytest.raises(TransientError, match="gave no JSON"):
        await infrastructure.plan(make_inputs(size="medium"), silent)


async def test_a_missing_binary(tmp_path: Path, settings: Settings, backend: LocalBackend) -> None:
    infrastructure = with_binary(settings, backend, tmp_path / "nowhere")
    with pytest.raises(TerminalError, match="cannot be started") as failed:
        await infrastructure.plan(make_inputs(), silent)
    assert "terraform.binary" in failed.value.mend


async def test_a_binary_too_old(tmp_path: Path, settings: Settings, backend: LocalBackend) -> None:
    script = '#!/bin/sh\necho "Terraform v1.5.7"\n'
    infrastructure = with_binary(settings, backend, tmp_path / "terraform", script)
    with pytest.raises(TerminalError, match=r"Terraform 1\.5\.7 is too old"):
        await infrastructure.plan(make_inputs(), silent)


async def test_a_value_that_the_module_refuses(infrastructure: TerraformInfrastructure) -> None:
    with pytest.raises(TerminalError, match="Sizes are small and medium"):
        await infrastructure.plan(make_inputs(size="vast"), silent)
    assert await infrastructure.plan(make_inputs(), silent)


async def test_a_broken_module(infrastructure: TerraformInfrastructure, backend: LocalBackend) -> None:
    (backend.source / "more.tf").write_text('resource "terraform_data" {')
    with pytest.raises(TerminalError, match="of site blog failed"):
        await infrastructure.plan(make_inputs(), silent)


async def test_a_provider_that_is_not_installed(
    tmp_path: Path, infrastructure: TerraformInfrastructure, backend: LocalBackend
) -> None:
    backend.required = {"lab": {"source": "otto.local/otto/lab", "version": "1.0.0"}}
    backend.cli_config = (
        f'provider_installation {{\n  filesystem_mirror {{\n    path = "{tmp_path}"\n  }}\n}}\n'
    )
    with pytest.raises(TerminalError, match=r"init of site blog failed: .*provider") as failed:
        await infrastructure.plan(make_inputs(), silent)
    assert "installed" in failed.value.mend


async def test_a_provider_that_is_not_set_up(settings: Settings) -> None:
    infrastructure = TerraformInfrastructure({}, settings, SystemClock())
    with pytest.raises(TerminalError, match="provider lab is not set up"):
        await infrastructure.plan(make_inputs(), silent)


@pytest.mark.parametrize("name", ["../etc", "", "A", "a/b", ".", "a" * 64, "-a"])
async def test_names_that_lead_elsewhere(infrastructure: TerraformInfrastructure, name: str) -> None:
    with pytest.raises(TerminalError, match="no name of a site"):
        await infrastructure.state(name)


@pytest.mark.parametrize(
    "content",
    [
        "{",
        "[]",
        "null",
        '{"version": 3}',
        '{"version": 4, "outputs": {"hosts": {"value": "none"}}}',
        '{"version": 4, "outputs": {"hosts": {"value": [{"name": "blog-web-1"}]}}}',
        '{"version": 4, "outputs": {"endpoints": {"value": [{"port": "x"}]}}}',
        "\x00\x01\x02",
    ],
)
async def test_a_damaged_state(infrastructure: TerraformInfrastructure, folder: Path, content: str) -> None:
    folder.mkdir(parents=True)
    (folder / "terraform.tfstate").write_text(content)
    with pytest.raises(TerminalError, match="state of site blog cannot be read") as failed:
        await infrastructure.state("blog")
    assert "terraform.tfstate.backup" in failed.value.mend


async def test_a_damaged_state_stops_planning(infrastructure: TerraformInfrastructure, folder: Path) -> None:
    await infrastructure.plan(make_inputs(), silent)
    (folder / "terraform.tfstate").write_text('{"version": 4, "ser')
    with pytest.raises(TerminalError, match="cannot be read"):
        await infrastructure.plan(make_inputs(), silent)
    with pytest.raises(TerminalError, match="cannot be read"):
        await infrastructure.destroy("blog", Provider.LAB, silent)


async def test_an_empty_state_file_is_no_state(infrastructure: TerraformInfrastructure, folder: Path) -> None:
    folder.mkdir(parents=True)
    (folder / "terraform.tfstate").touch()
    assert await infrastructure.state("blog") is None
    assert await infrastructure.plan(make_inputs(), silent)


async def test_a_state_that_could_not_be_saved_is_taken_in(
    infrastructure: TerraformInfrastructure, folder: Path
) -> None:
    await infrastructure.apply(await infrastructure.plan(make_inputs(), silent), silent)
    state = json.loads((folder / "terraform.tfstate").read_text())
    unsaved = folder / "errored.tfstate"
    for serial in (state["serial"] + 5, 0):
        unsaved.write_text(json.dumps(state | {"serial": serial}))
        await infrastructure.plan(make_inputs(), silent)
        assert not unsaved.exists()
        assert json.loads((folder / "terraform.tfstate").read_text())["serial"] == state["serial"] + 5
    unsaved.write_text('{"version": 4, "ser')
    await infrastructure.plan(make_inputs(), silent)
    assert not unsaved.exists()
    unsaved.write_text(json.dumps(state | {"serial": 99, "lineage": "another"}))
    with pytest.raises(TerminalError, match="could not be saved") as failed:
        await infrastructure.plan(make_inputs(), silent)
    assert "errored.tfstate" in failed.value.mend


async def test_two_commands_on_one_site(infrastructure: TerraformInfrastructure) -> None:
    first = asyncio.create_task(infrastructure.plan(make_inputs(), silent))
    second = asyncio.create_task(infrastructure.plan(make_inputs(), silent))
    done = await asyncio.gather(first, second, return_exceptions=True)
    (refused,) = [item for item in done if isinstance(item, BaseException)]
    assert isinstance(refused, WaitingError)
    assert f"`plan` of process {os.getpid()}" in str(refused)


async def test_a_second_command_waits_if_it_may(settings: Settings, backend: LocalBackend) -> None:
    patient = replace(settings, lock_wait=20.0)
    infrastructure = TerraformInfrastructure({Provider.LAB: backend}, patient, SystemClock())
    plans = await asyncio.gather(*(infrastructure.plan(make_inputs(), silent) for _ in range(2)))
    assert all(plans)


@asynccontextmanager
async def another_process_locking(path: Path) -> AsyncIterator[None]:
    code = (
        "import fcntl, sys; file = open(sys.argv[1], 'r+b'); fcntl.lockf(file, fcntl.LOCK_EX);"
        " print('locked', flush=True); sys.stdin.read()"
    )
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", code, path, stdin=pipe, stdout=pipe)
    try:
        assert process.stdout is not None
        assert await process.stdout.readline()
        yield
    finally:
        process.kill()
        await process.communicate()


async def test_a_person_at_the_same_state(infrastructure: TerraformInfrastructure, folder: Path) -> None:
    await infrastructure.apply(await infrastructure.plan(make_inputs(), silent), silent)
    info = {
        "ID": "1",
        "Operation": "OperationTypeApply",
        "Who": "somebody@desk",
        "Created": "2026-01-01T00:00:00Z",
    }
    (folder / ".terraform.tfstate.lock.info").write_text(json.dumps(info))
    async with another_process_locking(folder / "terraform.tfstate"):
        with pytest.raises(WaitingError, match="state lock of site blog") as refused:
            await infrastructure.plan(make_inputs(), silent)
    assert "somebody@desk" in refused.value.mend


async def test_many_sites_at_once(infrastructure: TerraformInfrastructure) -> None:
    async def build(site: str) -> int:
        plan = await infrastructure.plan(make_inputs(site), silent)
        return len((await infrastructure.apply(plan, silent)).hosts)

    assert await asyncio.gather(*(build(f"site{number}") for number in range(4))) == [2] * 4


async def test_nothing_from_outside_steers_terraform(
    tmp_path: Path, settings: Settings, backend: LocalBackend
) -> None:
    outside = os.environ | {
        "TF_CLI_ARGS": "-nonsense",
        "TF_VAR_site": "other",
        "TF_LOG": "trace",
        "TF_CLI_CONFIG_FILE": str(tmp_path / "missing"),
        "TF_PLUGIN_CACHE_DIR": str(tmp_path / "cache"),
        "TF_WORKSPACE": "other",
        "HTTP_PROXY_PASSWORD": "x",
    }
    infrastructure = TerraformInfrastructure({Provider.LAB: backend}, settings, SystemClock(), outside)
    assert await infrastructure.plan(make_inputs(), silent)
