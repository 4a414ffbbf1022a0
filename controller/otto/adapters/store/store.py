"""Port `Store` over a database."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Self, TypeVar

import structlog
from sqlalchemy import Connection, Engine, Select, Table, delete, select

from otto.adapters.store import schema, writing
from otto.adapters.store.errors import translated
from otto.model.canonical import canonical, load
from otto.model.catalogue import RememberedSpec
from otto.model.errors import TerminalError
from otto.model.observed import Applied
from otto.model.reading import read
from otto.model.run import Run
from otto.model.status import SiteStatus
from otto.ports import Clock

T = TypeVar("T")

KEPT_RUNS = 200

_READERS = 3

log = structlog.get_logger(__name__)


class SqlStore:
    """OttO's memory in a database; `open_store` makes one.

    Every method is one short transaction in a thread. Writes go through one thread, in the order in
    which they were asked for; other processes may read and write beside it. A value that cannot be read
    (a damaged row) counts as not there, and is logged: all but the history can be rebuilt.

    All methods raise what `otto.adapters.store.errors.translated` does.
    """

    def __init__(self, engine: Engine, name: str, clock: Clock, *, keep_runs: int = KEPT_RUNS) -> None:
        self._engine = engine
        self._name = name
        self._clock = clock
        self._keep_runs = keep_runs
        self._writer = ThreadPoolExecutor(1, thread_name_prefix="otto-store-writer")
        self._readers = ThreadPoolExecutor(_READERS, thread_name_prefix="otto-store-reader")
        self._closed = False

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Finish what is under way and let go of the database. May be called twice."""
        self._closed = True
        await asyncio.to_thread(self._shut)

    async def status(self, site: str) -> SiteStatus | None:
        """A site's status."""
        found = await self._values(SiteStatus, _of(schema.statuses, site))
        return found[0] if found else None

    async def statuses(self) -> tuple[SiteStatus, ...]:
        """All statuses, by name."""
        found = await self._values(SiteStatus, select(schema.statuses.c.site, schema.statuses.c.data))
        return tuple(sorted(found, key=lambda status: status.site))

    async def save_status(self, status: SiteStatus) -> None:
        """Keep a status."""
        row = {"site": status.site, "data": canonical(status)}
        await self._write(lambda connection: writing.put(connection, schema.statuses, [row]))

    async def save_run(self, run: Run) -> None:
        """Keep a run, replacing what was kept of it; an ended one pushes the oldest of its site out."""
        await self._write(lambda connection: writing.put_run(connection, run, keep=self._keep_runs))

    async def run(self, run_id: str) -> Run | None:
        """A run by id."""
        found = await self._values(Run, _runs().where(schema.runs.c.id == run_id))
        return found[0] if found else None

    async def runs(self, site: str | None = None, limit: int = 20) -> tuple[Run, ...]:
        """Runs, newest first."""
        chosen = _runs() if site is None else _runs().where(schema.runs.c.site == site)
        return await self._values(Run, chosen.limit(limit))

    async def open_runs(self) -> tuple[Run, ...]:
        """Runs that never ended: those a killed controller left; newest first."""
        return await self._values(Run, _runs().where(schema.runs.c.ended_at.is_(None)))

    async def applied(self, site: str) -> Applied:
        """What OttO put in place last; empty when nothing."""
        found = await self._values(Applied, _of(schema.applied, site))
        return found[0] if found else Applied()

    async def save_applied(self, site: str, applied: Applied) -> None:
        """Keep what was put in place."""
        row = {"site": site, "data": canonical(applied)}
        await self._write(lambda connection: writing.put(connection, schema.applied, [row]))

    async def remembered(self) -> Mapping[str, RememberedSpec]:
        """Last good spec of every site."""
        found = await self._values(RememberedSpec, select(schema.remembered.c.site, schema.remembered.c.data))
        return {one.spec.name: one for one in sorted(found, key=lambda one: one.spec.name)}

    async def remember(self, specs: Sequence[RememberedSpec]) -> None:
        """Keep last good specs."""
        rows = [{"site": one.spec.name, "data": canonical(one)} for one in specs]
        await self._write(lambda connection: writing.put(connection, schema.remembered, rows))

    async def intents(self, site: str) -> frozenset[str]:
        """What people asked for besides the spec: `suspend`, `destroy`."""
        chosen = select(schema.intents.c.intent).where(schema.intents.c.site == site)
        return frozenset(await self._read(lambda connection: connection.execute(chosen).scalars().all()))

    async def set_intent(self, site: str, intent: str, *, on: bool) -> None:
        """Record or take back such a wish."""
        row = {"site": site, "intent": intent}
        change = writing.put if on else writing.drop
        await self._write(lambda connection: change(connection, schema.intents, [row]))

    async def approved(self, site: str, plan: str) -> bool:
        """Whether a person approved this very plan."""
        columns = schema.approvals.c
        chosen = select(columns.plan).where(columns.site == site, columns.plan == plan)
        return await self._read(lambda connection: connection.execute(chosen).first() is not None)

    async def approve(self, site: str, plan: str, by: str) -> None:
        """Record an approval."""
        at = schema.microseconds(self._clock.now())
        row = {"site": site, "plan": plan, "approved_by": by, "approved_at": at}
        await self._write(lambda connection: writing.put(connection, schema.approvals, [row]))

    async def withdraw(self, site: str, plan: str) -> None:
        """Take an approval back."""
        row = {"site": site, "plan": plan}
        await self._write(lambda connection: writing.drop(connection, schema.approvals, [row]))

    async def value(self, key: str) -> str | None:
        """A small value by key (last commit seen, …)."""
        chosen = select(schema.notes.c.value).where(schema.notes.c.key == key)
        return await self._read(lambda connection: connection.execute(chosen).scalar())

    async def set_value(self, key: str, value: str) -> None:
        """Keep a small value."""
        row = {"key": key, "value": value}
        await self._write(lambda connection: writing.put(connection, schema.notes, [row]))

    async def forget(self, site: str) -> None:
        """Drop all but the history of a site that is destroyed."""

        def drop(connection: Connection) -> None:
            for table in schema.OF_A_SITE:
                connection.execute(delete(table).where(table.c.site == site))

        await self._write(drop)

    async def _values(self, kind: type[T], chosen: Select[str, str]) -> tuple[T, ...]:
        """Values of one kind, those that can be read; `chosen` selects their name and their data."""
        return await self._read(lambda connection: self._decoded(kind, connection.execute(chosen).all()))

    def _decoded(self, kind: type[T], rows: Sequence[tuple[str, str]]) -> tuple[T, ...]:
        values: list[T] = []
        for name, data in rows:
            try:
                values.append(read(kind, load(data)))
            except (TerminalError, ValueError) as error:
                log.warning("store.row_unreadable", kind=kind.__name__, row=name, error=str(error))
        return tuple(values)

    async def _read(self, work: Callable[[Connection], T]) -> T:
        return await self._within(self._readers, self._engine, work)

    async def _write(self, work: Callable[[Connection], T]) -> T:
        engine = self._engine.execution_options(**{writing.WRITES: True})
        return await self._within(self._writer, engine, work)

    async def _within(
        self, threads: ThreadPoolExecutor, engine: Engine, work: Callable[[Connection], T]
    ) -> T:
        def transaction() -> T:
            with translated(self._name), engine.begin() as connection:
                return work(connection)

        if self._closed:
            raise TerminalError(f"the store {self._name} is closed")
        return await asyncio.get_running_loop().run_in_executor(threads, transaction)

    def _shut(self) -> None:
        self._writer.shutdown()
        self._readers.shutdown()
        self._engine.dispose()


def _of(table: Table, site: str) -> Select[str, str]:
    return select(table.c.site, table.c.data).where(table.c.site == site)


def _runs() -> Select[str, str]:
    columns = schema.runs.c
    return select(columns.id, columns.data).order_by(columns.started_at.desc(), columns.id.desc())
