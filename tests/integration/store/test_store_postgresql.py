"""Migrations and statements as PostgreSQL itself takes them: its server in single-user mode, no driver."""

import importlib
import io
import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from alembic.operations import Operations
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Executable, Table, func, select
from sqlalchemy.dialects import postgresql

from otto.adapters.store import schema, writing

MIGRATIONS = "otto.adapters.store.migrations.versions"
USER = "nobody"

pytestmark = pytest.mark.skipif(
    not (shutil.which("initdb") and shutil.which("postgres")) or os.geteuid() != 0,
    reason="needs PostgreSQL's server programs, and root to run them as somebody else",
)


@pytest.fixture(scope="module")
def cluster() -> Iterator[Path]:
    """An empty database cluster."""
    folder = Path(tempfile.mkdtemp(prefix="otto-store-postgresql-"))
    os.chown(folder, pwd.getpwnam(USER).pw_uid, -1)
    try:
        _run(["initdb", "-N", "-D", str(folder / "data"), "-A", "trust", "-E", "UTF8", "--locale=C"], folder)
        yield folder
    finally:
        shutil.rmtree(folder)


def _run(command: list[str], folder: Path, text: str = "") -> str:
    done = subprocess.run(
        command, user=USER, extra_groups=[], cwd=folder, input=text, text=True, check=True, timeout=120,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip
    return done.stdout


def said(cluster: Path, statements: list[str]) -> str:
    """What the server prints about statements, one a line."""
    lines = "".join(" ".join(statement.split()) + "\n" for statement in statements)
    output = _run(["postgres", "--single", "-F", "-D", str(cluster / "data"), "postgres"], cluster, lines)
    assert "ERROR" not in output, output
    return output


def migrations() -> list[str]:
    buffer = io.StringIO()
    context = MigrationContext.configure(
        dialect_name="postgresql", opts={"as_sql": True, "output_buffer": buffer}
    )
    with Operations.context(context):
        importlib.import_module(f"{MIGRATIONS}.v0001_first").upgrade()
    return [statement for statement in buffer.getvalue().split(";") if statement.strip()]


def literal(statement: Executable) -> str:
    dialect = postgresql.dialect()  # type: ignore[no-untyped-call]
    return str(statement.compile(dialect=dialect, compile_kwargs={"literal_binds": True}))  # type: ignore[attr-defined]


def upsert(table: Table, **values: Any) -> str:
    return literal(writing.upsert("postgresql", table).values(**values))


def test_the_schema_and_what_is_done_with_it(cluster: Path) -> None:
    runs = [
        upsert(schema.runs, id=f"{n}", site="acme", started_at=n, ended_at=n or None, data=f"it's {n}")
        for n in (0, 1, 2, 3, 4, 4)
    ]
    others = [
        upsert(table, **{column.name: _value(column.name) for column in table.columns})
        for table in (*schema.OF_A_SITE, schema.notes)
    ]
    count = select(func.count().label("kept")).select_from(schema.runs)
    prune = literal(writing.pruning("acme", keep=2))
    output = said(cluster, [*migrations(), *runs, *others, *others, prune, literal(count)])
    assert 'kept = "3"' in output  # the newest two, and the one that never ended


def _value(column: str) -> object:
    return 1 if column.endswith("_at") else "x"
