"""Names of sites: which there are, and what to say of one there is not."""

import difflib
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from otto.cli.invocation import Invocation
from otto.model.errors import UsageError

if TYPE_CHECKING:
    from otto.cli.glance import StatusSource
    from otto.config import Settings
    from otto.ports import Store


def has_store(settings: "Settings") -> bool:
    """Whether there is a store to read: opening one would create it."""
    return bool(settings.databaseUrl) or (settings.home / "otto.db").exists()


def require_store(settings: "Settings") -> None:
    """Insist that OttO has run here.

    Raises:
        UsageError: it has not.
    """
    if not has_store(settings):
        raise UsageError(
            f"OttO has not run over {settings.home} yet",
            mend="start it with otto up, or name another home with --home or OTTO_HOME",
        )


@asynccontextmanager
async def reading_store(invocation: Invocation) -> AsyncIterator["Store"]:
    """The store, for commands that make no sense before OttO ever ran here.

    What is logged meanwhile goes to standard error, and never among what the command prints.

    Raises:
        UsageError: there is none.
    """
    from otto.cli.journal import journal  # noqa: PLC0415  (with the store)

    settings = invocation.settings
    require_store(settings)
    with journal(invocation, file=False):
        async with invocation.composition.open_store_only(settings) as store:
            yield store


async def site_names(invocation: Invocation) -> list[str]:
    """Every site that the store knows, by name."""
    async with reading_store(invocation) as store:
        return sorted(await names_in(store))


async def names_in(store: "StatusSource | Store") -> frozenset[str]:
    """Sites with a status or a remembered spec."""
    statuses = {status.site for status in await store.statuses()}
    return frozenset(statuses | (await store.remembered()).keys())


def require(site: str, names: Iterable[str]) -> None:
    """Insist that a site is known.

    Raises:
        UsageError: it is not; the mend names those that are close, or all.
    """
    known = sorted(names)
    if site in known:
        return
    close = difflib.get_close_matches(site, known, 3)
    mend = f"did you mean {' or '.join(close)}?" if close else f"sites: {', '.join(known[:20]) or 'none yet'}"
    raise UsageError(f"there is no site {site[:80]!r}", mend=mend)
