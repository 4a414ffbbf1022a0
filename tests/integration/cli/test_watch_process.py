"""`otto status --watch`, `why` and `history` as processes of their own, beside a store that is written."""

import asyncio
import json
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Mapping
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from otto.adapters.store import SqlStore, open_store
from otto.model.run import Outcome, Run, StepRecord
from otto.model.status import Condition, ConditionType, Phase, SiteStatus, Truth
from otto.testing import START, FakeClock

OTTO = [sys.executable, "-c", "from otto.cli.main import main; main()"]
LIMIT = 60
READY = SiteStatus(
    "acme",
    Phase.READY,
    START,
    {"Ready": Condition(ConditionType.READY, Truth.TRUE, "Verified", "", START)},
)
REASON = "acme-web-2: services/nginx: want active, have inactive"
OBSERVE = StepRecord("observe", START, START + timedelta(seconds=1), Outcome.SUCCEEDED, summary=REASON)


@pytest.fixture
def environ(tmp_path: Path) -> Mapping[str, str]:
    return dict(os.environ) | {"OTTO_HOME": str(tmp_path), "COLUMNS": "200"}


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[SqlStore]:
    async with open_store(tmp_path / "otto.db", FakeClock()) as opened:
        await opened.save_status(READY)
        yield opened


async def line(process: asyncio.subprocess.Process) -> str:
    assert process.stdout
    async with asyncio.timeout(LIMIT):
        return (await process.stdout.readline()).decode().rstrip()


async def test_a_heal_is_told_while_it_happens(store: SqlStore, environ: Mapping[str, str]) -> None:
    process = await asyncio.create_subprocess_exec(
        *OTTO, "status", "--watch", "--json", env=environ, stdout=subprocess.PIPE
    )
    try:
        assert json.loads(await line(process))["message"] == "no controller is running"
        assert json.loads(await line(process))["phase"] == "Ready"
        await store.save_status(replace(READY, phase=Phase.PLANNING, message=REASON))
        assert json.loads(await line(process))["message"] == REASON
        await store.save_run(Run("r1", "acme", "probe", START, steps=(OBSERVE,)))
        told = json.loads(await line(process))
        assert (told["event"], told["step"], told["summary"]) == ("step", "observe", REASON)
        await store.save_status(READY)
        assert json.loads(await line(process))["phase"] == "Ready"
        process.send_signal(signal.SIGINT)
        async with asyncio.timeout(LIMIT):
            assert await process.wait() == 130
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


@pytest.mark.parametrize("words", [["status"], ["why", "acme"], ["history", "acme"]])
async def test_quick_commands_import_neither_the_store_nor_the_tools(
    store: SqlStore, environ: Mapping[str, str], words: list[str]
) -> None:
    await store.save_run(Run("r1", "acme", "probe", START, steps=(OBSERVE,)))
    heavy = (
        "sqlalchemy",
        "alembic",
        "ansible_runner",
        "pygit2",
        "docker",
        "aiohttp",
        "structlog",
        "jsonschema",
    )
    program = (
        "import sys, atexit; from otto.cli.main import main\n"
        f"atexit.register(lambda: print('heavy', sorted(set({heavy!r}) & sys.modules.keys())))\n"
        "main()"
    )
    done = await asyncio.create_subprocess_exec(
        sys.executable, "-c", program, *words, env=environ, stdout=subprocess.PIPE
    )
    async with asyncio.timeout(LIMIT):
        output, _ = await done.communicate()
    assert done.returncode == 0
    assert "acme" in output.decode() or "r1" in output.decode()
    assert output.decode().splitlines()[-1] == "heavy []"
