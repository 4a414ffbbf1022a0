"""`otto history`: what was done to a site, and why."""

from typing import Annotated

import typer

from otto.cli import options
from otto.cli.invocation import Invocation
from otto.cli.running import run as run_to_end


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
    from otto.desk.runs import SeeRuns  # noqa: PLC0415  (not for --help)

    runs = run_to_end(invocation.desk.ask(SeeRuns(site, limit, run)))
    if json:
        from otto.cli import documents  # noqa: PLC0415

        documents.write(invocation.out, documents.runs_document(runs))
        return
    from otto.cli import runpages  # noqa: PLC0415

    now = invocation.now()
    for part in runpages.page(runs[0], now) if run else runpages.history(runs, now):
        invocation.out.print(part)
