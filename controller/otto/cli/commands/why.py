"""`otto why`: one answer to "why is this site as it is"."""

from typing import TYPE_CHECKING

import typer

from otto.cli import naming, options
from otto.cli.glance import StatusSource, opened
from otto.cli.invocation import Invocation
from otto.cli.running import run

if TYPE_CHECKING:
    from otto.model.why import Why


def why(context: typer.Context, site: options.Site, json: options.Json = False) -> None:
    """Say why a site is as it is.

    What it does or waits for and since when, what is in its way and what takes it out of there, what went
    wrong last, and the way from the commit to the last check. From memory alone: it works, and is quick,
    whether or not a controller runs. Exit status 0 whatever the answer is.
    """
    invocation = Invocation.of(context)
    answer = run(_answer(invocation, site))
    if json:
        from otto.cli import documents  # noqa: PLC0415  (either this or the page)

        documents.write(invocation.out, documents.why_document(answer))
        return
    from otto.cli import explaining  # noqa: PLC0415

    for part in explaining.page(answer, invocation.now()):
        invocation.out.print(part)


async def _answer(invocation: Invocation, site: str) -> "Why":
    async with opened(invocation) as store:
        return await _gather(invocation, store, site)


async def _gather(invocation: Invocation, store: StatusSource, site: str) -> "Why":
    from otto.cli import presence  # noqa: PLC0415  (with what follows)
    from otto.reconcile.reasons import reasons  # noqa: PLC0415

    statuses = {status.site for status in await store.statuses()}
    naming.require(site, statuses | (await store.remembered()).keys())
    home = invocation.settings.home
    at_work = presence.find(home) is not None or presence.held(home)
    return await reasons(store, site, at_work=at_work, now=invocation.now())
