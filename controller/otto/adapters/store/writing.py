"""Statements that write, the same for every database OttO knows."""

from collections.abc import Mapping, Sequence

from sqlalchemy import Connection, Delete, Insert, Table, and_, bindparam, delete, func, select, text
from sqlalchemy.dialects import postgresql, sqlite

from otto.adapters.store.schema import charges, microseconds, runs
from otto.model.canonical import canonical
from otto.model.run import Run

WRITES = "otto_writes"
"""Execution option of engines and connections whose transactions write."""

Row = Mapping[str, object]

# Any number will do, as long as it is always this one.
_TURN = 0x0770_0770


def take_turn(connection: Connection) -> None:
    """Wait until no other process is between here and its transaction's end.

    In SQLite every transaction that writes has had its turn from its start.
    """
    if connection.dialect.name == "postgresql":
        connection.execute(text("SET LOCAL lock_timeout = '10s'"))
        connection.execute(select(func.pg_advisory_xact_lock(_TURN)))


def put(connection: Connection, table: Table, rows: Sequence[Row]) -> None:
    """Insert rows, or replace those of the same key."""
    if rows:
        connection.execute(upsert(connection.dialect.name, table), rows)


def drop(connection: Connection, table: Table, rows: Sequence[Row]) -> None:
    """Delete rows by their keys; those that are not there are no error."""
    keys = table.primary_key.columns
    statement = delete(table).where(and_(*(column == bindparam(f"key_{column.name}") for column in keys)))
    for row in rows:
        connection.execute(statement, {f"key_{column.name}": row[column.name] for column in keys})


def put_run(connection: Connection, run: Run, *, keep: int) -> None:
    """Keep a run; if it has ended, drop the ended ones of its site beyond the newest `keep`."""
    row = {
        "id": run.id,
        "site": run.site,
        "started_at": microseconds(run.started_at),
        "ended_at": None if run.ended_at is None else microseconds(run.ended_at),
        "outcome": run.outcome.value,
        "data": canonical(run),
    }
    put(connection, runs, [row])
    if run.ended_at is not None:
        connection.execute(pruning(run.site, keep))


def pruning(site: str, keep: int) -> Delete:
    """The statement that drops ended runs of a site beyond the newest `keep`."""
    newest_first = (runs.c.started_at.desc(), runs.c.id.desc())
    surplus = select(runs.c.id).where(runs.c.site == site).order_by(*newest_first).offset(keep)
    return delete(runs).where(runs.c.id.in_(surplus), runs.c.ended_at.is_not(None))


def prune_charges(connection: Connection, before: int) -> None:
    """Drop charges from before a time, but of each site the one that held then."""
    later = charges.alias()
    ended = select(later.c.at).where(
        later.c.site == charges.c.site, later.c.at > charges.c.at, later.c.at <= before
    )
    connection.execute(delete(charges).where(charges.c.at < before, ended.exists()))


def upsert(dialect: str, table: Table) -> Insert:
    """`INSERT … ON CONFLICT`, which both databases have and SQLAlchemy writes for each of them."""
    keys = [column.name for column in table.primary_key.columns]
    others = [column.name for column in table.columns if column.name not in keys]
    insert = postgresql.insert(table) if dialect == "postgresql" else sqlite.insert(table)
    if not others:
        return insert.on_conflict_do_nothing(index_elements=keys)
    return insert.on_conflict_do_update(
        index_elements=keys, set_={name: insert.excluded[name] for name in others}
    )
