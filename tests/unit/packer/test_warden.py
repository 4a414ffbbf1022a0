"""The warden of a build does its work when whoever it guards is killed, and only then."""

import asyncio
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from otto.adapters.packer import warden

from .packers import marked

GUARDED = """
import asyncio, sys
from otto.adapters.packer import warden

async def main():
    async with warden.stationed(["/bin/sh", "-c", "echo done >$0", sys.argv[1]]):
        print("guarded", flush=True)
        sys.stdin.read()

asyncio.run(main())
"""


def guarded(told: Path, *, killed: bool) -> None:
    command = [sys.executable, "-c", GUARDED, str(told)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "guarded\n"
        if killed:
            process.kill()


async def test_the_command_runs_when_its_guarded_is_killed(tmp_path: Path) -> None:
    told = tmp_path / "told"
    await asyncio.to_thread(guarded, told, killed=True)
    async with asyncio.timeout(20):
        while not told.exists() or told.read_text() != "done\n":
            await asyncio.sleep(0.02)


async def test_it_does_not_run_when_all_is_over(tmp_path: Path) -> None:
    told = tmp_path / "told"
    await asyncio.to_thread(guarded, told, killed=False)
    with pytest.raises(ValueError, match="a mistake"):
        async with warden.stationed(["/bin/sh", "-c", "touch $0", str(told)]):
            raise ValueError("a mistake")
    assert not told.exists()


async def test_a_warden_that_somebody_killed_stops_nobody(tmp_path: Path) -> None:
    never = str(tmp_path / "never")
    async with warden.stationed([never]):
        async with asyncio.timeout(20):
            while not (found := marked("cmdline", never)):
                await asyncio.sleep(0.01)
        for pid in found:
            os.kill(pid, signal.SIGKILL)
