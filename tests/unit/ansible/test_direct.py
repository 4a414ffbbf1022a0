"""One command on many hosts without Ansible: who answers, who does not, and what is left behind."""

import asyncio
import os
import time
from pathlib import Path

import pytest

from otto.adapters.ansible.asking import Answer, Silence
from otto.adapters.ansible.direct import Caller, ask
from otto.adapters.ansible.processes import MARK
from otto.model.host import Host
from otto.model.spec import Role

from .conftest import ANSIBLE

ENVIRONMENT = {"PATH": os.environ["PATH"]}


def shell(text: str) -> list[str]:
    return ["sh", "-c", text]


async def asked(seconds: float = 10.0, at_once: int = 10, **lines: str) -> dict[str, Answer]:
    commands = {name: shell(text) for name, text in lines.items()}
    return {name: it async for name, it in ask(commands, ENVIRONMENT, seconds=seconds, at_once=at_once)}


async def test_each_host_is_answered_for() -> None:
    found = await asked(a="echo one", b="echo two; exit 3", c="echo refused >&2; exit 255")
    assert found == {"a": {"stdout": "one\n"}, "b": {"stdout": "two\n"}, "c": Silence("unreachable: refused")}


async def test_a_host_that_hangs_delays_nobody_and_is_killed(tmp_path: Path) -> None:
    told = tmp_path / "pid"
    began = time.monotonic()
    lines = {"slow": shell(f"echo $$ > {told}; exec sleep 60"), "quick": shell("echo here")}
    came = [name async for name, _ in ask(lines, ENVIRONMENT, seconds=1.0, at_once=2)]
    assert came == ["quick", "slow"]
    assert time.monotonic() - began < 20
    assert not Path(f"/proc/{told.read_text().strip()}").exists()


async def test_hosts_wait_for_their_turn_before_their_time_begins() -> None:
    found = await asked(2.0, 1, a="sleep 0.7", b="sleep 0.7", c="sleep 0.7", d="sleep 0.7")
    assert list(found.values()) == [{"stdout": ""}] * 4


async def test_a_flood_is_no_answer() -> None:
    found = await asked(30.0, a="yes", b="yes >&2")
    assert set(found.values()) == {Silence("the answer is too long")}


async def test_no_ssh_is_said() -> None:
    lines = {"a": ["/nowhere/ssh"]}
    found = [answer async for _, answer in ask(lines, ENVIRONMENT, seconds=5.0, at_once=1)]
    assert found == [Silence("/nowhere/ssh cannot be started: No such file or directory")]


async def test_whoever_stops_listening_leaves_no_process(tmp_path: Path) -> None:
    told = tmp_path / "pid"
    lines = {
        "slow": shell(f"echo $$ > {told}; exec sleep 60"),
        "quick": shell(f"until [ -s {told} ]; do :; done"),
    }
    answers = ask(lines, ENVIRONMENT, seconds=30.0, at_once=2)
    async with asyncio.timeout(20):
        assert (await anext(answers))[0] == "quick"
        await answers.aclose()
    assert not Path(f"/proc/{told.read_text().strip()}").exists()


@pytest.fixture
def caller(tmp_path: Path) -> Caller:
    return Caller(ANSIBLE, tmp_path / "a %key", tmp_path / "c", tmp_path / "run")


def test_hosts_are_reached_as_plays_reach_them(caller: Caller) -> None:
    host = Host("s-web-1", Role.WEB, "id", "10.0.0.1", "10.0.0.1", 2222, "otto", 80, "ssh-ed25519 AAAA")
    line = caller.lines([host], "true")["s-web-1"]
    assert line[:2] == ["ssh", "-T"]
    assert line[-3:] == ["--", "10.0.0.1", "true"]
    options = {line[number + 1] for number, word in enumerate(line) if word == "-o"}
    assert {"ControlMaster=auto", "StrictHostKeyChecking=yes", "IdentityAgent=none"} <= options
    assert {"Port=2222", "User=otto", "BatchMode=yes", "ConnectTimeout=5"} <= options
    assert f'IdentityFile="{caller.key.parent}/a %%key"' in options
    assert f'UserKnownHostsFile="{caller.workspace}/known_hosts.s-web-1"' in options
    assert caller.environment()[MARK] == str(caller.workspace)


async def test_a_command_reads_what_it_is_told_and_no_more() -> None:
    lines = {"a": shell("cat"), "b": shell("cat"), "c": shell("exec <&-; echo deaf"), "d": shell("echo deaf")}
    said = {"a": b"one", "c": b"x" * 400_000, "d": b"x" * 400_000}
    asked_ = ask(lines, ENVIRONMENT, seconds=10.0, at_once=4, said=said)
    found = {name: answer async for name, answer in asked_}
    assert found == {
        "a": {"stdout": "one"},
        "b": {"stdout": ""},
        "c": {"stdout": "deaf\n"},
        "d": {"stdout": "deaf\n"},
    }


async def test_a_long_word_is_told_while_the_answer_is_heard() -> None:
    said = {"a": b"x" * 900_000}
    found = [
        answer
        async for _, answer in ask({"a": shell("cat")}, ENVIRONMENT, seconds=10.0, at_once=1, said=said)
    ]
    assert found == [{"stdout": "x" * 900_000}]
