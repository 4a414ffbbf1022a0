"""What is said to a balancer that is to drain, and what its answer means."""

import os
import subprocess
from pathlib import Path

import pytest

from otto.adapters.ansible.asking import Silence
from otto.adapters.ansible.draining import NotDrainedError, command, read


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ("otto-drain:active:inactive:success\n", "drained"),
        ("otto-drain:deactivating:inactive:success\n", "drained"),
        ("otto-drain:active:failed:timeout\n", "drained; visitors that were left were cut off"),
        ("otto-drain:inactive:inactive:success\n", "drained already"),
        ("otto-drain:failed:failed:timeout\n", "drained already"),
        ("Warning: something\notto-drain:active:inactive:exit-code\n", "drained"),
    ],
)
def test_a_balancer_without_haproxy_is_drained(said: str, words: str) -> None:
    assert read({"stdout": said}) == words


def test_a_balancer_that_does_not_answer_is_left_out() -> None:
    assert read(Silence("no route")) == "left out, it does not answer: no route"


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ("", "it does not say how haproxy is"),
        ("sudo: a password is required\n", "it does not say how haproxy is: sudo: a password is required"),
        ("Failed\x1b[1m to stop\notto-drain:active:active:success\n", "haproxy is active: Failed to stop"),
        ("otto-drain:::\n", "haproxy is in no known state"),
        ("otto-drain:active:inactive:success\nand more", "it does not say how haproxy is: otto-drain"),
    ],
)
def test_a_balancer_that_goes_on_is_told_with_its_words(said: str, words: str) -> None:
    with pytest.raises(NotDrainedError) as caught:
        read({"stdout": said})
    assert str(caught.value).startswith(words)


SYSTEMCTL = """#!/bin/sh
echo "$@" >>{log}
case $* in
*ActiveState*) cat {state} ;;
*Result*) echo success ;;
stop*) {stop} ;;
esac
"""


@pytest.mark.parametrize(
    ("state", "stop", "last", "asked"),
    [
        ("active", "echo inactive >{state}", "otto-drain:active:inactive:success", True),
        ("activating", "echo inactive >{state}", "otto-drain:activating:inactive:success", True),
        ("active", "echo no; exit 1", "no\notto-drain:active:active:success", True),
        ("inactive", "exit 9", "otto-drain:inactive:inactive:success", False),
    ],
)
def test_the_command_asks_systemd_once_and_tells_the_state(
    tmp_path: Path, state: str, stop: str, last: str, asked: bool
) -> None:
    (tmp_path / "state").write_text(f"{state}\n")
    names = {"log": tmp_path / "log", "state": tmp_path / "state"}
    programs = {
        "systemctl": SYSTEMCTL.format(stop=stop.format(**names), **names),
        "sudo": '#!/bin/sh\nshift\nexec "$@"\n',
    }
    for name, text in programs.items():
        (tmp_path / name).write_text(text)
        (tmp_path / name).chmod(0o755)
    line = command(0.0004).replace("/run/systemd/system", str(tmp_path / "run"))
    path = f"{tmp_path}:{os.environ['PATH']}"
    done = subprocess.run(
        ["sh", "-c", line], capture_output=True, text=True, env={"PATH": path}, timeout=20, check=True
    )
    assert done.stdout.strip() == last
    calls = (tmp_path / "log").read_text().splitlines()
    assert calls.count("stop haproxy.service") == asked
    assert calls.count("daemon-reload") == 2 * asked
    assert not (tmp_path / "run/haproxy.service.d").exists()


def test_no_time_at_all_is_not_for_ever() -> None:
    assert "TimeoutStopSec=%dms\\n'\"'\"' 1 >" in command(0)
    assert " 2500 >" in command(2.5)
