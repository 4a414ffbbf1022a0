"""`otto up`: the controller with all it needs, in one process."""

from typing import Annotated

import typer

from otto.cli import options
from otto.cli.invocation import Invocation
from otto.cli.running import run


def up(
    context: typer.Context,
    until_ready: Annotated[
        bool,
        typer.Option("--until-ready", help="End as soon as every site is Ready; 1 if one surely won't be."),
    ] = False,
    timeout: Annotated[
        float, typer.Option(min=0, metavar="SECONDS", help="With --until-ready: seconds to wait at most.")
    ] = 600.0,
    plain: options.Plain = False,
    json: options.JsonLines = False,
) -> None:
    """Run OttO: bring every site up and keep it so, until Ctrl-C.

    It follows the repository, serves health and metrics, and shows what it does. Ctrl-C stops OttO in
    order and leaves the sites serving; a second one does not wait.
    """
    invocation = Invocation.of(context)
    from otto.cli.journal import journal  # noqa: PLC0415  (with all that follows)
    from otto.cli.up.session import Options, Session  # noqa: PLC0415

    how = Options(until_ready, timeout, plain, json)
    invocation.settings.home.mkdir(parents=True, exist_ok=True, mode=0o700)
    with journal(invocation, file=True):
        session = Session(invocation, how)
        status = run(session.run(), on_stop=session.stopping)
    raise typer.Exit(status)
