"""`otto notify`: the ways people are told, and whether they work."""

from typing import TYPE_CHECKING, Annotated

import typer

from otto.cli import options
from otto.cli.exits import Exit
from otto.cli.invocation import Invocation
from otto.cli.running import run
from otto.cli.text import clean
from otto.model.errors import UsageError

if TYPE_CHECKING:
    from otto.adapters.notify import Outcome

_BODY = """This is a test: somebody wants to know whether you are told.
A notice that waits for somebody ends with the command that lets it go on, as here:
otto notify --test"""


def notify(
    context: typer.Context,
    test: Annotated[bool, typer.Option("--test", help="Send a test notice on every way.")] = False,
    json: options.Json = False,
) -> None:
    """Show the ways people are told, or try them.

    With --test every way is tried once, and the exit status is 1 when one of them failed.
    """
    from otto.adapters.notify import Outcome  # noqa: PLC0415  (with what `run` needs)

    invocation = Invocation.of(context)
    names = _names(invocation)
    found = run(_try_out(invocation)) if test else tuple(Outcome(name, "") for name in names)
    if json:
        from otto.cli import documents  # noqa: PLC0415

        documents.write(invocation.out, documents.notify_document(found, tested=test))
    else:
        _show(invocation, found, tested=test)
    if any(item.trouble for item in found):
        raise typer.Exit(Exit.FAILED)


def _names(invocation: Invocation) -> tuple[str, ...]:
    from otto.cli.notifying import ways_of  # noqa: PLC0415

    ways = ways_of(invocation.settings, invocation.environ)
    if not ways:
        mend = "write the ways into a file of mode 0600, one a line, and set notify.urls to file:PATH"
        raise UsageError("nobody is told: notify.urls is not set", mend=mend)
    return tuple(way.name for way in ways)


async def _try_out(invocation: Invocation) -> "tuple[Outcome, ...]":
    from otto.adapters.clock import SystemClock  # noqa: PLC0415
    from otto.cli.notifying import notifications  # noqa: PLC0415
    from otto.model.notice import Notice, NoticeKind  # noqa: PLC0415

    clock = SystemClock()
    notice = Notice(NoticeKind.APPROVAL, "", "test", _BODY, clock.now())
    return await notifications(invocation.settings, invocation.environ, clock).try_out(notice)


def _show(invocation: Invocation, found: "tuple[Outcome, ...]", *, tested: bool) -> None:
    from rich.text import Text  # noqa: PLC0415  (see `console`)

    for item in found:
        word, style = ("failed", "red") if item.trouble else ("sent", "green")
        line = Text.assemble((f"{word:<8}" if tested else "", style), clean(item.way))
        if item.trouble:
            line.append(f": {clean(item.trouble)}")
        invocation.out.print(line, soft_wrap=True)
