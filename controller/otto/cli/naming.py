"""Whether there is a store to read, and the store."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from otto.cli.invocation import Invocation
from otto.model.errors import UsageError

if TYPE_CHECKING:
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
    """Every site there is, by name."""
    from otto.desk.sites import SeeNames  # noqa: PLC0415  (for the shell's completion alone)

    return [*await invocation.desk.ask(SeeNames())]


async def token_names(invocation: Invocation) -> list[str]:
    """Every token that holds, by name."""
    from otto.desk.tokens import SeeTokens  # noqa: PLC0415  (for the shell's completion alone)

    return [known.name for known in await invocation.desk.ask(SeeTokens()) if known.holds]
