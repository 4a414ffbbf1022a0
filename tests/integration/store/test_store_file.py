"""The store's file: made private, migrated once, safe against kills, clear about what is wrong with it."""

import asyncio
import os
import signal
import sqlite3
import stat
import subprocess
import sys
import textwrap
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from sqlalchemy import create_engine
from structlog.testing import capture_logs

from otto.adapters.clock import SystemClock
from otto.adapters.store import SqlLedger, SqlStore, open_store, opening
from otto.adapters.store.schema import HEAD
from otto.model.errors import TerminalError, TransientError

CLOCK = SystemClock()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "home" / "otto.db"


async def filled(path: Path, rows: int = 1) -> None:
    async with open_store(path, CLOCK) as store:
        for number in range(rows):
            await store.set_value(f"key {number}", "x" * 500)


def edit(path: Path, statement: str, *values: object) -> None:
    connection = sqlite3.connect(path)
    with connection:
        connection.execute(statement, values)
    connection.close()


def script(body: str, *arguments: object) -> list[str]:
    """A program of its own that uses the store at its first argument."""
    head = """
        import asyncio, sys
        from otto.adapters.clock import SystemClock
        from otto.adapters.store import open_store
    """
    return [sys.executable, "-c", textwrap.dedent(head) + textwrap.dedent(body), *map(str, arguments)]


async def test_a_thread_that_reads_by_itself_wakes_no_other(path: Path) -> None:
    async with open_store(path, CLOCK) as store:

        def woken(*, itself: bool) -> set[threading.Thread]:
            if itself:
                store.read_here()
            before = set(threading.enumerate())
            assert asyncio.run(store.status("a")) is None
            return set(threading.enumerate()) - before

        assert not await asyncio.to_thread(woken, itself=True)
        # A thread that never said so has one of the store's look.
        with ThreadPoolExecutor(1) as other:
            assert other.submit(woken, itself=False).result(10)


async def test_file_log_and_folder_are_the_owners_alone(path: Path) -> None:
    os.umask(os.umask(0))
    async with open_store(path, CLOCK) as store:
        await store.set_value("a", "b")
        modes = {entry.name: stat.S_IMODE(entry.stat().st_mode) for entry in path.parent.iterdir()}
    assert modes == {"otto.db": 0o600, "otto.db-wal": 0o600, "otto.db-shm": 0o600}
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


def test_a_file_others_could_read_is_closed_to_them(path: Path) -> None:
    path.parent.mkdir()
    path.touch(0o644)
    path.chmod(0o644)
    asyncio.run(filled(path))
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


async def test_what_was_kept_is_there_after_opening_again(path: Path) -> None:
    await filled(path)
    async with open_store(f"sqlite:///{path}", CLOCK) as store:
        assert await store.value("key 0") == "x" * 500


async def test_closing_leaves_one_file(path: Path) -> None:
    store = open_store(path, CLOCK)
    await store.set_value("a", "b")
    await store.close()
    await store.close()
    assert [entry.name for entry in path.parent.iterdir()] == ["otto.db"]
    with pytest.raises(TerminalError, match="is closed"):
        await store.value("a")


async def test_opening_again_migrates_nothing_and_needs_no_alembic(path: Path) -> None:
    await filled(path)
    body = "open_store(sys.argv[1], SystemClock()); sys.exit('alembic' in sys.modules)"
    done = await asyncio.to_thread(subprocess.run, script(body, path), check=False, timeout=60)
    assert done.returncode == 0


async def test_a_schema_newer_than_the_code_is_refused(path: Path) -> None:
    await filled(path)
    edit(path, "UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(TerminalError, match=f"newer OttO .schema 9999, this one knows {HEAD}") as caught:
        open_store(path, CLOCK)
    assert "run the newer version" in caught.value.mend


@pytest.mark.parametrize("content", [b"this is no database" * 100, b"SQLite format 3\x00" + b"\xff" * 5000])
def test_a_file_that_is_no_database_is_refused_and_left_alone(path: Path, content: bytes) -> None:
    path.parent.mkdir()
    path.write_bytes(content)
    with pytest.raises(TerminalError, match="damaged or no database") as caught:
        open_store(path, CLOCK)
    assert f"move {path} aside" in caught.value.mend
    assert path.read_bytes() == content


def test_a_file_damaged_in_the_middle_says_so_when_it_is_read(path: Path) -> None:
    asyncio.run(filled(path, 200))
    with path.open("r+b") as file:
        for page in range(8, path.stat().st_size // 4096):
            file.seek(page * 4096)
            file.write(b"\xa5" * 4096)

    async def look() -> None:
        async with open_store(path, CLOCK) as store:
            for number in range(200):
                await store.value(f"key {number}")

    with pytest.raises(TerminalError, match="damaged"):
        asyncio.run(look())


async def test_a_row_that_cannot_be_read_counts_as_gone_and_is_logged(path: Path) -> None:
    await filled(path)
    for site, data in (("a", "no json"), ("b", '{"site": "b"}'), ("c", '["x"]')):
        edit(path, "INSERT INTO statuses (site, data) VALUES (?, ?)", site, data)
    async with open_store(path, CLOCK) as store:
        with capture_logs() as logs:
            assert await store.statuses() == ()
            assert await store.status("a") is None
    assert [entry["row"] for entry in logs] == ["a", "b", "c", "a"]
    assert {entry["event"] for entry in logs} == {"store.row_unreadable"}


def test_a_place_that_cannot_be_written_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(TerminalError, match="cannot be created"):
        open_store(tmp_path / "file" / "otto.db", CLOCK)
    with pytest.raises(TerminalError, match="cannot be created"):
        open_store(tmp_path, CLOCK)


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("sqlite://", "keeps nothing"),
        ("sqlite:///:memory:", "keeps nothing"),
        ("nonsense://somebody:hunter2@host/db", "no driver"),
        ("postgresql://somebody:hunter2@host:many/db", "cannot be read"),
    ],
)
def test_a_url_that_cannot_be_used_is_refused_without_its_password(url: str, message: str) -> None:
    with pytest.raises(TerminalError, match=message) as caught:
        open_store(url, CLOCK)
    assert "hunter2" not in str(caught.value)
    assert "hunter2" not in caught.value.detail


async def test_a_full_disk_is_transient(path: Path) -> None:
    await filled(path)
    store = open_store(path, CLOCK)
    with store._database._engine.connect() as connection:
        # Stands in for the disk: no page may be added. The pool hands this very connection out again.
        connection.exec_driver_sql("PRAGMA max_page_count = 1")
    with pytest.raises(TransientError, match="cannot be read or written") as caught:
        await store.set_value("more", "x" * 100_000)
    assert "disk" in caught.value.mend
    await store.close()


async def test_a_writer_that_holds_on_for_too_long_is_transient(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await filled(path)
    monkeypatch.setattr(opening, "_PATIENCE", 0.05)
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    store = open_store(path, CLOCK)
    assert await store.value("key 0")  # readers do not wait for a writer
    with pytest.raises(TransientError, match="held by another process") as caught:
        await store.set_value("a", "b")
    assert caught.value.retry_after == 1
    other.execute("ROLLBACK")
    other.close()
    await store.set_value("a", "b")
    await store.close()


async def test_writes_happen_in_the_order_in_which_they_were_asked_for(path: Path) -> None:
    async with open_store(path, CLOCK) as store:
        await asyncio.gather(*(store.set_value("a", str(number)) for number in range(200)))
        assert await store.value("a") == "199"


async def test_a_cancelled_write_disturbs_no_other(path: Path) -> None:
    async with open_store(path, CLOCK) as store:
        writes = [asyncio.create_task(store.set_value(str(number), "x")) for number in range(50)]
        await asyncio.sleep(0)
        for write in writes[::2]:
            write.cancel()
        await asyncio.gather(*writes, return_exceptions=True)
        assert [await store.value(str(number)) for number in range(1, 50, 2)] == ["x"] * 25


def test_several_processes_open_a_new_store_at_once(path: Path) -> None:
    body = """
        async def main():
            async with open_store(sys.argv[1], SystemClock()) as store:
                for number in range(50):
                    await store.set_value(f"{sys.argv[2]} {number}", "x")
        asyncio.run(main())
    """
    started = [subprocess.Popen(script(body, path, name), stderr=subprocess.PIPE) for name in "abc"]
    for process in started:
        _, errors = process.communicate(timeout=120)
        assert process.returncode == 0, errors.decode()

    async def count() -> int:
        async with open_store(path, CLOCK) as store:
            return sum([await store.value(f"{name} {n}") is not None for name in "abc" for n in range(50)])

    assert asyncio.run(count()) == 150


def test_what_was_acknowledged_survives_a_kill(path: Path) -> None:
    body = """
        async def main():
            store = open_store(sys.argv[1], SystemClock())
            number = 0
            while True:
                await store.set_value(f"key {number}", "x" * 200)
                print(number, flush=True)
                number += 1
        asyncio.run(main())
    """
    for _ in range(3):
        process = subprocess.Popen(script(body, path), stdout=subprocess.PIPE, text=True)
        assert process.stdout
        lines = [process.stdout.readline() for _ in range(40)]
        process.send_signal(signal.SIGKILL)
        rest, _ = process.communicate(timeout=60)
        written = [int(line) for line in (*lines, *rest.split())]

        async def missing(written: list[int]) -> list[int]:
            async with open_store(path, CLOCK) as store:
                return [number for number in written if await store.value(f"key {number}") is None]

        assert asyncio.run(missing(written)) == []


async def test_an_upgrade_that_fails_leaves_the_database_as_it_was(path: Path) -> None:
    path.parent.mkdir()
    edit(path, "CREATE TABLE runs (id TEXT)")
    with pytest.raises(Exception, match="already exists"):
        open_store(path, CLOCK)
    engine = create_engine(f"sqlite:///{path}")
    with engine.connect() as connection:
        tables = (
            connection.exec_driver_sql("SELECT name FROM sqlite_master WHERE type = 'table'").scalars().all()
        )
    engine.dispose()
    assert tables == ["runs"]


def test_the_public_names() -> None:
    assert SqlStore.__module__ == "otto.adapters.store.store"
    assert SqlLedger.__module__ == "otto.adapters.store.ledger"
