"""Migrations arrive at the schema the code works with, and all of it can be said to PostgreSQL."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Engine, Table, create_engine, delete, select
from sqlalchemy.dialects import postgresql
from sqlalchemy.schema import CreateIndex, CreateTable

from otto.adapters import store as package
from otto.adapters.clock import SystemClock
from otto.adapters.store import ledger, open_store, register, schema, writing
from otto.model.register import Selection
from otto.model.status import Phase

MIGRATIONS = Path(package.__file__).parent / "migrations"


@pytest.fixture
async def engine(tmp_path: Path) -> AsyncIterator[Engine]:
    await open_store(tmp_path / "otto.db", SystemClock()).close()
    made = create_engine(f"sqlite:///{tmp_path / 'otto.db'}")
    yield made
    made.dispose()


def test_migrations_lead_to_the_tables_of_the_code(engine: Engine) -> None:
    with engine.connect() as connection:
        context = MigrationContext.configure(connection)
        assert compare_metadata(context, schema.metadata) == []
        assert context.get_current_revision() == schema.HEAD


def test_the_newest_migration_is_the_one_the_code_knows() -> None:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    assert ScriptDirectory.from_config(config).get_heads() == [schema.HEAD]


def test_lookups_use_an_index(engine: Engine) -> None:
    columns = schema.runs.c
    newest = (columns.started_at.desc(), columns.id.desc())
    chosen = [
        select(columns.data).where(columns.site == "a").order_by(*newest).limit(20),
        select(columns.data).order_by(*newest).limit(20),
        select(columns.data).where(columns.ended_at.is_(None)),
        select(columns.data).where(columns.id == "a"),
        select(schema.grants.c.data).where(schema.grants.c.site.in_(("", "a"))),
        select(schema.audit.c.data).where(schema.audit.c.site == "a").order_by(schema.audit.c.number.desc()),
        select(schema.removals.c.data).where(schema.removals.c.at > 1).order_by(schema.removals.c.at),
        ledger._last_charge("a"),
        register.chosen(Selection({"env": "prod", "team": "web"}), "a").limit(20),
        register.chosen(Selection(), "a").limit(20),
        register.chosen(Selection(phases=frozenset({Phase.READY})), "a").limit(20),
        select(columns.data).where(columns.outcome == "failed").order_by(*newest).limit(20),
    ]
    with engine.connect() as connection:
        for statement in chosen:
            text = statement.compile(engine, compile_kwargs={"literal_binds": True})
            plan = " ".join(str(row) for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {text}"))
            assert "USING INDEX" in plan
            assert "TEMP B-TREE" not in plan


@pytest.mark.parametrize("table", schema.metadata.sorted_tables, ids=lambda table: table.name)
def test_postgresql_can_be_told_all_of_it(table: Table) -> None:
    dialect = postgresql.dialect()  # type: ignore[no-untyped-call]
    assert f"CREATE TABLE {table.name}" in str(CreateTable(table).compile(dialect=dialect))
    for index in table.indexes:
        assert f" INDEX {index.name} ON {table.name}" in str(CreateIndex(index).compile(dialect=dialect))
    assert "ON CONFLICT" in str(writing.upsert("postgresql", table).compile(dialect=dialect))
    assert str(delete(table).compile(dialect=dialect))
