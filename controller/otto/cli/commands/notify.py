"""`otto notify`: the ways people are told, and whether they work."""

from typing import TYPE_CHECKING, Annotated

import typer

from otto.cli import options
from otto.cli.exits import Exit
from otto.cli.invocation import Invocation
from otto.cli.running import run
from otto.cli.text import clean

if TYPE_CHECKING:
    from otto.desk.house import Way


def notify(
    context: typer.Context,
    test: Annotated[bool, typer.Option("--test", help="Send a test notice on every way.")] = False,
    json: options.Json = False,
) -> None:
    """Show the ways people are told, or try them.

    With --test every way is tried once, and the exit status is 1 when one of them failed.
    """
    from otto.desk.notices import SeeWays, TryWays  # noqa: PLC0415  (not for --help)

    invocation = Invocation.of(context)
    found = run(invocation.desk.ask(TryWays() if test else SeeWays()))
    if json:
        from otto.cli import documents  # noqa: PLC0415

        documents.write(invocation.out, documents.notify_document(found, tested=test))
    else:
        _show(invocation, found, tested=test)
    if any(item.trouble for item in found):
        raise typer.Exit(Exit.FAILED)


def _show(invocation: Invocation, found: "tuple[Way, ...]", *, tested: bool) -> None:
    from rich.text import Text  # noqa: PLC0415  (see `console`)

    for item in found:
        word, style = ("failed", "red") if item.trouble else ("sent", "green")
        line = Text.assemble((f"{word:<8}" if tested else "", style), clean(item.way))
        if item.trouble:
            line.append(f": {clean(item.trouble)}")
        invocation.out.print(line, soft_wrap=True)
