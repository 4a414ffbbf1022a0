"""A quick look into the store's file, for the commands that people call over and over.

The store itself takes half a second to import, which is long for `otto status`, `why` and `history`. This
reads the same rows with the standard library, and only a file that it surely knows: SQLite, at the revision
below. Anything else is left to the store.
"""

import contextlib
import sqlite3
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TypeVar
from urllib.parse import quote

from otto.cli import naming
from otto.cli.invocation import Invocation
from otto.desk.sources import GrantSource, StatusSource
from otto.model.canonical import load
from otto.model.catalogue import RememberedDomain, RememberedSpec
from otto.model.errors import OttoError
from otto.model.history import Grant, GrantKind
from otto.model.reading import read
from otto.model.run import Run
from otto.model.status import SiteStatus

T = TypeVar("T")

REVISION = "0005"
_PATIENCE = 2.0


class Glance:
    """`StatusSource` over a connection that can only read; what did not change is read once.

    Args:
        connection: to the store's file.
    """

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._version = -1
        self._statuses: tuple[SiteStatus, ...] | None = None
        self._remembered: Mapping[str, RememberedSpec] | None = None
        self._domains: Mapping[str, RememberedDomain] | None = None
        self._runs: dict[tuple[str | None, int], tuple[Run, ...]] = {}

    async def status(self, site: str) -> SiteStatus | None:
        """See `StatusSource`."""
        return next((status for status in await self.statuses() if status.site == site), None)

    async def statuses(self) -> tuple[SiteStatus, ...]:
        """See `StatusSource`."""
        self._forget_the_old()
        if self._statuses is None:
            rows = self._connection.execute("SELECT data FROM statuses ORDER BY site")
            self._statuses = tuple(read(SiteStatus, load(data)) for (data,) in rows)
        return self._statuses

    async def remembered(self) -> Mapping[str, RememberedSpec]:
        """See `StatusSource`."""
        self._forget_the_old()
        if self._remembered is None:
            rows = self._connection.execute(
                "SELECT data FROM remembered WHERE instr(site, '.') = 0 ORDER BY site"
            )
            found = [read(RememberedSpec, load(data)) for (data,) in rows]
            self._remembered = {item.spec.name: item for item in found}
        return self._remembered

    async def spec(self, site: str) -> RememberedSpec | None:
        """See `StatusSource`."""
        return (await self.remembered()).get(site)

    async def remembered_domains(self) -> Mapping[str, RememberedDomain]:
        """See `StatusSource`."""
        self._forget_the_old()
        if self._domains is None:
            rows = self._connection.execute(
                "SELECT data FROM remembered WHERE instr(site, '.') > 0 ORDER BY site"
            )
            found = [read(RememberedDomain, load(data)) for (data,) in rows]
            self._domains = {item.spec.name: item for item in found}
        return self._domains

    async def domain(self, zone: str) -> RememberedDomain | None:
        """See `StatusSource`."""
        return (await self.remembered_domains()).get(zone)

    async def intents(self, site: str) -> frozenset[str]:
        """See `StatusSource`."""
        rows = self._connection.execute("SELECT intent FROM intents WHERE site = ?", (site,))
        return frozenset(intent for (intent,) in rows)

    async def runs(self, site: str | None = None, limit: int = 20) -> tuple[Run, ...]:
        """See `StatusSource`. As in the store, a row that cannot be read counts as not there."""
        self._forget_the_old()
        if (site, limit) not in self._runs:
            self._runs[site, limit] = self._read_runs(site, limit)
        return self._runs[site, limit]

    @property
    def ledger(self) -> GrantSource:
        """See `StatusSource`."""
        return self

    async def grants(self, *, site: str | None = None, kind: GrantKind | None = None) -> tuple[Grant, ...]:
        """See `GrantSource`. As in the store, a row that cannot be read counts as not there."""
        rows = self._connection.execute(
            "SELECT data FROM grants WHERE ? IS NULL OR site IN ('', ?)", (site, site)
        )
        found = _readable(Grant, rows)
        chosen = (grant for grant in found if kind in (None, grant.kind))
        return tuple(sorted(chosen, key=lambda grant: (grant.at, grant.key)))

    async def value(self, key: str) -> str | None:
        """See `StatusSource`."""
        row = self._connection.execute("SELECT value FROM notes WHERE key = ?", (key,)).fetchone()
        return row[0] if row else None

    def _read_runs(self, site: str | None, limit: int) -> tuple[Run, ...]:
        chosen, arguments = ("WHERE site = ?", (site,)) if site is not None else ("", ())
        rows = self._connection.execute(
            f"SELECT data FROM runs {chosen} ORDER BY started_at DESC, id DESC LIMIT ?",  # noqa: S608  (ours)
            (*arguments, limit),
        )
        return _readable(Run, rows)

    def _forget_the_old(self) -> None:
        """SQLite's data_version moves when another connection has written (sqlite.org, pragma.html)."""
        (version,) = self._connection.execute("PRAGMA data_version").fetchone()
        if version != self._version:
            self._version, self._statuses, self._remembered, self._domains = version, None, None, None
            self._runs.clear()


def _readable(kind: type[T], rows: Iterable[tuple[str]]) -> tuple[T, ...]:
    found: list[T] = []
    for (data,) in rows:
        with contextlib.suppress(OttoError, ValueError):
            found.append(read(kind, load(data)))
    return tuple(found)


@asynccontextmanager
async def opened(invocation: Invocation) -> AsyncIterator[StatusSource]:
    """The quick look where it will do, else the store.

    Raises:
        UsageError: there is neither.
    """
    settings = invocation.settings
    path = settings.home / "otto.db"
    if not settings.databaseUrl and path.exists():
        async with glance(path) as look:
            if look is not None:
                yield look
                return
    async with naming.reading_store(invocation) as store:
        yield store


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
        look = Glance(connection)
        yield look if await _known(connection, look) else None


async def _known(connection: sqlite3.Connection, look: Glance) -> bool:
    """Whether all of it can be read: what cannot, the store explains better than we could."""
    try:
        revision = connection.execute("SELECT version_num FROM alembic_version").fetchall()
        await look.statuses()
        await look.remembered()
        await look.remembered_domains()
    except (sqlite3.Error, OttoError, ValueError):
        return False
    return revision == [(REVISION,)]
