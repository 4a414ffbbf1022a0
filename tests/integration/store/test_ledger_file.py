"""The audit record in a file: whole after kills and crowds, and tampering shows."""

import asyncio
import signal
import sqlite3
import subprocess
import sys
import textwrap
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from otto.adapters.store import SqlLedger, open_store
from otto.adapters.store.chain import UNREADABLE
from otto.decide import audit
from otto.model.errors import TerminalError
from otto.model.history import AuditEntry, AuditRecord, Charge, Grant, GrantKind, Removal
from otto.model.plan import ActionKind
from otto.testing import START, FakeClock

TRIGGERS = ("audit_update", "audit_delete", "audit_insert")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "otto.db"


@pytest.fixture
async def ledger(path: Path) -> AsyncIterator[SqlLedger]:
    async with open_store(path, FakeClock()) as store:
        for number in range(5):
            await store.ledger.append(entry(number))
        yield store.ledger


def entry(number: int) -> AuditEntry:
    return AuditEntry(START + timedelta(seconds=number), "somebody", "thaw", "acme", summary=str(number))


def edit(path: Path, *statements: str) -> None:
    connection = sqlite3.connect(path)
    with connection:
        for statement in statements:
            connection.execute(statement)
    connection.close()


def script(body: str, *arguments: object) -> list[str]:
    """A program of its own that appends to the ledger at its first argument."""
    head = """
        import asyncio, os, signal, sys
        from otto.adapters.clock import SystemClock
        from otto.adapters.store import chain, open_store
        from otto.model.history import AuditEntry

        def entry(who, number):
            return AuditEntry(SystemClock().now(), who, "verdict", "acme", summary=str(number))
    """
    return [sys.executable, "-c", textwrap.dedent(head) + textwrap.dedent(body), *map(str, arguments)]


async def all_of(path: Path) -> tuple[AuditRecord, ...]:
    async with open_store(path, FakeClock()) as store:
        return await store.ledger.records(limit=100_000)


def test_several_processes_append_to_one_chain(path: Path) -> None:
    body = """
        async def main():
            async with open_store(sys.argv[1], SystemClock()) as store:
                for number in range(40):
                    await store.ledger.append(entry(sys.argv[2], number))
        asyncio.run(main())
    """
    started = [subprocess.Popen(script(body, path, name), stderr=subprocess.PIPE) for name in "abcd"]
    for process in started:
        _, errors = process.communicate(timeout=120)
        assert process.returncode == 0, errors.decode()
    records = asyncio.run(all_of(path))
    assert (len(records), audit.broken(records)) == (160, "")
    for name in "abcd":
        said = [record.entry.summary for record in records if record.entry.who == name]
        assert said == [str(number) for number in range(40)]


def test_a_kill_between_insertion_and_commit_leaves_a_whole_chain(path: Path) -> None:
    body = """
        async def main():
            store = open_store(sys.argv[1], SystemClock())
            await store.ledger.append(entry("first", 1))

            def half(connection):
                chain.append(connection, entry("second", 2))
                os.kill(os.getpid(), signal.SIGKILL)

            await store._database.write(half)
        asyncio.run(main())
    """
    done = subprocess.run(script(body, path), check=False, timeout=60, capture_output=True)
    assert done.returncode == -signal.SIGKILL, done.stderr.decode()
    (only,) = asyncio.run(all_of(path))
    assert only.entry.who == "first"

    async def goes_on() -> str:
        async with open_store(path, FakeClock()) as store:
            await store.ledger.append(entry(3))
        return audit.broken(await all_of(path))

    assert asyncio.run(goes_on()) == ""


def test_kills_at_any_moment_leave_a_whole_chain_with_all_that_was_acknowledged(path: Path) -> None:
    body = """
        async def main():
            store = open_store(sys.argv[1], SystemClock())
            while True:
                record = await store.ledger.append(entry("x", 0))
                print(record.hash, flush=True)
        asyncio.run(main())
    """
    acknowledged: list[str] = []
    for _ in range(3):
        process = subprocess.Popen(script(body, path), stdout=subprocess.PIPE, text=True)
        assert process.stdout
        acknowledged += [process.stdout.readline().strip() for _ in range(30)]
        process.send_signal(signal.SIGKILL)
        acknowledged += process.communicate(timeout=60)[0].split()
        records = asyncio.run(all_of(path))
        assert audit.broken(records) == ""
        assert {line for line in acknowledged if len(line) == 64} <= {record.hash for record in records}


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit SET data = '{}' WHERE number = 3",
        "UPDATE audit SET hash = 'x'",
        "DELETE FROM audit WHERE number = 5",
        "DELETE FROM audit",
        "INSERT OR REPLACE INTO audit SELECT number, at, site, '', before, hash FROM audit WHERE number = 3",
        "REPLACE INTO audit SELECT 5, at, site, data, before, hash FROM audit WHERE number = 3",
        "INSERT INTO audit SELECT 9, at, site, data, before, hash FROM audit WHERE number = 3",
        "UPDATE OR REPLACE audit SET number = 4 WHERE number = 5",
    ],
)
async def test_the_database_refuses_to_change_the_record(
    ledger: SqlLedger, path: Path, statement: str
) -> None:
    with pytest.raises(sqlite3.IntegrityError, match="audit record"):
        edit(path, statement)
    assert audit.broken(await ledger.records()) == ""


@pytest.mark.parametrize(
    ("statement", "wrong"),
    [
        ("UPDATE audit SET data = replace(data, 'somebody', 'another') WHERE number = 3", "3 was changed"),
        ("UPDATE audit SET site = 'shop' WHERE number = 2", "2 was changed"),
        ("UPDATE audit SET at = at + 1 WHERE number = 1", "1 was changed"),
        ("UPDATE audit SET at = 9223372036854775807 WHERE number = 1", "1 was changed"),
        ("UPDATE audit SET hash = 'x' WHERE number = 5", "5 was changed"),
        ("UPDATE audit SET before = 'x' WHERE number = 4", "4 does not follow record 3"),
        ("UPDATE audit SET data = 'no json' WHERE number = 5", "5 was changed"),
        ("UPDATE audit SET data = '[]' WHERE number = 5", "5 was changed"),
        ("UPDATE audit SET data = '{}'", "1 was changed"),
        ("UPDATE audit SET data = 5 WHERE number = 2", "2 was changed"),
        ("UPDATE audit SET data = X'80' WHERE number = 2", "2 was changed"),
        ("UPDATE audit SET at = 'x' WHERE number = 2", "2 was changed"),
        ("DELETE FROM audit WHERE number = 3", "3 is missing"),
        ("DELETE FROM audit WHERE number = 1", "1 is missing"),
        ("UPDATE audit SET number = number + 1 WHERE number = 5", "5 is missing"),
    ],
)
async def test_what_an_attacker_changes_is_found(
    ledger: SqlLedger, path: Path, statement: str, wrong: str
) -> None:
    assert audit.broken(await ledger.records()) == ""
    edit(path, *(f"DROP TRIGGER {name}" for name in TRIGGERS), statement)
    assert audit.broken(await ledger.records()) == f"record {wrong}"


async def test_a_record_outside_the_chain_is_not_shown(ledger: SqlLedger, path: Path) -> None:
    first = await ledger.records(limit=4)
    edit(
        path, *(f"DROP TRIGGER {name}" for name in TRIGGERS), "UPDATE audit SET number = -1 WHERE number = 5"
    )
    assert await ledger.records() == await ledger.records(after=-9) == first
    assert await ledger.latest() == first[::-1]


async def test_a_row_that_cannot_be_read_keeps_its_place(ledger: SqlLedger, path: Path) -> None:
    edit(path, *(f"DROP TRIGGER {name}" for name in TRIGGERS), "UPDATE audit SET data = 'x'")
    records = await ledger.records()
    assert [record.number for record in records] == [1, 2, 3, 4, 5]
    assert {record.entry.what for record in records} == {UNREADABLE}
    assert await ledger.records(site="acme") == records
    assert (await ledger.append(entry(9))).number == 6


async def test_an_entry_that_would_not_come_back_is_refused(ledger: SqlLedger) -> None:
    odd = AuditEntry(START, "somebody", "thaw", detail={"count": 3})  # type: ignore[dict-item]
    with pytest.raises(TerminalError, match="detail"):
        await ledger.append(odd)
    assert len(await ledger.records()) == 5


async def test_what_nothing_counts_any_more_is_dropped(path: Path) -> None:
    clock = FakeClock()
    async with open_store(path, clock) as store:
        ledger = store.ledger
        await ledger.removed([Removal("acme", "acme-web-1", ActionKind.REPLACE, START)])
        await ledger.grant(
            Grant(GrantKind.APPROVE, "acme", "ann", START, START + timedelta(days=1), plan="p")
        )
        await ledger.grant(Grant(GrantKind.FREEZE, "", "ann", START))
        for site, day in (("acme", 0), ("acme", 1), ("shop", 1)):
            await ledger.charge(Charge(site, START + timedelta(days=day), 1.0 + day))
        clock.move(timedelta(days=30).total_seconds())
        await write_one_of_each(ledger, clock, "first")
        assert len(await ledger.removals(START)) == 2
        assert len(await ledger.grants()) == 3
        assert len(await ledger.charges(START)) == 4
        clock.move(timedelta(days=60).total_seconds())
        await write_one_of_each(ledger, clock, "second")
        assert [removal.host for removal in await ledger.removals(START)] == ["second"]
        assert [(grant.kind.value, grant.plan) for grant in await ledger.grants()] == [
            ("freeze", ""),
            ("approve", "second"),
        ]
        kept = {(charge.site, charge.hourly) for charge in await ledger.charges(START)}
        assert kept == {("acme", 2.0), ("shop", 2.0), ("first", 9.0), ("second", 9.0)}


async def write_one_of_each(ledger: SqlLedger, clock: FakeClock, name: str) -> None:
    now = clock.now()
    await ledger.removed([Removal("acme", name, ActionKind.REPLACE, now)])
    await ledger.grant(Grant(GrantKind.APPROVE, "acme", "ann", now, now + timedelta(days=1), plan=name))
    await ledger.charge(Charge(name, now, 9.0))
