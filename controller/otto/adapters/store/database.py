"""One database for all that OttO keeps: its threads, its transactions, its errors."""

import asyncio
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


def decoded(kind: type[T], rows: Sequence[tuple[str, str]]) -> tuple[T, ...]:
    """Values out of rows of name and data; those that cannot be read are left out, and logged."""
    values: list[T] = []
    for name, data in rows:
        try:
            values.append(read(kind, load(data)))
        except (TerminalError, ValueError) as error:
            log.warning("store.row_unreadable", kind=kind.__name__, row=name, error=str(error))
    return tuple(values)
