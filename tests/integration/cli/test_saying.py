"""What people say to the guard, over the real store."""

import asyncio
import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from otto.adapters.clock import SystemClock
from otto.adapters.store import open_store
from otto.cli.main import build_app
from otto.decide import audit
from otto.model.catalogue import RememberedSpec
from otto.model.history import AuditRecord
from otto.model.policy import Policy
from otto.model.run import Outcome, Run
from otto.model.status import Phase, SiteStatus
from otto.model.verdict import Reason
from otto.testing import site_spec

PLAN = "1a2b3c" + "4" * 58


@pytest.fixture
def home(tmp_path: Path) -> Path:
    asyncio.run(_held(tmp_path))
    return tmp_path


async def _held(home: Path) -> None:
    """A site whose plan waits for two people."""
    clock = SystemClock()
    now = clock.now()
    async with open_store(home / "otto.db", clock) as store:
        await store.remember([RememberedSpec(site_spec(policy=Policy(approvers=2)), "c0ffee")])
        await store.save_run(Run("r1", "acme", "look", now, plan=PLAN, outcome=Outcome.WAITING))
        held = (Reason("guard.replace", "the plan would replace acme-web-1", "otto approve acme 1a2b3c"),)
        await store.save_status(
            SiteStatus("acme", Phase.AWAITING_APPROVAL, now, plan=PLAN, held=held, held_since=now)
        )


def otto(home: Path, *words: str) -> Result:
    environ = {"COLUMNS": "120", "OTTO_DEBUG": ""}
    return CliRunner().invoke(build_app(), ["--home", str(home), *words], env=environ)


async def records(home: Path) -> tuple[AuditRecord, ...]:
    async with open_store(home / "otto.db", SystemClock()) as store:
        return await store.ledger.records()


def kinds(home: Path) -> list[str]:
    return [grant["kind"] for grant in json.loads(otto(home, "grants", "--json").stdout)["grants"]]


def obstacles(home: Path) -> list[str]:
    return [item["kind"] for item in json.loads(otto(home, "why", "acme", "--json").stdout)["blockers"]]


def test_two_approvals_are_what_why_sees(home: Path) -> None:
    assert "approval" in obstacles(home)
    for name in ("ann", "bob"):
        result = otto(home, "approve", "acme", "1a2b3c", "--by", name)
        assert result.exit_code == 0, result.output
    assert kinds(home) == ["approve", "approve"]
    assert "approval" not in obstacles(home)
    assert otto(home, "reject", "acme", "1a2b3c", "--by", "cid").exit_code == 0
    assert kinds(home) == ["reject"]
    assert "approval" in obstacles(home)


def test_every_word_is_in_the_chain(home: Path) -> None:
    said = (
        ("approve", "acme", "1a2b3c"),
        ("freeze", "--reason", "sale", "--until", "2h"),
        ("override", "acme", "--reason", "fire"),
        ("thaw",),
    )
    for words in said:
        result = otto(home, *words)
        assert result.exit_code == 0, result.output
    found = asyncio.run(records(home))
    assert [record.entry.what for record in found] == [words[0] for words in said]
    assert not audit.broken(found)
    assert kinds(home) == ["approve", "override"]
