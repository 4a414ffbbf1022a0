"""Packer is seen to its end, whatever it leaves behind."""

import asyncio
import time
from pathlib import Path

import pytest

from otto.adapters import program
from otto.adapters.packer import running
from otto.adapters.packer.telling import Word
from otto.model.errors import TransientError
from otto.telemetry.redaction import Redactor

from .packers import StandIn, marked

# Holds what Packer writes to open after its end, as the engine's name server does.
STAYS = "setsid sleep 60 &\nuntil grep -q sleep /proc/$!/comm; do :; done"


def processes(folder: Path) -> list[str]:
    """Names of the processes that a build in a folder left."""
    return list(marked("environ", f"{running.MARK}={folder}").values())


async def test_a_build_ends_with_packer_though_a_daemon_holds_its_output_open(tmp_path: Path) -> None:
    job = StandIn(tmp_path, then=STAYS).job(tmp_path / "nginx")
    heard: list[Word] = []
    began = time.monotonic()
    story = await running.build(job, heard.append, Redactor())
    assert time.monotonic() - began < job.seconds / 2
    assert story.artifact == "sha256:1"
    assert heard == [Word("artifact", "0,id,sha256:1")]
    assert processes(job.folder) == ["sleep"]
    running.end_strays(job.folder)
    assert processes(job.folder) == []


async def test_the_name_server_of_all_containers_is_no_stray(tmp_path: Path) -> None:
    server = tmp_path / "aardvark-dns"
    server.symlink_to("/bin/sleep")
    job = StandIn(
        tmp_path, then=f"setsid {server} 60 &\nuntil grep -q aardvark /proc/$!/comm; do :; done"
    ).job(tmp_path / "nginx")
    await running.build(job, lambda _: None, Redactor())
    running.end_strays(job.folder)
    assert processes(job.folder) == ["aardvark-dns"]
    program.end_strays(f"{running.MARK}={job.folder}".encode())
    assert processes(job.folder) == []


async def test_a_build_that_takes_too_long_is_ended(tmp_path: Path) -> None:
    job = StandIn(tmp_path, then="exec sleep 60").job(tmp_path / "nginx", seconds=0.5)
    with pytest.raises(TransientError, match=r"did not end within 0\.5 s"):
        await running.build(job, lambda _: None, Redactor())
    assert processes(job.folder) == []


async def test_a_cancelled_build_is_interrupted(tmp_path: Path) -> None:
    said = tmp_path / "said"
    job = StandIn(tmp_path, then=f"trap 'echo INT >{said}; exit 1' INT; touch {said}; sleep 60 & wait").job(
        tmp_path / "nginx"
    )
    task = asyncio.create_task(running.build(job, lambda _: None, Redactor()))
    async with asyncio.timeout(10):
        while not said.exists():
            await asyncio.sleep(0.01)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert said.read_text() == "INT\n"
    assert processes(job.folder) == []
