"""Files, locks, processes and deadlines."""

import os
import signal
import stat
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from otto.lab import files, processes
from otto.lab.deadline import Deadline
from otto.lab.processes import Process
from otto.model.errors import TransientError


class Time:
    """A clock that goes on by being slept on."""

    def __init__(self) -> None:
        self.now = 100.0

    def sleep(self, seconds: float) -> None:
        self.now += seconds

    def after(self, seconds: float) -> Deadline:
        return Deadline.after(seconds, lambda: self.now, self.sleep)


def test_a_deadline_is_tried_at_once_and_at_its_end() -> None:
    assert list(Time().after(1.0).every(0.4)) == pytest.approx([1.0, 0.6, 0.2, 0.0])


def test_a_deadline_of_nothing_is_tried_once() -> None:
    assert list(Time().after(0.0).every(1.0)) == [0.0]


def test_a_file_is_replaced_whole(tmp_path: Path) -> None:
    file = tmp_path / "sub" / "file"
    files.write(file, "one")
    files.write(file, "two", mode=0o600)
    assert file.read_text() == "two"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert [*file.parent.iterdir()] == [file]


def test_a_file_that_cannot_be_written_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / "file").mkdir()
    with pytest.raises(OSError, match="file"):
        files.write(tmp_path / "file", "text")
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def held(lock: Path) -> bool:
    try:
        with files.locked(lock, 0, "working"):
            return False
    except TransientError:
        return True


def test_a_lock_is_for_one_at_a_time(tmp_path: Path) -> None:
    lock = tmp_path / "lock"
    with files.locked(lock, 1, "working"):
        assert held(lock)
    assert not held(lock)


def test_a_lock_stays_with_a_child_that_inherits_it(tmp_path: Path) -> None:
    lock = tmp_path / "lock"
    with files.locked(lock, 0, "working") as number:
        child = subprocess.Popen(["sleep", "60"], pass_fds=[number])
    try:
        assert held(lock)
    finally:
        child.kill()
        child.wait()


@contextmanager
def sleeper(*words: str) -> Iterator[Process]:
    """A process of ours that ignores a polite request when told to be stubborn."""
    code = "import signal, sys, time\n"
    code += "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n" if "stubborn" in words else ""
    code += "print('up', flush=True)\ntime.sleep(60)"
    with subprocess.Popen([sys.executable, "-c", code, *words], stdout=subprocess.PIPE) as child:
        assert child.stdout is not None
        child.stdout.readline()
        process = processes.identify(child.pid)
        assert process is not None
        try:
            yield process
        finally:
            child.kill()


def test_a_process_is_told_from_a_later_one_of_its_number() -> None:
    me = processes.identify(os.getpid())
    assert me is not None
    assert processes.alive(me)
    assert not processes.alive(Process(me.pid, me.started + 1))


def test_processes_are_found_by_their_command() -> None:
    with sleeper("a-word-of-this-test", "stays") as process:
        assert [*processes.matching("a-word-of-this-test", "time.sleep")] == [process]
        assert [*processes.matching("a-word-of-this-test", "nothing")] == []


@pytest.mark.parametrize("manners", ["polite", "stubborn"])
def test_processes_end(manners: str) -> None:
    with sleeper("ends", manners) as process:
        assert processes.end(process, patience=0.3 if manners == "stubborn" else 10)
        assert not processes.alive(process)


def test_a_stopped_process_ends() -> None:
    with sleeper("stops") as process:
        os.kill(process.pid, signal.SIGSTOP)
        assert processes.end(process, patience=0.3)


def test_nobody_is_harmed_when_the_number_is_reused() -> None:
    with sleeper("reused") as process:
        assert processes.end(Process(process.pid, process.started + 1))
        assert processes.alive(process)
