"""`otto why`: one answer to "why is this site as it is"."""

import typer

from otto.cli import options
from otto.cli.invocation import Invocation
from otto.cli.running import run


def why(context: typer.Context, site: options.Site, json: options.Json = False) -> None:
    """Say why a site is as it is.

    What it does or waits for and since when, what is in its way and what takes it out of there, what went
    wrong last, and the way from the commit to the last check. From memory alone: it works, and is quick,
    whether or not a controller runs. Exit status 0 whatever the answer is.
    """
    invocation = Invocation.of(context)
    from otto.desk.explaining import SeeWhy  # noqa: PLC0415  (not for --help)

    answer = run(invocation.desk.ask(SeeWhy(site)))
    if json:
        from otto.cli import documents  # noqa: PLC0415  (either this or the page)

        documents.write(invocation.out, documents.why_document(answer))
        return
    from otto.cli import explaining  # noqa: PLC0415

    for part in explaining.page(answer, invocation.now()):
        invocation.out.print(part)
