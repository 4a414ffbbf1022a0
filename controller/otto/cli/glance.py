"""A quick look into the store's file, for `otto status` alone.

The store itself takes half a second to import, which is long for a command that people call over and over.
This reads the same rows with the standard library, and only a file that it surely knows: SQLite, at the
revision below. Anything else is left to the store.
"""

import contextlib
import sqlite3
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Protocol
from urllib.parse import quote

from otto.model.canonical import load
from otto.model.catalogue import RememberedSpec
from otto.model.errors import OttoError
from otto.model.reading import read
from otto.model.status import SiteStatus

REVISION = "0001"
_PATIENCE = 2.0


class StatusSource(Protocol):
    """What `otto status` reads; a part of the port `Store`."""

    async def statuses(self) -> tuple[SiteStatus, ...]:
        """All statuses, by name."""

    async def remembered(self) -> Mapping[str, RememberedSpec]:
        """Last good spec of every site."""

    async def intents(self, site: str) -> frozenset[str]:
        """What people asked for besides the spec."""

    async def value(self, key: str) -> str | None:
        """A small value by key."""


class Glance:
    """`StatusSource` over a connection that can only read.

    Args:
        connection: to the store's file.
    """

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    async def statuses(self) -> tuple[SiteStatus, ...]:
        """See `StatusSource`."""
        rows = self._connection.execute("SELECT data FROM statuses ORDER BY site")
        return tuple(read(SiteStatus, load(data)) for (data,) in rows)

    async def remembered(self) -> Mapping[str, RememberedSpec]:
        """See `StatusSource`."""
        rows = self._connection.execute("SELECT data FROM remembered ORDER BY site")
        found = [read(RememberedSpec, load(data)) for (data,) in rows]
        return {item.spec.name: item for item in found}

    async def intents(self, site: str) -> frozenset[str]:
        """See `StatusSource`."""
        rows = self._connection.execute("SELECT intent FROM intents WHERE site = ?", (site,))
        return frozenset(intent for (intent,) in rows)

    async def value(self, key: str) -> str | None:
        """See `StatusSource`."""
        row = self._connection.execute("SELECT value FROM notes WHERE key = ?", (key,)).fetchone()
        return row[0] if row else None


@asynccontextmanager
async def glance(path: Path) -> AsyncIterator[Glance | None]:
    """A look into a store's file; None when it is not one that we surely know and can read in full."""
    connection = None
    with contextlib.suppress(sqlite3.Error):
        connection = sqlite3.connect(f"file:{quote(str(path))}?mode=ro", uri=True, timeout=_PATIENCE)
    if connection is None:
        yield None
        return
    with contextlib.closing(connection):
        yield Glance(connection) if await _known(connection) else None


async def _known(connection: sqlite3.Connection) -> bool:
    """Whether all of it can be read: what cannot, the store explains better than we could."""
    try:
        revision = connection.execute("SELECT version_num FROM alembic_version").fetchall()
        look = Glance(connection)
        await look.statuses()
        await look.remembered()
    except (sqlite3.Error, OttoError, ValueError):
        return False
    return revision == [(REVISION,)]
