"""The log, read backwards, filtered and followed."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.cli.conftest import Stage

from otto.adapters import logfile
from otto.adapters.logfile import NOWHERE, Wanted, end, since

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


def newest(path: Path, count: int, wanted: Wanted) -> list[logfile.Entry]:
    return logfile.newest(path, count, wanted)[0]


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


class Following:
    """Asks again and again for what came since."""

    def __init__(self, path: Path) -> None:
        self.path, self.place = path, end(path)

    def more(self, wanted: Wanted | None = None) -> list[object]:
        found, self.place = since(self.path, self.place, wanted or Wanted())
        return names(found)


def test_following_sees_what_is_written_and_half_a_line_only_when_it_is_whole(log: Path) -> None:
    with log.open("a") as file:
        file.write('{"event": "ha')
        file.flush()
        following = Following(log)
        assert following.more() == []
        file.write('lf"}\n{"event": "one"}\n{"event": "t')
        file.flush()
        assert following.more() == ["half", "one"]
        file.write('wo"}\n')
        file.flush()
        assert following.more(Wanted(site="nobody")) == []
        assert following.more() == []


def test_what_is_shown_first_and_what_comes_since_are_the_log_without_a_gap(log: Path) -> None:
    with log.open("a") as file:
        file.write('{"event": "ha')
    found, place = logfile.newest(log, 2, Wanted())
    with log.open("a") as file:
        file.write('lf"}\n')
    assert names(found) + names(since(log, place, Wanted())[0]) == ["late", "failed", "half"]


def test_following_goes_on_in_the_next_files(log: Path) -> None:
    following = Following(log)
    with log.open("a") as file:
        file.write('{"event": "last of the old"}\n')
    log.rename(log.with_name("otto.jsonl.2"))
    write(log.with_name("otto.jsonl.1"), [{"event": "between"}])
    log.write_text('{"event": "first of the new"}\n')
    assert [following.more() for _ in range(4)] == [
        ["last of the old"],
        ["between"],
        ["first of the new"],
        [],
    ]


def test_following_after_a_place_that_is_gone_begins_with_the_file_that_is_there(log: Path) -> None:
    assert names(since(log, "1-99999", Wanted(level="error"))[0]) == ["failed"]
    assert names(since(log, "nonsense", Wanted(level="error"))[0]) == ["failed"]
    assert since(log, f"{log.stat().st_ino}-{10**9}", Wanted())[0] == []


def test_a_long_log_is_followed_piece_by_piece(log: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    following = Following(log)
    following.place = f"{log.stat().st_ino}-0"
    monkeypatch.setattr(logfile, "_MOST", 250)
    pieces = [following.more() for _ in range(6)]
    assert max(map(len, pieces)) < 5
    assert [name for piece in pieces for name in piece] == names(list(ENTRIES))


def test_following_waits_for_a_file_that_is_not_there_yet(tmp_path: Path) -> None:
    following = Following(tmp_path / "otto.jsonl")
    assert (following.place, following.more(), following.place) == (NOWHERE, [], NOWHERE)
    write(tmp_path / "otto.jsonl", ENTRIES[:1])
    assert following.more() == ["controller.started"]


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
    assert "there is no log over" in result.stderr
    assert stage.otto("logs", "--level", "loud").exit_code == 2
