"""The log, read backwards, filtered and followed."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.cli.conftest import Stage

from otto.cli import logfile
from otto.cli.logfile import Follower, Wanted, newest

ENTRIES: list[dict[str, object]] = [
    {"timestamp": "2026-01-01T00:00:01.000Z", "level": "info", "event": "controller.started", "sites": 2},
    {"timestamp": "2026-01-01T00:00:02.000Z", "level": "info", "event": "run.started",
     "site": "acme", "run": "r1"},
    {"timestamp": "2026-01-01T00:00:03.000Z", "level": "debug", "event": "step", "site": "acme", "run": "r1"},
    {"timestamp": "2026-01-01T00:00:04.000Z", "level": "warning", "event": "late",
     "site": "shop", "run": "r2"},
    {"timestamp": "2026-01-01T00:00:05.000Z", "level": "error", "event": "failed", "site": "acme",
     "run": "r3", "exception": "Traceback\n  \x1b[31mred", "message": "a \x1b]0;title\x07"},
]  # fmt: skip


def write(path: Path, entries: list[dict[str, object]]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(entry) + "\n" for entry in entries))
    return path


@pytest.fixture
def log(stage: Stage) -> Path:
    return write(stage.home / "logs" / "otto.jsonl", ENTRIES)


def names(entries: list[logfile.Entry]) -> list[object]:
    return [entry["event"] for entry in entries]


@pytest.mark.parametrize(
    ("wanted", "events"),
    [
        (Wanted(), ["controller.started", "run.started", "step", "late", "failed"]),
        (Wanted(site="acme"), ["run.started", "step", "failed"]),
        (Wanted(run="r1"), ["run.started", "step"]),
        (Wanted(run="r"), ["run.started", "step", "late", "failed"]),
        (Wanted(level="warning"), ["late", "failed"]),
        (Wanted(site="acme", level="info"), ["run.started", "failed"]),
        (Wanted(site="nobody"), []),
    ],
)
def test_newest_filters(log: Path, wanted: Wanted, events: list[str]) -> None:
    assert names(newest(log, 50, wanted)) == events


def test_newest_are_the_last_ones_in_their_order(log: Path) -> None:
    assert names(newest(log, 2, Wanted())) == ["late", "failed"]


def test_older_files_are_read_on_when_the_newest_holds_too_few(tmp_path: Path) -> None:
    log = write(tmp_path / "otto.jsonl", ENTRIES[4:])
    write(tmp_path / "otto.jsonl.1", ENTRIES[2:4])
    write(tmp_path / "otto.jsonl.2", ENTRIES[:2])
    assert names(newest(log, 4, Wanted())) == ["run.started", "step", "late", "failed"]
    assert len(newest(log, 50, Wanted())) == 5


def test_a_line_that_a_kill_cut_off_and_lines_that_are_no_entry_are_skipped(tmp_path: Path) -> None:
    log = tmp_path / "otto.jsonl"
    log.write_text('[1]\nnot json\n{"event": "whole"}\n{"event": "cut')
    assert names(newest(log, 50, Wanted())) == ["whole"]


@given(st.lists(st.text(max_size=300), max_size=60), st.integers(1, 70))
def test_backwards_is_the_end_of_forwards(
    tmp_path_factory: pytest.TempPathFactory, texts: list[str], count: int
) -> None:
    log = write(tmp_path_factory.mktemp("logs") / "otto.jsonl", [{"event": text} for text in texts])
    block, logfile._BLOCK = logfile._BLOCK, 64
    try:
        assert names(newest(log, count, Wanted())) == texts[-count:]
    finally:
        logfile._BLOCK = block


def test_following_sees_what_is_written_and_half_a_line_only_when_it_is_whole(log: Path) -> None:
    follower = Follower(log)
    assert follower.more() == []
    with log.open("a") as file:
        file.write('{"event": "one"}\n{"event": "t')
        file.flush()
        assert names(follower.more()) == ["one"]
        file.write('wo"}\n')
        file.flush()
        assert names(follower.more()) == ["two"]
    follower.close()


def test_following_goes_on_in_the_next_file(log: Path) -> None:
    follower = Follower(log)
    with log.open("a") as file:
        file.write('{"event": "last of the old"}\n')
    log.rename(log.with_name("otto.jsonl.1"))
    assert names(follower.more()) == ["last of the old"]
    log.write_text('{"event": "first of the new"}\n')
    assert names(follower.more()) == ["first of the new"]
    follower.close()


def test_following_waits_for_a_file_that_is_not_there_yet(tmp_path: Path) -> None:
    follower = Follower(tmp_path / "otto.jsonl")
    assert follower.more() == []
    write(tmp_path / "otto.jsonl", ENTRIES[:1])
    assert names(follower.more()) == ["controller.started"]
    follower.close()


def test_logs_of_one_site(stage: Stage, log: Path) -> None:
    lines = stage.otto("logs", "acme", "-n", "2").stdout.splitlines()
    assert "step" in lines[0]
    assert lines[1].split()[1:4] == ["error", "acme", "failed"]
    assert lines[2:] == ["Traceback", "  \\x1b[31mred"]


def test_logs_never_steer_the_terminal(stage: Stage, log: Path) -> None:
    shown = stage.otto("logs").stdout
    assert "\x1b" not in shown
    assert "\x07" not in shown
    assert "\x1b" not in stage.otto("logs", "--json").stdout


def test_logs_json_is_the_entries_as_they_are(stage: Stage, log: Path) -> None:
    lines = stage.otto("logs", "--json", "--run", "r2").stdout.splitlines()
    assert [json.loads(line) for line in lines] == [ENTRIES[3]]


def test_no_log_and_a_wrong_level(stage: Stage) -> None:
    result = stage.otto("logs")
    assert result.exit_code == 1
    assert "there is no log at" in result.stderr
    assert stage.otto("logs", "--level", "loud").exit_code == 2
