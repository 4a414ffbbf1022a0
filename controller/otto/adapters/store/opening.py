"""From a path or URL to a store that is ready: the file, the engine, the migrations."""

import os
import sqlite3
import time
from pathlib import Path

from sqlalchemy import URL, Connection, Engine, create_engine, event, exc, inspect, text
from sqlalchemy.engine import make_url
from sqlalchemy.engine.interfaces import DBAPIConnection, DBAPICursor

from otto.adapters.store.database import Database
from otto.adapters.store.errors import LOST, translated
from otto.adapters.store.schema import HEAD
from otto.adapters.store.store import KEPT_RUNS, SqlStore
from otto.adapters.store.writing import WRITES, take_turn
from otto.model.errors import TerminalError
from otto.ports import Clock

# How long to wait for another process that writes, in seconds; its transactions take milliseconds.
_PATIENCE = 10.0


def open_store(where: str | Path, clock: Clock, *, keep_runs: int = KEPT_RUNS) -> SqlStore:
    """Open the store and its ledger, creating or migrating them first. Blocks for some milliseconds.

    Args:
        where: path of a SQLite file, or a database URL (`sqlite:///…`, `postgresql+psycopg://…`).
        clock: tells what the ledger may drop as too old.
        keep_runs: ended runs that are kept per site; older ones are dropped.

    Raises:
        TerminalError: the database is damaged, barred, of a newer OttO, or its driver is missing.
        TransientError: it is held by another process, or its server is away.
    """
    url = _url(where)
    name = (
        url.database or "" if url.get_backend_name() == "sqlite" else url.render_as_string(hide_password=True)
    )
    engine = _engine(url, name)
    try:
        with translated(name):
            _prepare(engine)
            _migrate(engine, name)
    except BaseException:
        engine.dispose()
        raise
    return SqlStore(Database(engine, name), clock, keep_runs=keep_runs)


def _url(where: str | Path) -> URL:
    if isinstance(where, Path) or "://" not in where:
        return URL.create("sqlite", database=str(where))
    try:
        return make_url(where)
    except (exc.ArgumentError, ValueError):
        # The text itself may hold a password: it is not repeated.
        raise TerminalError(
            "the database URL cannot be read", mend="write it as postgresql://USER@HOST/NAME"
        ) from None


def _engine(url: URL, name: str) -> Engine:
    try:
        engine = create_engine(_with_limits(url), hide_parameters=True, **_options(url))
    except (ImportError, exc.NoSuchModuleError) as error:
        raise TerminalError(
            f"no driver for the database {name}: {error}", mend="install its driver"
        ) from error
    if engine.dialect.name == "sqlite":
        _use_sqlite(engine, Path(name) if name not in ("", ":memory:") else None)
    return engine


def _with_limits(url: URL) -> URL:
    if url.get_backend_name() != "postgresql":
        return url
    return url.set(query={"connect_timeout": str(int(_PATIENCE)), **url.query})


def _options(url: URL) -> dict[str, str]:
    # Who waited for their turn has to see what was written meanwhile, whatever the server's default is.
    return {"isolation_level": "READ COMMITTED"} if url.get_backend_name() == "postgresql" else {}


def _use_sqlite(engine: Engine, path: Path | None) -> None:
    if path is None:
        raise TerminalError("a database in memory keeps nothing", mend="name a file")
    _create_private(path)
    event.listen(engine, "connect", _on_connect)
    event.listen(engine, "begin", _on_begin)


def _create_private(path: Path) -> None:
    """Make the file before SQLite does, readable by its owner alone; -wal and -shm take after it."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        os.close(os.open(path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600))
        path.chmod(0o600)
    except OSError as error:
        mend = "make its folder writable for the user OttO runs as"
        raise TerminalError(f"the database {path} cannot be created: {error.strerror}", mend=mend) from error


def _on_connect(connection: DBAPIConnection, _record: object) -> None:
    # Transactions begin when `_on_begin` says so, not when the driver guesses from the statement.
    connection.isolation_level = None
    cursor = connection.cursor()
    cursor.execute(f"PRAGMA busy_timeout = {int(_PATIENCE * 1000)}")
    # With a write-ahead log, NORMAL loses nothing to a killed process; a power cut may take the last
    # transactions, never the file.
    cursor.execute("PRAGMA synchronous = NORMAL")
    cursor.close()


def _on_begin(connection: Connection) -> None:
    # A transaction that reads first and writes then fails at once if another one wrote in between,
    # whatever the patience: writers take their lock at the start.
    writes = connection.get_execution_options().get(WRITES, False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def _prepare(engine: Engine) -> None:
    """Switch on the write-ahead log, so that readers and the writer do not wait for each other."""
    if engine.dialect.name != "sqlite":
        return
    deadline = time.monotonic() + _PATIENCE
    raw = engine.raw_connection()
    try:
        while not _switched(raw.cursor(), deadline):
            time.sleep(0.02)
    finally:
        raw.close()


def _switched(cursor: DBAPICursor, deadline: float) -> bool:
    try:
        cursor.execute("PRAGMA journal_mode = WAL")
    except sqlite3.OperationalError as error:
        # SQLite does not wait for its lock here, however patient it was told to be.
        if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() > deadline:
            raise
        return False
    return True


def _migrate(engine: Engine, name: str) -> None:
    with engine.connect() as connection, connection.begin():
        if _revision(connection) == HEAD:
            return
    with engine.connect().execution_options(**{WRITES: True}) as connection, connection.begin():
        take_turn(connection)
        found = _revision(connection)  # again: another process may have migrated while we waited
        if found != HEAD:
            _upgrade(connection, found, name)


def _revision(connection: Connection) -> str | None:
    if not inspect(connection).has_table("alembic_version"):
        return None
    found: str | None = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
    return found


def _upgrade(connection: Connection, found: str | None, name: str) -> None:
    # Alembic takes longer to import than all the rest to run, and is needed once in a database's life.
    from alembic import command  # noqa: PLC0415
    from alembic.config import Config  # noqa: PLC0415
    from alembic.script import ScriptDirectory  # noqa: PLC0415

    config = Config()
    folder = Path(__file__).resolve().parent / "migrations"
    config.set_main_option("script_location", str(folder).replace("%", "%%"))
    config.attributes["connection"] = connection
    revisions = {revision.revision for revision in ScriptDirectory.from_config(config).walk_revisions()}
    if found is not None and found not in revisions:
        raise TerminalError(
            f"the database {name} was written by a newer OttO (schema {found}, this one knows {HEAD})",
            mend=f"run the newer version, or move the database aside: {LOST}",
        )
    command.upgrade(config, HEAD)
