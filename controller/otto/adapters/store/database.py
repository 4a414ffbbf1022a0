"""One database for all that OttO keeps: its threads, its transactions, its errors."""

import asyncio
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import structlog
from sqlalchemy import Connection, Engine, Select

from otto.adapters.store.errors import translated
from otto.adapters.store.writing import WRITES
from otto.model.canonical import load
from otto.model.errors import TerminalError
from otto.model.reading import read

T = TypeVar("T")

_READERS = 3

FEW = 50
"""Rows of a value each that are few."""

log = structlog.get_logger(__name__)


class Database:
    """Short transactions in threads; `open_store` makes one.

    Writes go through one thread, in the order in which they were asked for; other processes may read and
    write beside it.

    Args:
        engine: of SQLAlchemy.
        name: what the database is called in messages, without its password.
    """

    def __init__(self, engine: Engine, name: str) -> None:
        self._engine = engine
        self._writing = engine.execution_options(**{WRITES: True})
        self._name = name
        self._writer = ThreadPoolExecutor(1, thread_name_prefix="otto-store-writer")
        self._readers = ThreadPoolExecutor(_READERS, thread_name_prefix="otto-store-reader")
        self._closed = False
        self._here: set[int] = set()

    def read_here(self) -> None:
        """From now on, have few rows that are asked for in the calling thread read by that thread itself.

        In SQLite that takes less time than it takes to wake another thread, let alone to be woken again
        while a third is at work. A server is not waited for that way: there nothing changes.
        """
        if self._engine.dialect.name == "sqlite":
            self._here.add(threading.get_ident())

    async def close(self) -> None:
        """Finish what is under way and let go of the database. May be called twice."""
        self._closed = True
        await asyncio.to_thread(self._shut)

    async def read(self, work: Callable[[Connection], T]) -> T:
        """What `work` finds in one transaction that reads.

        Raises:
            OttoError: what `otto.adapters.store.errors.translated` makes of it.
        """
        return await self._within(self._readers, self._engine, work)

    async def few(self, work: Callable[[Connection], T]) -> T:
        """As `read`, for what looks up a few rows by an index.

        Raises:
            OttoError: what `otto.adapters.store.errors.translated` makes of it.
        """
        if threading.get_ident() in self._here:
            self._require_open()
            return self._transaction(self._engine, work)
        return await self.read(work)

    async def write(self, work: Callable[[Connection], T]) -> T:
        """What `work` says after one transaction that writes.

        Raises:
            OttoError: what `otto.adapters.store.errors.translated` makes of it.
        """
        return await self._within(self._writer, self._writing, work)

    async def values(self, kind: type[T], chosen: Select[str, str]) -> tuple[T, ...]:
        """Values of one kind; those that cannot be read are left out, and logged.

        Args:
            kind: a class of the model.
            chosen: selects the rows' names and their data.

        Raises:
            OttoError: what `otto.adapters.store.errors.translated` makes of it.
        """
        return await self.read(lambda connection: decoded(kind, connection.execute(chosen).all()))

    async def few_values(self, kind: type[T], chosen: Select[str, str]) -> tuple[T, ...]:
        """As `values`, of a few rows that an index leads to."""
        return await self.few(lambda connection: decoded(kind, connection.execute(chosen).all()))

    async def _within(
        self, threads: ThreadPoolExecutor, engine: Engine, work: Callable[[Connection], T]
    ) -> T:
        self._require_open()
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(threads, lambda: self._transaction(engine, work))

    def _require_open(self) -> None:
        if self._closed:
            raise TerminalError(f"the store {self._name} is closed")

    def _transaction(self, engine: Engine, work: Callable[[Connection], T]) -> T:
        with translated(self._name), engine.begin() as connection:
            return work(connection)

    def _shut(self) -> None:
        self._writer.shutdown()
        self._readers.shutdown()
        self._engine.dispose()


def decoded(kind: type[T], rows: Sequence[tuple[str, str]]) -> tuple[T, ...]:
    """Values out of rows of name and data; those that cannot be read are left out, and logged."""
    values: list[T] = []
    for name, data in rows:
        try:
            values.append(read(kind, load(data)))
        except (TerminalError, ValueError) as error:
            log.warning("store.row_unreadable", kind=kind.__name__, row=name, error=str(error))
    return tuple(values)
