"""The guard's memory, opened beside the store."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Protocol, cast

from otto.cli import naming
from otto.cli.invocation import Invocation
from otto.ports import Ledger, Store


class Memory(Store, Protocol):
    """The store, and the ledger beside it."""

    @property
    def ledger(self) -> Ledger:
        """What the guard remembers."""


@asynccontextmanager
async def reading_ledger(invocation: Invocation) -> AsyncIterator[Memory]:
    """The store with its ledger, for commands that make no sense before OttO ever ran here.

    Raises:
        UsageError: there is none.
    """
    async with naming.reading_store(invocation) as store:
        yield with_ledger(store)


def with_ledger(store: Store) -> Memory:
    """What opens a store gives it with its ledger; the port `Store` itself does not speak of it."""
    return cast("Memory", store)
