"""`otto plan` and `otto diff`: look at a site without touching it."""

from typing import TYPE_CHECKING

import typer

from otto.cli import options
from otto.cli.exits import Exit
from otto.cli.invocation import Invocation
from otto.cli.running import run

if TYPE_CHECKING:
    from otto.desk.inspecting import Inspected


def plan(
    context: typer.Context,
    site: options.Site,
    json: options.Json = False,
    exit_code: options.ExitCode = False,
) -> None:
    """Show what would be done about a site.

    And what the guard would say of it. Changes nothing.
    """
    invocation = Invocation.of(context)
    seen = _inspect(invocation, site, planned=True)
    _show(invocation, seen, json=json)
    if exit_code and seen.plan:
        raise typer.Exit(Exit.DIFFERENT)


def diff(
    context: typer.Context,
    site: options.Site,
    json: options.Json = False,
    exit_code: options.ExitCode = False,
) -> None:
    """Show what is not as the spec says. Changes nothing."""
    invocation = Invocation.of(context)
    seen = _inspect(invocation, site, planned=False)
    _show(invocation, seen, json=json)
    if exit_code and seen.differences:
        raise typer.Exit(Exit.DIFFERENT)


def _inspect(invocation: Invocation, site: str, *, planned: bool) -> "Inspected":
    from otto.desk.inspecting import Inspect  # noqa: PLC0415  (not for --help)

    return run(invocation.desk.ask(Inspect(site, planned)))


def _show(invocation: Invocation, seen: "Inspected", *, json: bool) -> None:
    if json:
        from otto.cli import documents  # noqa: PLC0415
        from otto.reconcile.documents import inspection_document  # noqa: PLC0415

        documents.write(invocation.out, inspection_document(seen))
        return
    from otto.cli import inspecting, tables  # noqa: PLC0415

    if seen.plan is not None:
        for part in inspecting.plan(seen):
            invocation.out.print(part)
    elif seen.differences:
        invocation.out.print(inspecting.differences(seen.differences))
    else:
        invocation.out.print(tables.words(f"{seen.site}: as its spec says"))
