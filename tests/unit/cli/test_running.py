"""Signals: a first one stops in order, a second one leaves at once."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Sequence

import pytest
import typer

from otto.cli.running import run

SCRIPT = """
import asyncio, sys
from otto.cli.running import run

async def work():
    print("at work", flush=True)
    try:
        await asyncio.Event().wait()
    finally:
        print("cleaning up", flush=True)
        if {stubborn}:
            await asyncio.Event().wait()
        print("clean", flush=True)

run(work(), on_stop=lambda: print("heard", flush=True))
"""


def ended(*signals: signal.Signals, stubborn: bool = False) -> tuple[int, Sequence[str], str]:
    """Exit status, lines and errors of the script; each signal comes after another line of its."""
    command = [sys.executable, "-c", SCRIPT.format(stubborn=stubborn)]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdout=pipe, stderr=pipe, text=True) as process:
        assert process.stdout
        assert process.stderr
        lines = [process.stdout.readline()]
        process.send_signal(signals[0])
        lines += [process.stdout.readline(), process.stdout.readline()]
        for number in signals[1:]:
            process.send_signal(number)
        lines += process.stdout.readlines()
        error = process.stderr.read()
    return process.returncode, [line.strip() for line in lines], error


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_first_signal_stops_in_order(number: signal.Signals) -> None:
    _, lines, _ = ended(number)
    assert lines == ["at work", "heard", "cleaning up", "clean"]


def test_a_second_signal_leaves_at_once() -> None:
    code, lines, error = ended(signal.SIGINT, signal.SIGINT, stubborn=True)
    assert code == 130
    assert lines == ["at work", "heard", "cleaning up"]
    assert "leaving at once; a Terraform that still runs finishes on its own" in error


@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_the_exit_status_tells_the_signal(number: signal.Signals, status: int) -> None:
    async def work() -> None:
        asyncio.get_running_loop().call_soon(os.kill, os.getpid(), number)
        await asyncio.Event().wait()

    with pytest.raises(typer.Exit) as ending:
        run(work())
    assert ending.value.exit_code == status


def test_work_that_cancels_itself_is_no_signal() -> None:
    async def work() -> None:
        raise asyncio.CancelledError

    with pytest.raises(asyncio.CancelledError):
        run(work())


def test_what_the_work_returns_is_returned_and_handlers_are_put_back() -> None:
    before = signal.getsignal(signal.SIGTERM)

    async def work() -> int:
        return 7

    assert run(work()) == 7
    assert signal.getsignal(signal.SIGTERM) == before


def test_work_that_ends_well_after_a_signal_has_its_say() -> None:
    async def work() -> str:
        asyncio.get_running_loop().call_soon(os.kill, os.getpid(), signal.SIGINT)
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            return "stopped in order"
        return "never"

    assert run(work()) == "stopped in order"
