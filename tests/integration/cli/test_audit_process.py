"""`otto audit` as a process of its own, over the database, beside one that goes on to write."""

import asyncio
import json
import os
import sqlite3
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from otto.adapters.clock import SystemClock
from otto.adapters.store import SqlLedger, open_store
from otto.decide import audit
from otto.model.history import AuditEntry

OTTO = [sys.executable, "-c", "from otto.cli.main import main; main()"]
LIMIT = 60


async def otto(home: Path, *words: str) -> "subprocess.CompletedProcess[str]":
    return await asyncio.to_thread(
        subprocess.run,
        [*OTTO, "--home", str(home), *words],
        check=False,
        timeout=LIMIT,
        capture_output=True,
        text=True,
        env=dict(os.environ) | {"COLUMNS": "200"},
    )


async def write(ledger: SqlLedger, stop: asyncio.Event) -> int:
    count = 0
    while not stop.is_set():
        await ledger.append(AuditEntry(datetime.now(UTC), "otto", "verdict", "acme", summary="2 to create"))
        count += 1
    return count


async def test_it_reads_beside_a_writer(tmp_path: Path) -> None:
    stop = asyncio.Event()
    async with open_store(tmp_path / "otto.db", SystemClock()) as store:
        first = await store.ledger.append(AuditEntry(datetime.now(UTC), "ann", "freeze"))
        writing = asyncio.create_task(write(store.ledger, stop))
        verified = await otto(tmp_path, "audit", "--verify", "--expect", first.hash, "--json")
        shown = await otto(tmp_path, "audit", "acme", "--limit", "3")
        stop.set()
        count = await writing
        records = await store.ledger.records(limit=count + 1)
    assert (verified.returncode, shown.returncode) == (0, 0), verified.stderr + shown.stderr
    chain = json.loads(verified.stdout)["chain"]
    assert chain["wrong"] == ""
    assert chain["last"] == records[chain["records"] - 1].hash
    assert len(shown.stdout.splitlines()) == 4
    assert (len(records), audit.broken(records)) == (count + 1, "")


@pytest.mark.parametrize(
    ("statement", "says"),
    [
        ("UPDATE audit SET data = replace(data, 'ann', 'bob') WHERE number = 2", "record 2 was changed"),
        ("DELETE FROM audit WHERE number = 2", "record 2 is missing"),
    ],
)
async def test_what_somebody_did_to_the_file_is_found_without_a_controller(
    tmp_path: Path, statement: str, says: str
) -> None:
    async with open_store(tmp_path / "otto.db", SystemClock()) as store:
        for _ in range(3):
            await store.ledger.append(AuditEntry(datetime.now(UTC), "ann", "freeze"))
    connection = sqlite3.connect(tmp_path / "otto.db")
    with connection:
        for name in ("audit_update", "audit_delete"):
            connection.execute(f"DROP TRIGGER {name}")
        connection.execute(statement)
    connection.close()
    done = await otto(tmp_path, "audit", "--verify")
    assert (done.returncode, done.stdout) == (1, "")
    assert says in done.stderr


async def test_a_home_without_a_database_gets_none(tmp_path: Path) -> None:
    done = await otto(tmp_path, "audit")
    assert done.returncode == 1
    assert "OttO has not run" in done.stderr
    assert list(tmp_path.iterdir()) == []
