"""What a database says, as errors of the house."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import exc

from otto.model.errors import OttoError, TerminalError, TransientError

_BUSY = (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_PROTOCOL)
_BROKEN = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)
_BARRED = (sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_PERM, sqlite3.SQLITE_AUTH)

LOST = (
    "without a backup history, the audit record and what people said (approvals, freezes, …) are lost, "
    "the rest is rebuilt"
)
"""What becomes of what is in a database that is moved aside."""


@contextmanager
def translated(database: str) -> Iterator[None]:
    """Turn what SQLAlchemy and SQLite raise inside into errors of the house.

    Args:
        database: what it is called in messages, without its password.

    Raises:
        TerminalError: the file is no database, is damaged, or may not be opened.
        TransientError: somebody else holds it, the disk is full or fails, the server is away.
    """
    try:
        yield
    except (exc.SQLAlchemyError, sqlite3.Error) as error:
        known = _known(error, database)
        if known is None:
            raise
        raise known from error


def _known(error: Exception, database: str) -> OttoError | None:
    cause = error.orig if isinstance(error, exc.DBAPIError) else error
    if isinstance(cause, sqlite3.Error):
        return _sqlite(cause, database)
    if isinstance(error, exc.OperationalError | exc.InterfaceError | exc.TimeoutError):
        return TransientError(f"the database {database} cannot be used now: {cause}")
    return None


def _sqlite(error: sqlite3.Error, database: str) -> OttoError | None:
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF  # the rest of the number only says more precisely
    if code in _BROKEN:
        return TerminalError(
            f"the database {database} is damaged or no database: {error}",
            mend=f"move {database} aside, with its -wal and -shm files if there are any, put a backup in its "
            f"place if there is one, and start again: {LOST}",
        )
    if code in _BARRED:
        return TerminalError(
            f"the database {database} cannot be opened: {error}",
            mend="make the file and its folder readable and writable for the user OttO runs as",
        )
    if code in _BUSY:
        return TransientError(f"the database {database} is held by another process: {error}", retry_after=1.0)
    if code in (sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR):
        return TransientError(
            f"the database {database} cannot be read or written: {error}",
            mend="look at the disk: it may be full or failing",
        )
    return None
