"""`otto history`: what was done to a site, and why."""

from typing import TYPE_CHECKING, Annotated

import typer

from otto.cli import naming, options
from otto.cli.glance import opened
from otto.cli.invocation import Invocation
from otto.cli.running import run as run_to_end
from otto.model.errors import UsageError

if TYPE_CHECKING:
    from otto.cli.glance import StatusSource
    from otto.model.run import Run


def history(
    context: typer.Context,
    site: options.Site,
    limit: Annotated[int, typer.Option(min=1, max=1000, help="Newest runs to show.")] = 20,
    run: Annotated[
        str, typer.Option(metavar="ID", help="Show one run, step by step (a prefix will do).")
    ] = "",
    json: options.Json = False,
) -> None:
    """Show what was done to a site: its runs, or one of them.

    Each with what was seen first and by which tier of observation, what was done on which hosts, and how
    long it took from the first sign.
    """
    invocation = Invocation.of(context)
    runs = run_to_end(_runs(invocation, site, limit, run))
    if json:
        from otto.cli import documents  # noqa: PLC0415

        documents.write(invocation.out, documents.runs_document(runs))
        return
    from otto.cli import runpages  # noqa: PLC0415

    now = invocation.now()
    for part in runpages.page(runs[0], now) if run else runpages.history(runs, now):
        invocation.out.print(part)


async def _runs(invocation: Invocation, site: str, limit: int, run: str) -> "tuple[Run, ...]":
    async with opened(invocation) as store:
        if run:
            return (await _one(store, site, run),)
        runs = await store.runs(site, limit)
        if not runs:
            # A destroyed and forgotten site keeps its history; one that never was has none.
            naming.require(site, await naming.names_in(store))
        return runs


async def _one(store: "StatusSource", site: str, run: str) -> "Run":
    found = [item for item in await store.runs(site, 1000) if item.id.startswith(run)]
    if len(found) == 1 or any(item.id == run for item in found):
        return next(item for item in found if len(found) == 1 or item.id == run)
    if found:
        names = ", ".join(item.id for item in found[:5])
        raise UsageError(f"{run[:40]!r} fits {len(found)} runs of {site}", mend=f"give more of it: {names}")
    naming.require(site, await naming.names_in(store))
    raise UsageError(f"{site} has no run {run[:40]!r}", mend=f"otto history {site} lists them")
