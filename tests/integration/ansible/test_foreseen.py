"""A play that is loaded before it is asked for."""

import asyncio
import os
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from otto.adapters.ansible.processes import MARK
from otto.model.configuration import HostOutcome
from otto.model.progress import Progress, silent

from .conftest import Site
from .fleet import SITE

pytestmark = [pytest.mark.lab, pytest.mark.xdist_group("ansible")]


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


async def eventually(holds: Callable[[], object], seconds: float = 15) -> None:
    async with asyncio.timeout(seconds):
        while not holds():
            await asyncio.sleep(0.02)


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


async def test_a_run_that_died_while_it_waited_is_not_missed(ready: Site) -> None:
    async with ready.ansible.foreseen(SITE):
        await eventually(lambda: waiting(ready))
        for pid in waiting(ready):
            os.kill(pid, signal.SIGKILL)
        await eventually(lambda: not waiting(ready))
        await asyncio.sleep(1)  # the run takes note
        result = await ready.ansible.configure(ready.request(), silent)
    assert {host.outcome for host in result.hosts} == {HostOutcome.OK}, result
