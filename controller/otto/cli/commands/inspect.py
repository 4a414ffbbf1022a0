"""`otto plan` and `otto diff`: look at a site without touching it."""

from typing import TYPE_CHECKING, Annotated

import typer

from otto.cli import options
from otto.cli.exits import Exit
from otto.cli.invocation import Invocation
from otto.cli.running import run

if TYPE_CHECKING:
    from otto.reconcile.inspect import Inspection

ExitCode = Annotated[bool, typer.Option("--exit-code", help="Exit with 4 when there is something.")]


def plan(
    context: typer.Context, site: options.Site, json: options.Json = False, exit_code: ExitCode = False
) -> None:
    """Show what would be done about a site.

    And what the guard would say of it. Changes nothing.
    """
    invocation = Invocation.of(context)
    seen = run(_inspect(invocation, site, planned=True))
    _show(invocation, seen, json=json)
    if exit_code and seen.plan:
        raise typer.Exit(Exit.DIFFERENT)


def diff(
    context: typer.Context, site: options.Site, json: options.Json = False, exit_code: ExitCode = False
) -> None:
    """Show what is not as the spec says. Changes nothing."""
    invocation = Invocation.of(context)
    seen = run(_inspect(invocation, site, planned=False))
    _show(invocation, seen, json=json)
    if exit_code and seen.differences:
        raise typer.Exit(Exit.DIFFERENT)


async def _inspect(invocation: Invocation, site: str, *, planned: bool) -> "Inspection":
    from otto.cli.journal import journal  # noqa: PLC0415  (with what follows)
    from otto.reconcile.inspect import Inspector  # noqa: PLC0415

    settings = invocation.settings
    with journal(invocation, file=False):
        async with invocation.composition.open_kit(settings) as kit:
            inspector = Inspector(kit)
            await inspector.load()
            return await (inspector.plan(site) if planned else inspector.differences(site))


def _show(invocation: Invocation, seen: "Inspection", *, json: bool) -> None:
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
        invocation.out.print(tables.words(f"{seen.desired.site}: as its spec says"))
