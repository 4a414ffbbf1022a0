"""Processes, their record and their end."""

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from signal import Signals

import pytest

from otto.adapters.cancellation import unbroken
from otto.adapters.terraform import Settings, children, ending, lock, processes
from otto.adapters.terraform.children import Child
from otto.adapters.terraform.folder import Folder, write
from otto.adapters.terraform.lock import NOBODY, Owner
from otto.adapters.terraform.processes import Process
from otto.adapters.terraform.version import Version, check, parse
from otto.model.errors import TerminalError, WaitingError
from otto.testing.clock import FakeClock

NOW = datetime(2026, 1, 2, tzinfo=UTC)
SLEEPER = [sys.executable, "-c", "import time; print(flush=True); time.sleep(60)"]


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    made = Folder.of(tmp_path / "sites", "blog")
    made.create()
    return made


@pytest.fixture
def sleeper(folder: Folder) -> Iterator[subprocess.Popen[bytes]]:
    environment = os.environ | {children.VARIABLE: children.marker(folder, "token")}
    pipe = subprocess.PIPE
    with subprocess.Popen(SLEEPER, env=environment, stdout=pipe, start_new_session=True) as process:
        assert process.stdout is not None
        process.stdout.readline()
        yield process
        process.kill()


def identified(process: "subprocess.Popen[bytes]") -> Process:
    found = processes.identify(process.pid)
    assert found is not None
    return found


def test_a_process_is_its_id_and_its_start(sleeper: "subprocess.Popen[bytes]") -> None:
    found = identified(sleeper)
    assert processes.alive(found)
    assert not processes.alive(replace(found, start=found.start + 1))
    assert processes.session(found) == sleeper.pid
    assert found in processes.members(sleeper.pid)
    sleeper.kill()
    os.waitid(os.P_PID, sleeper.pid, os.WEXITED | os.WNOWAIT)
    assert not processes.alive(found), "a zombie is dead"
    sleeper.wait()
    assert processes.session(found) == 0
    processes.send(found, signal.SIGKILL)


def test_only_that_very_process_is_signalled(sleeper: "subprocess.Popen[bytes]") -> None:
    found = identified(sleeper)
    processes.send(replace(found, start=1), signal.SIGKILL)
    assert processes.alive(found)
    processes.send(found, signal.SIGKILL)
    assert sleeper.wait() == -signal.SIGKILL


def test_a_command_that_looks_like_a_status_line_fools_nobody(tmp_path: Path) -> None:
    program = tmp_path / "a) Z 1 1 (1"
    program.symlink_to("/bin/sleep")
    with subprocess.Popen([program, "60"]) as process:
        found = identified(process)
        assert processes.session(found) == os.getsid(0)
        process.kill()


def test_holders_of_a_file(folder: Folder) -> None:
    write(folder.lock, "")
    assert processes.holders(folder.lock) == []
    with folder.lock.open():
        assert processes.holders(folder.lock) == [os.getpid()]
    assert processes.holders(folder.path / "missing") == []


def test_the_record_names_living_children_only(folder: Folder, sleeper: "subprocess.Popen[bytes]") -> None:
    assert children.recorded(folder) == []
    children.start(folder, sleeper.pid, "apply", NOW)
    assert children.recorded(folder) == [Child(identified(sleeper), "apply", NOW.isoformat())]
    assert children.survivors(folder) == children.recorded(folder)
    content = json.loads(folder.children.read_text())
    content["children"][0]["boot"] = "another"
    write(folder.children, json.dumps(content))
    assert children.recorded(folder) == []
    sleeper.kill()
    sleeper.wait()
    assert children.survivors(folder) == []
    children.forget(folder)
    children.start(folder, sleeper.pid, "apply", NOW)
    assert not folder.children.exists()


def test_the_mark_tells_where_the_record_does_not(folder: Folder, sleeper: "subprocess.Popen[bytes]") -> None:
    assert children.survivors(folder) == [Child(identified(sleeper), "terraform")]
    assert children.survivors(Folder(folder.path.with_name("blo"))) == []
    assert children.orphans(folder) == []


@pytest.mark.parametrize("content", ["", "{", "[]", '{"children": {}}', '{"children": [3, {"pid": "x"}]}'])
def test_a_damaged_record_names_nobody(folder: Folder, content: str) -> None:
    write(folder.children, content)
    assert children.recorded(folder) == []


async def test_the_lock_names_its_owner(folder: Folder) -> None:
    clock = FakeClock(auto=True)
    async with lock.held(folder, "plan", clock, 0.0):
        assert lock.is_taken(folder)
        assert lock.owner(folder.lock).lives
        with pytest.raises(WaitingError, match=f"`plan` of process {os.getpid()} on {socket.gethostname()}"):
            async with lock.held(folder, "apply", clock, 3.0):
                pass
    assert sum(clock.slept) >= 3.0
    assert not lock.is_taken(folder)


async def test_a_lock_goes_with_its_folder(folder: Folder) -> None:
    clock = FakeClock(auto=True)
    async with lock.held(folder, "destroy", clock, 0.0):
        folder.remove()
        async with lock.held(folder, "plan", clock, 0.0):
            assert lock.is_taken(folder)


async def test_a_child_that_inherits_the_lock_keeps_it(folder: Folder) -> None:
    async with lock.held(folder, "apply", FakeClock(), 0.0) as descriptor:
        child = subprocess.Popen(SLEEPER, pass_fds=(descriptor,), stdout=subprocess.DEVNULL)  # noqa: ASYNC220
    assert lock.is_taken(folder)
    child.kill()
    child.wait()
    assert not lock.is_taken(folder)


@pytest.mark.parametrize("content", ["", "{", "[]", '{"pid": "x"}'])
def test_an_owner_that_cannot_be_read_is_nobody(folder: Folder, content: str) -> None:
    write(folder.lock, content)
    assert lock.owner(folder.lock) == NOBODY
    assert not NOBODY.lives
    assert "somebody unknown" in str(lock.busy(folder))


def test_owners_elsewhere_are_taken_to_live() -> None:
    me = Owner.this_process("plan", NOW)
    assert me.lives
    assert replace(me, machine="elsewhere", pid=1).lives
    assert not replace(me, boot="another").lives
    assert not replace(me, start=1).lives


@pytest.mark.parametrize(
    ("gives_up_at", "sent"),
    [
        (1, [signal.SIGINT]),
        (2, [signal.SIGINT] * 2),
        (3, [signal.SIGINT] * 2 + [signal.SIGTERM]),
        (9, [signal.SIGINT] * 2 + [signal.SIGTERM, signal.SIGKILL]),
    ],
)
async def test_gently_first(gives_up_at: int, sent: list[Signals]) -> None:
    signals: list[Signals] = []
    patience: list[float] = []

    async def gone(seconds: float) -> bool:
        patience.append(seconds)
        return len(signals) == gives_up_at

    settings = Settings(home=Path("/"), grace=60.0, kill_grace=5.0)
    assert await ending.interrupt(signals.append, gone, settings) is (gives_up_at <= 4)
    assert signals == sent
    assert patience == [60.0, 5.0, 5.0, 5.0][: len(sent)]


async def test_waiting_for_a_stranger_has_an_end(sleeper: "subprocess.Popen[bytes]") -> None:
    clock = FakeClock(auto=True)
    assert not await ending.wait_gone([identified(sleeper)], 3.0, clock)
    assert clock.monotonic() >= 3.0
    found = identified(sleeper)
    sleeper.kill()
    sleeper.wait()
    assert await ending.wait_gone([found], 3.0, clock)


async def test_work_that_must_not_break_does_not() -> None:
    begun, go_on, done = asyncio.Event(), asyncio.Event(), asyncio.Event()

    async def work() -> None:
        begun.set()
        await go_on.wait()
        done.set()

    task = asyncio.create_task(unbroken(work()))
    await begun.wait()
    for _ in range(3):
        task.cancel()
        await asyncio.sleep(0)
    assert not task.done()
    go_on.set()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert done.is_set()


@pytest.mark.parametrize(
    ("output", "version"),
    [
        ("Terraform v1.11.4\non linux_amd64\n", Version("Terraform", (1, 11, 4))),
        ("Warning: x\nOpenTofu v1.9.0-rc1\n", Version("OpenTofu", (1, 9, 0))),
        ("git version 2.39.5", None),
        ("", None),
    ],
)
def test_versions(output: str, version: Version | None) -> None:
    assert parse(output) == version


def test_old_versions_are_refused() -> None:
    check(Version("OpenTofu", (1, 7, 0)))
    with pytest.raises(TerminalError, match=r"Terraform 1\.8\.5 is too old") as refused:
        check(Version("Terraform", (1, 8, 5)))
    assert "1.9.0" in refused.value.mend
