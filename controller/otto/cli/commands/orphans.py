"""`otto orphans`: hosts that no spec and no state owns; to be listed, and removed one by one."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from otto.cli import naming, options
from otto.cli.invocation import Invocation
from otto.cli.running import run

if TYPE_CHECKING:
    from otto.cli.strays import Strays
    from otto.model.host import LiveHost
    from otto.reconcile.kit import Kit


def orphans(
    context: typer.Context,
    remove: Annotated[
        str, typer.Option("--remove", metavar="NAME", help="Remove this one, by its name or id.")
    ] = "",
    yes: options.Yes = False,
    json: options.Json = False,
) -> None:
    """List hosts that no spec and no state owns.

    Of those under OttO's labels, from a fresh look. They serve nobody and cost something; OttO never removes
    one unasked. With --remove one of them goes, after a question; anything else is refused.
    """
    invocation = Invocation.of(context)
    naming.require_store(invocation.settings)
    if not remove:
        _show(invocation, run(_look(invocation)), None, json=json)
        return
    if not yes:
        found = run(_look(invocation))
        _confirm(invocation, found.named(remove))
    # Looked at again: it may have become somebody's while the question was open.
    found, removed = run(_remove(invocation, remove))
    _show(invocation, found, removed, json=json)


async def _look(invocation: Invocation) -> "Strays":
    from otto.cli import seen, strays  # noqa: PLC0415  (imports the loop)

    async with _kit(invocation) as kit:
        return await strays.look(kit, seen.around(invocation.settings.home))


async def _remove(invocation: Invocation, name: str) -> "tuple[Strays, LiveHost]":
    from otto.cli import seen, strays  # noqa: PLC0415

    async with _kit(invocation) as kit:
        at_work = seen.around(invocation.settings.home)
        found = await strays.look(kit, at_work)
        host = found.named(name)
        await strays.remove(kit, host, at_work)
        return strays.Strays(strays.without(found.orphans, host), found.unjudged), host


@asynccontextmanager
async def _kit(invocation: Invocation) -> "AsyncIterator[Kit]":
    from otto.cli.journal import journal  # noqa: PLC0415  (with the kit)

    with journal(invocation, file=False):
        async with invocation.composition.open_kit(invocation.settings) as kit:
            yield kit


def _confirm(invocation: Invocation, host: "LiveHost") -> None:
    from otto.cli.asking import typed  # noqa: PLC0415  (unless --yes)

    address = f" at {host.address}" if host.address else ""
    what = f"This removes host {host.name} ({host.state.value}{address}), labelled for site {host.site}."
    typed(invocation, what, host.name)


def _show(invocation: Invocation, found: "Strays", removed: "LiveHost | None", *, json: bool) -> None:
    if json:
        from otto.cli import documents  # noqa: PLC0415  (either this or tables)

        documents.write(
            invocation.out, documents.orphans_document(found.orphans, sorted(found.unjudged), removed)
        )
        return
    from otto.cli import tables  # noqa: PLC0415

    out = invocation.out
    if removed is not None:
        out.print(tables.words(f"removed {removed.name}", "green"), soft_wrap=True)
    elif not found.orphans:
        out.print("no orphans: every host under OttO's labels is some site's")
    else:
        out.print(tables.orphans(found.orphans, datetime.now(UTC)))
        out.print("", tables.words("to remove one: otto orphans --remove NAME", "dim"), sep="\n")
    for site, why in sorted(found.unjudged.items()):
        out.print(tables.words(f"not judged: hosts of {site}: {why}", "yellow"), soft_wrap=True)
