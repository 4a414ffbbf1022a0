"""Events arrive on the stream and in the file, whole, once, and without secrets."""

import io
import json
import logging
import stat
import warnings
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import structlog

from otto.model.errors import TerminalError
from otto.telemetry.logs import FILE, Logs, PrivateFileHandler, about, configure

AT = datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=UTC)
Start = Callable[..., Logs]


@pytest.fixture
def stream() -> io.StringIO:
    return io.StringIO()


@pytest.fixture
def start(stream: io.StringIO) -> Iterator[Start]:
    started: list[Logs] = []

    def one(**settings: Any) -> Logs:
        made = configure(stream=stream, now=lambda: AT, **settings)
        started.append(made)
        return made

    yield one
    for logs in started:
        logs.close()


def fail() -> None:
    raise TerminalError("nothing there", mend="make it")


def lines(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines()]


def test_an_event_is_one_json_line_with_its_context(start: Start, stream: io.StringIO) -> None:
    start(style="json")
    with about(site="acme", run="r1", commit=None):
        structlog.get_logger("otto.run").info("run.started", cause="push", hosts=("a", "b"))
    assert lines(stream.getvalue()) == [
        {
            "timestamp": "2026-01-02T03:04:05.678Z",
            "level": "info",
            "event": "run.started",
            "logger": "otto.run",
            "site": "acme",
            "run": "r1",
            "cause": "push",
            "hosts": ["a", "b"],
        }
    ]
    assert stream.getvalue().startswith('{"timestamp": "2026-01-02T03:04:05.678Z", "level": "info", "event"')


def test_the_file_gets_json_in_any_case(start: Start, stream: io.StringIO, tmp_path: Path) -> None:
    start(style="console", folder=tmp_path / "logs")
    structlog.get_logger("otto.run").warning("run.slow", seconds=3)
    (entry,) = lines((tmp_path / "logs" / FILE).read_text())
    assert (entry["event"], entry["seconds"]) == ("run.slow", 3)
    assert "run.slow" in stream.getvalue()
    assert "\x1b" not in stream.getvalue()
    assert stat.S_IMODE((tmp_path / "logs" / FILE).stat().st_mode) == 0o600
    assert stat.S_IMODE((tmp_path / "logs").stat().st_mode) == 0o700


@pytest.mark.parametrize("style", ["console", "json"])
def test_no_secret_gets_out_in_any_way(start: Start, stream: io.StringIO, tmp_path: Path, style: str) -> None:
    logs = start(style=style, folder=tmp_path)
    logs.redactor.register("correct horse")
    log = structlog.get_logger("otto.run")
    log.error(
        "correct horse",
        url="https://joe:hunter2@git.example",
        password="staple",
        nested={"a": ["correct horse"]},
    )
    try:
        int("token=battery")
    except ValueError as error:
        log.exception("failed", error=error)
    logging.getLogger("aiohttp.client").error("sent %s", "Authorization: Bearer batteries")
    for text in (stream.getvalue(), (tmp_path / FILE).read_text()):
        assert "failed" in text
        assert "ValueError" in text
        for secret in ("correct horse", "hunter2", "staple", "battery", "batteries"):
            assert secret not in text


@pytest.mark.parametrize("style", ["console", "json"])
def test_no_event_can_forge_a_line(start: Start, stream: io.StringIO, style: str) -> None:
    start(style=style)
    structlog.get_logger("otto.run").info("asked", path="/\n2026 [info] forged\x1b[31m", **{"a\nb": "c"})
    assert len(stream.getvalue().splitlines()) == 1
    assert "\x1b" not in stream.getvalue()


def test_an_exception_keeps_its_lines_and_its_place(start: Start, stream: io.StringIO) -> None:
    start(style="json")
    try:
        fail()
    except TerminalError:
        structlog.get_logger("otto.run").exception("failed")
    (entry,) = lines(stream.getvalue())
    assert entry["exception"].startswith("Traceback")
    assert entry["exception"].endswith("nothing there (make it)")
    assert "\n" in entry["exception"]


def test_libraries_join_in_from_warning_on(start: Start, stream: io.StringIO) -> None:
    start(style="json")
    with about(site="acme"):
        logging.getLogger("alembic").info("not this")
        logging.getLogger("alembic").warning("but %s", "this")
    (entry,) = lines(stream.getvalue())
    assert (entry["event"], entry["logger"], entry["site"]) == ("but this", "alembic", "acme")


def test_an_exception_of_a_library_is_shown_once(start: Start, stream: io.StringIO) -> None:
    start(style="json")
    try:
        int("odd")
    except ValueError:
        logging.getLogger("asyncio").exception("unhandled")
    (entry,) = lines(stream.getvalue())
    assert entry["exception"].count("ValueError: invalid") == 1


@pytest.mark.parametrize(("level", "events"), [("debug", 4), ("info", 3), ("warning", 2), ("error", 1)])
def test_the_level_is_ottos_own(start: Start, stream: io.StringIO, level: str, events: int) -> None:
    start(style="json", level=level)
    log = structlog.get_logger("otto.run")
    for speak in (log.debug, log.info, log.warning, log.error):
        speak("said")
    assert len(lines(stream.getvalue())) == events


def test_a_stream_can_show_less_than_the_file(start: Start, stream: io.StringIO, tmp_path: Path) -> None:
    start(style="json", folder=tmp_path, shown_level="warning")
    log = structlog.get_logger("otto.run")
    log.info("quiet")
    log.warning("loud")
    assert [entry["event"] for entry in lines(stream.getvalue())] == ["loud"]
    assert [entry["event"] for entry in lines((tmp_path / FILE).read_text())] == ["quiet", "loud"]


def test_python_warnings_are_logged(start: Start, stream: io.StringIO) -> None:
    start(style="json")
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        warnings.warn("old ways", DeprecationWarning, stacklevel=1)
    assert "old ways" in stream.getvalue()


def test_the_file_turns_over_and_stays_private(tmp_path: Path) -> None:
    handler = PrivateFileHandler(tmp_path / FILE, size=1000, keep=2)
    for number in range(100):
        handler.emit(logging.LogRecord("otto", logging.INFO, "", 0, f"{number} " + "x" * 90, (), None))
    handler.close()
    files = sorted(tmp_path.iterdir())
    assert [file.name for file in files] == [FILE, f"{FILE}.1", f"{FILE}.2"]
    assert {stat.S_IMODE(file.stat().st_mode) for file in files} == {0o600}
    assert all(file.stat().st_size <= 1000 for file in files)
    assert handler.lost == 0


def test_a_full_disk_costs_entries_and_nothing_else(capsys: pytest.CaptureFixture[str]) -> None:
    handler = PrivateFileHandler(Path("/dev/full"), size=0)
    for _ in range(3):
        handler.emit(logging.LogRecord("otto", logging.INFO, "", 0, "x", (), None))
    assert handler.lost == 3
    assert capsys.readouterr().err.count("cannot be written") == 1
    handler.close()


def test_a_folder_that_cannot_be_written_is_said_at_the_start(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(TerminalError, match="logs cannot be written"):
        configure(folder=tmp_path / "file")


def test_closing_puts_everything_back(stream: io.StringIO) -> None:
    root = logging.getLogger()
    before = (list(root.handlers), root.level, logging.getLogger("otto").level)
    with configure(stream=stream, level="debug") as logs:
        assert len(root.handlers) == len(before[0]) + 1
        logs.close()
    assert (list(root.handlers), root.level, logging.getLogger("otto").level) == before
    assert not structlog.is_configured()
