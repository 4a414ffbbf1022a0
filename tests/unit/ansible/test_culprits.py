"""The program that looks for who changes a host, without a host; and how its answer is read."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from otto.adapters.ansible.asking import Silence
from otto.adapters.ansible.culprits import LONGEST_LINE, MOST_LINES, SILENT, UNREADABLE, program, read, source

from .conftest import ANSIBLE

CONF = "/etc/nginx/nginx.conf"


def a_process(proc: Path, pid: int, command: str, *, unit: str = "", parent: int = 1, start: int = 0) -> Path:
    """A folder of /proc, as proc(5) describes it."""
    folder = proc / str(pid)
    (folder / "fd").mkdir(parents=True)
    (folder / "fdinfo").mkdir()
    (folder / "cmdline").write_bytes(command.replace(" ", "\0").encode() + b"\0")
    (folder / "comm").write_text(command.split(maxsplit=1)[0] + "\n")
    (folder / "cgroup").write_text(f"0::/system.slice/{unit}\n" if unit else "0::/\n")
    fields = ["S", str(parent), *["0"] * 17, str(start), "0"]
    (folder / "stat").write_text(f"{pid} (a ) b) {' '.join(fields)}\n")
    return folder


def opens(process: Path, handle: int, path: str, flags: str) -> None:
    (process / "fd" / str(handle)).symlink_to(path)
    (process / "fdinfo" / str(handle)).write_text(f"pos:\t0\nflags:\t{flags}\nmnt_id:\t1\n")


def test_the_program_prints_one_list_anywhere() -> None:
    done = subprocess.run(
        [sys.executable, "-IS", "-", "1.2.3.4 5 6.7.8.9 22"],
        input=program(source(ANSIBLE), ["/etc/passwd", "/nowhere/at/all"]),
        capture_output=True, timeout=30, check=True,
    )  # fmt: skip
    lines = json.loads(done.stdout)
    assert lines[0].startswith("/etc/passwd: changed ")
    assert lines[1] == "/nowhere/at/all: missing, and its folder too"
    assert len(lines) <= MOST_LINES
    assert done.stderr == b""


@pytest.mark.parametrize("path", ["/a\n'); raise SystemExit(3)\n#", "/\ud800", '/"""', "/a\\"])
def test_names_of_files_are_data_to_the_program(path: str) -> None:
    text = program(source(ANSIBLE), [path]).decode("ascii" if path.isascii() else "utf-8")
    call = text.splitlines()[-1]
    assert eval(call, {"main": lambda paths: paths}) == [path]  # noqa: S307


def test_only_few_absolute_paths_are_asked_for() -> None:
    paths = ["relative", "/with\0zero", "/" + "x" * 5000, *(f"/{n}" for n in range(50))]
    call = program(source(ANSIBLE), paths).decode().splitlines()[-1]
    assert call == f"main({[f'/{n}' for n in range(16)]!r})"


def test_when_and_whose(culprits: Any, tmp_path: Path) -> None:
    file = tmp_path / "some.conf"
    file.write_text("x")
    stamp = time.strftime("%H:%M:%S UTC", time.gmtime(file.stat().st_ctime))
    os.utime(file, (0, 0))  # a time that was set by hand says nothing
    me = culprits.user(os.getuid())
    assert culprits.changed(str(file)).startswith(f"{file}: changed {stamp[:5]}")
    assert culprits.changed(str(file)).endswith(f"owner {me}")
    assert culprits.changed(str(tmp_path)).endswith(", no regular file")
    file.unlink()
    assert culprits.changed(str(file)).startswith(f"{file}: missing, its folder changed {stamp[:5]}")
    assert (culprits.user(1001), culprits.user(7)) == ("uid 1001 (anna)", "uid 7")
    assert culprits.moment(0) == "1970-01-01 00:00:00 UTC"


@pytest.mark.parametrize(
    ("said", "named"),
    [
        (f"sed -i x {CONF}", True),
        (f"echo '{CONF}'; true", True),
        (f"{CONF}.", True),
        (f"cp {CONF} {CONF}.bak", True),
        (f"cat {CONF}.bak", False),
        (f"cat {CONF}x {CONF}-old", False),
        ("cat /etc/nginx", False),
    ],
)
def test_a_file_is_named_by_all_of_its_name(culprits: Any, said: str, named: bool) -> None:
    assert culprits.names(said, CONF) is named


def test_processes_are_told_by_what_they_hold_and_say(culprits: Any) -> None:
    proc = culprits.PROC
    opens(a_process(proc, 10, "vi other", unit="session-1.scope"), 3, CONF, "0100002")
    opens(a_process(proc, 11, "tail -f"), 4, CONF, "0100000")
    opens(a_process(proc, 12, "sleep 1"), 4, f"{CONF}.bak", "0100001")
    a_process(proc, 13, f"sed -i s/a/b/ {CONF}", unit="tweak.service")
    a_process(proc, 14, f"nginx -c {CONF}", unit="nginx.service")
    a_process(proc, os.getpid(), f"ourselves {CONF}", parent=15)
    a_process(proc, 15, f"sudo ourselves {CONF}")
    me = culprits.user(os.getuid())
    assert list(culprits.processes([CONF], {"nginx.service"})) == [
        f"{CONF}: open for writing in process 10 (vi) of {me} in session-1.scope",
        f"{CONF}: open in process 11 (tail) of {me}",
        f"{CONF}: named by process 13 (sed) of {me} in tweak.service: sed -i s/a/b/ {CONF}",
    ]


def test_units_are_told_with_what_starts_them(
    culprits: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    etc, lib = culprits.UNITS
    script = tmp_path / "tweak"
    script.write_text(f"#!/bin/sh\necho >>{CONF}\n")
    (etc / "tweak.service").write_text(f"[Service]\nExecStart={script} now\n")
    (lib / "tweak.service").write_text(f"[Service]\nExecStart=/bin/sh -c 'rm {CONF}'\n")
    (etc / "nightly.timer").write_text("[Timer]\nOnCalendar=daily\nUnit=tweak.service\n")
    (etc / "tweak.path").write_text("[Path]\nPathChanged=/x\n")
    (lib / "other.service").write_text("[Service]\nExecStart=/bin/true\n")
    (lib / "other.service.d").mkdir()
    (lib / "other.service.d/x.conf").write_text(f"[Service]\nExecStartPre=/bin/rm {CONF}\n")
    (lib / "nginx.service").write_text(f"[Service]\nExecStart=nginx -c {CONF}\n")
    shown = "Id=tweak.service\nExecMainStartTimestamp=@3\n\nId=other.service\nExecMainStartTimestamp=\n"
    monkeypatch.setattr(culprits, "output", lambda command: shown if "tweak.service" in command else "")
    started = "started by nightly.timer, tweak.path, last ran 1970-01-01 00:00:03 UTC"
    assert list(culprits.units([CONF], {"nginx.service"})) == [
        f"{CONF}: other.service names it",
        f"{CONF}: tweak.service names it by way of {script}, {started}",
    ]


@pytest.mark.parametrize("text", ["", "[]", '{"services": 7}', '{"services": [1]}', "nonsense"])
def test_no_list_of_managed_services_breaks_it(culprits: Any, text: str) -> None:
    culprits.MANAGED.write_text(text)
    assert culprits.managed() == set()


def test_managed_services_are_units(culprits: Any) -> None:
    culprits.MANAGED.write_text('{"services": {"nginx": [], "logrotate.timer": []}}')
    assert culprits.managed() == {"nginx.service", "logrotate.timer"}


def test_tables_of_cron_are_told(culprits: Any, tmp_path: Path) -> None:
    table, odd = tmp_path / "crontab", tmp_path / "cron.d" / "pipe"
    table.write_text(f"* * * * * root rm {CONF}\n")
    os.mkfifo(odd)
    (tmp_path / "cron.d/binary").write_bytes(CONF.encode() + b"\0")
    (tmp_path / "cron.d/long").write_text(CONF + " " * 100_000)
    assert list(culprits.cron_jobs([CONF])) == [f"{CONF}: {table} of cron names it"]


def said(at: int, message: Any) -> str:
    return json.dumps({"__REALTIME_TIMESTAMP": str(at * 1_000_000), "MESSAGE": message})


def test_the_journal_tells_commands_and_logins(culprits: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    key, ours = "SHA256:anna", "SHA256:otto"
    journal = [
        said(1, f"Accepted publickey for otto from 10.0.0.1 port 5 ssh2: ED25519 {ours}"),
        said(2, f"Accepted publickey for anna from 10.0.0.7 port 6 ssh2: ED25519 {key}"),
        said(3, f"Accepted publickey for anna from 10.0.0.7 port 7 ssh2: ED25519 {key}"),
        said(4, f"Accepted publickey for otto from 10.0.0.1 port 8 ssh2: ED25519 {ours}"),
        said(5, "Accepted publickey for otto from 10.0.0.1 port 9 ssh2: ED25519 SHA256:else"),
        said(6, f" anna : TTY=pts/0 ; PWD=/ ; USER=root ; COMMAND=/usr/bin/vi {CONF}"),
        said(7, " otto : USER=root ; COMMAND=/usr/bin/timeout -k 1 6 /etc/ansible/facts.d/otto.fact"),
        said(8, [1, 2]),
        "no JSON",
    ]
    monkeypatch.setattr(culprits, "output", lambda _command: "\n".join(journal))
    entries = list(culprits.journal())
    assert list(culprits.commands([CONF, "/etc/ansible/facts.d/otto.fact"], entries)) == [
        f"{CONF}: named at 1970-01-01 00:00:06 UTC by sudo of anna: /usr/bin/vi {CONF}"
    ]
    assert list(culprits.logins(entries, "10.0.0.1 8", "otto")) == [
        "login of otto from 10.0.0.1 with SHA256:else at 1970-01-01 00:00:05 UTC",
        f"login of anna from 10.0.0.7 with {key} 2 times, last at 1970-01-01 00:00:03 UTC",
        f"login of otto from 10.0.0.1 with {ours} 2 times, last at 1970-01-01 00:00:04 UTC (as OttO does)",
    ]


def test_sessions_are_told_but_for_ours(culprits: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    anna = "anna     pts/0        2026-11-26 12:00 (10.0.0.7)"
    who = f"{anna}\nroot     tty1         2026-11-25 11:00\nnonsense\n"
    monkeypatch.setattr(culprits, "output", lambda command: who if command == ["who"] else "")
    proc = culprits.PROC
    a_process(proc, 20, "sshd: anna@pts/0", start=3 * os.sysconf("SC_CLK_TCK"))
    a_process(proc, 21, "sshd: anna [priv]")
    a_process(proc, 22, "sshd: otto@notty")
    a_process(proc, os.getpid(), "python3", parent=22)
    assert list(culprits.sessions()) == [
        "session of anna over SSH (pts/0) from 10.0.0.7 since 2001-09-09 01:46:43 UTC",
        "session of root on tty1 since 2026-11-25 11:00 UTC",
    ]


def test_a_look_that_fails_hides_no_other(culprits: Any, capsys: pytest.CaptureFixture[str]) -> None:
    def broken(*_: Any) -> Any:
        yield "before"
        raise KeyError("no")

    culprits.processes = broken
    culprits.CRON[0].write_text(f"* * * * * root rm {CONF}\n")
    culprits.main([CONF])
    told = json.loads(capsys.readouterr().out)
    assert told[1:] == [
        "before",
        "a look failed: KeyError: 'no'",
        f"{CONF}: {culprits.CRON[0]} of cron names it",
    ]


def test_a_look_that_finds_much_tells_a_little(culprits: Any) -> None:
    lines: list[str] = []
    culprits.gather(("y" * 9999 for _ in range(99)), lines)
    assert lines == ["y" * LONGEST_LINE] * culprits.MOST_OF_A_KIND


def test_what_was_found_in_time_is_told(culprits: Any, capsys: pytest.CaptureFixture[str]) -> None:
    def slow(*_: Any) -> Any:
        yield "first"
        culprits.late(14, None)

    culprits.processes = slow
    culprits.main(["/nowhere/at/all"])
    assert json.loads(capsys.readouterr().out) == [
        "not everything could be looked at in time",
        "/nowhere/at/all: missing, and its folder too",
        "first",
    ]


@pytest.mark.parametrize("text", ["", "nonsense", "{}", "[1]", '["a", null]', "[" * 9999])
def test_an_answer_that_is_none_is_told(text: str) -> None:
    assert read({"stdout": text}) == (UNREADABLE,)


def test_a_hostile_answer_becomes_few_short_clean_lines() -> None:
    lines = ["\x1b[31mred\x1b[0m\nline\u202e", "--password=hunter2", "y" * 9999, "", *["z"] * 99, "\ud800"]
    found = read({"stdout": json.dumps(lines)})
    assert found[:2] == ("red line", "--password=•••")
    assert len(found) == MOST_LINES - 1
    assert all(len(line) <= LONGEST_LINE + 3 and line.isprintable() for line in found)
    assert read(Silence("no route")) == (SILENT,)
