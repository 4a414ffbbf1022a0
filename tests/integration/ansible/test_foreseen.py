"""A play that is loaded before it is asked for."""

import asyncio
import contextlib
import os
import pickle
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from otto.adapters.ansible import Ansible
from otto.adapters.ansible.processes import MARK
from otto.adapters.clock import SystemClock
from otto.model.configuration import HostOutcome
from otto.model.progress import Progress, silent

from .conftest import Site, eventually
from .fleet import SITE

pytestmark = [pytest.mark.lab, pytest.mark.xdist_group("ansible")]

THREAD = "otto-ansible"


def folders(site: Site) -> set[Path]:
    return set(site.options.runs.glob("run-*"))


def waiting(site: Site) -> list[int]:
    """Processes that wait for what they are to play."""
    mark = f"{MARK}={site.options.runs}".encode()
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if (
                b"prelude.py" in (process / "cmdline").read_bytes()
                and mark in (process / "environ").read_bytes()
            ):
                found.append(int(process.name))
        except OSError:
            continue
    return found


async def test_a_foreseen_play_is_played_by_the_run_that_waited(ready: Site) -> None:
    seen: set[Path] = set()

    def hear(_progress: Progress) -> None:
        seen.update(folders(ready))

    async with ready.ansible.foreseen(SITE):
        ahead = folders(ready)
        await eventually(lambda: waiting(ready))
        result = await ready.ansible.configure(ready.request(), hear)
        assert seen == ahead
        assert len(ahead) == 1
        await eventually(lambda: not waiting(ready))
    assert (result.changed, {host.outcome for host in result.hosts}) == (0, {HostOutcome.OK}), result
    assert not folders(ready)


async def test_a_second_play_and_another_sites_play_start_by_themselves(ready: Site) -> None:
    async with ready.ansible.foreseen("another"), ready.ansible.foreseen(SITE):
        for _ in range(2):
            result = await ready.ansible.configure(ready.request(), silent)
            assert {host.outcome for host in result.hosts} == {HostOutcome.OK}, result
        assert waiting(ready), "the other site's"
    assert not waiting(ready)


async def test_a_play_that_does_not_come_leaves_nothing(ready: Site) -> None:
    async with ready.ansible.foreseen(SITE):
        await eventually(lambda: waiting(ready))
    assert not waiting(ready)
    assert not folders(ready)


@pytest.mark.parametrize("noted", [True, False])
async def test_a_run_that_died_while_it_waited_is_not_missed(ready: Site, *, noted: bool) -> None:
    """Whether the death was noted before the play was asked for, or comes with the very word to play."""
    async with ready.ansible.foreseen(SITE):
        await eventually(lambda: waiting(ready))
        for pid in waiting(ready):
            os.kill(pid, signal.SIGKILL)
        if noted:
            await eventually(lambda: not any(thread.name == THREAD for thread in threading.enumerate()))
            await asyncio.sleep(0)
        result = await ready.ansible.configure(ready.request(), silent)
    assert {host.outcome for host in result.hosts} == {HostOutcome.OK}, result
    assert not folders(ready)


async def test_a_run_that_cannot_begin_is_not_missed(ready: Site) -> None:
    """What it was to read is gone: it ends with an error before its playbook begins."""
    async with ready.ansible.foreseen(SITE):
        await eventually(lambda: waiting(ready))
        for folder in folders(ready):
            (folder / "play").unlink()
        result = await ready.ansible.configure(ready.request(), silent)
    assert {host.outcome for host in result.hosts} == {HostOutcome.OK}, result


async def test_what_cannot_be_foreseen_holds_up_nothing(ready: Site) -> None:
    file = ready.folder / "file"
    file.write_text("no folder")
    elsewhere = replace(ready, options=replace(ready.options, runs=file / "runs"))
    async with Ansible(elsewhere.options, SystemClock()).foreseen(SITE):
        pass
    assert not waiting(elsewhere)


async def test_a_foreseen_run_plays_what_it_is_asked_for_and_no_more(ready: Site) -> None:
    tasks: list[str] = []

    def hear(progress: Progress) -> None:
        tasks.append(progress.message)

    async with ready.ansible.foreseen(SITE):
        await eventually(lambda: waiting(ready))
        result = await ready.deploy("foreseen", {"index.html": "<p>foreseen</p>"}, hear)
    assert {host.outcome for host in result.hosts} == {HostOutcome.CHANGED}, result
    assert set(tasks) == {"Serve the release"}


HOLDER = """
import asyncio, pickle, sys
from otto.adapters.ansible import Ansible
from otto.adapters.clock import SystemClock

async def hold(options):
    async with Ansible(options, SystemClock()).foreseen("held"):
        print("held", flush=True)
        await asyncio.sleep(600)

with open(sys.argv[1], "rb") as file:
    asyncio.run(hold(pickle.load(file)))
"""


@contextlib.contextmanager
def holder(order: Path, environment: Mapping[str, str]) -> Iterator["subprocess.Popen[bytes]"]:
    """A controller; gone afterwards, also when a test fails."""
    line = [sys.executable, "-c", HOLDER, str(order)]
    with subprocess.Popen(line, env=environment, start_new_session=True) as process:
        try:
            yield process
        finally:
            process.kill()


@pytest.mark.parametrize("guarded", [True, False])
@pytest.mark.parametrize("group", [True, False])
async def test_a_run_that_waits_is_gone_with_its_controller(
    site: Site, *, guarded: bool, group: bool
) -> None:
    """Where the system can end it with its parent, and where it has to notice by itself."""
    order = site.folder / "order"
    order.write_bytes(pickle.dumps(site.options))
    environment = os.environ if guarded else os.environ | {"PATH": str(site.folder)}
    with holder(order, environment) as controller:
        await eventually(lambda: waiting(site))
        if not guarded:  # it has to have come to its pipe
            await eventually(lambda: any(reads_pipe(pid) for pid in waiting(site)))
        kill = os.killpg if group else os.kill
        kill(controller.pid, signal.SIGKILL)
    await eventually(lambda: not waiting(site), 5)
    Ansible(site.options, SystemClock())  # the next controller clears up
    assert not folders(site)


def reads_pipe(pid: int) -> bool:
    opened = []
    with contextlib.suppress(OSError):  # it ended meanwhile
        for descriptor in Path(f"/proc/{pid}/fd").iterdir():
            with contextlib.suppress(OSError):
                opened.append(descriptor.readlink().name)
    return "play" in opened
