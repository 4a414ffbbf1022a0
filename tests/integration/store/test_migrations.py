"""What an older OttO kept is there after an upgrade; and the way back is open."""

import sqlite3
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, Engine, create_engine, insert, inspect
from tests.integration.store.test_store_schema import MIGRATIONS

from otto.adapters.store import open_store, schema
from otto.adapters.store.schema import microseconds
from otto.model.canonical import canonical
from otto.model.catalogue import RememberedSpec
from otto.model.history import AuditEntry, Grant, GrantKind
from otto.model.register import Selection
from otto.model.run import Outcome, Run
from otto.model.status import Phase, SiteStatus
from otto.testing import START, FakeClock, site_spec

GIVEN = START + timedelta(microseconds=123456)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "otto.db"


@pytest.fixture
def engine(path: Path) -> Iterator[Engine]:
    made = create_engine(f"sqlite:///{path}")
    yield made
    made.dispose()


def config(connection: Connection) -> Config:
    made = Config()
    made.set_main_option("script_location", str(MIGRATIONS))
    made.attributes["connection"] = connection
    return made


def at_0001(engine: Engine, *approvals: tuple[str, str, str, int]) -> None:
    with engine.begin() as connection:
        command.upgrade(config(connection), "0001")
        connection.exec_driver_sql("INSERT INTO notes VALUES ('commit', 'c')")
        for approval in approvals:
            connection.exec_driver_sql("INSERT INTO approvals VALUES (?, ?, ?, ?)", approval)


async def test_approvals_become_grants_that_end_a_day_after_they_were_given(
    engine: Engine, path: Path
) -> None:
    given = microseconds(GIVEN)
    at_0001(engine, ("acme", "p1", "ann", given), ("acme", "p2", 'b"o/b\n', given), ("shop", "p1", "ann", 0))
    async with open_store(path, FakeClock()) as store:
        found = await store.ledger.grants(site="acme")
        until = GIVEN + timedelta(hours=24)
        assert found == (
            Grant(GrantKind.APPROVE, "acme", "ann", GIVEN, until, plan="p1"),
            Grant(GrantKind.APPROVE, "acme", 'b"o/b\n', GIVEN, until, plan="p2"),
        )
        assert [grant.site for grant in await store.ledger.grants()] == ["shop", "acme", "acme"]
        assert await store.value("commit") == "c"
        assert await store.ledger.revoke(found[0])
        assert await store.ledger.records() == ()
    assert not inspect(engine).has_table("approvals")


async def test_a_store_without_approvals_is_upgraded(engine: Engine, path: Path) -> None:
    at_0001(engine)
    async with open_store(path, FakeClock()) as store:
        assert await store.ledger.grants() == ()


async def test_a_downgrade_brings_no_approval_back(engine: Engine, path: Path) -> None:
    at_0001(engine, ("acme", "p1", "ann", microseconds(GIVEN)))
    async with open_store(path, FakeClock()) as store:
        await store.ledger.append(AuditEntry(START, "ann", "approve"))
    with engine.begin() as connection:
        command.downgrade(config(connection), "0001")
    raw = sqlite3.connect(path)
    tables = {name for (name,) in raw.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    assert raw.execute("SELECT * FROM approvals").fetchall() == []
    assert raw.execute("SELECT value FROM notes").fetchall() == [("c",)]
    raw.close()
    assert not tables & {"grants", "removals", "charges", "audit"}
    async with open_store(path, FakeClock()) as store:
        assert await store.ledger.records() == ()


async def test_sites_that_were_kept_are_listed(engine: Engine, path: Path) -> None:
    spec = RememberedSpec(site_spec("acme", labels={"env": "prod"}), "c")
    status = SiteStatus("acme", Phase.DEGRADED, START, labels={"env": "old"}, provider="lab")
    gone = SiteStatus("gone", Phase.ORPHANED, START, labels={"env": "old"})
    run = Run("1", "acme", "push", START, ended_at=START, outcome=Outcome.FAILED)
    with engine.begin() as connection:
        command.upgrade(config(connection), "0004")
        for table, site, value in (
            ("statuses", "acme", canonical(status)),
            ("statuses", "gone", canonical(gone)),
            ("statuses", "torn", "{"),
            ("remembered", "acme", canonical(spec)),
            ("remembered", "new", canonical(RememberedSpec(site_spec("new"), "c"))),
        ):
            connection.execute(insert(schema.metadata.tables[table]).values(site=site, data=value))
        connection.exec_driver_sql(
            "INSERT INTO runs (id, site, started_at, data) VALUES ('1', 'acme', 1, ?)", (canonical(run),)
        )
    async with open_store(path, FakeClock()) as store:
        found = {item.site: item.labels for item in await store.register.page(Selection())}
        assert found == {"acme": {"env": "prod"}, "gone": {"env": "old"}, "new": {}}
        degraded = await store.register.page(Selection({"env": "prod"}, frozenset({Phase.DEGRADED})))
        assert [item.site for item in degraded] == ["acme"]
        assert [item.id for item in await store.runs(outcome=Outcome.FAILED)] == ["1"]


def test_all_of_it_can_be_taken_down(engine: Engine) -> None:
    with engine.begin() as connection:
        command.upgrade(config(connection), "head")
        command.downgrade(config(connection), "base")
    assert inspect(engine).get_table_names() == ["alembic_version"]
