"""`otto orphans` and `otto reap`: hosts that no spec and no state owns; listed, and removed when named."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Annotated

import typer

from otto.cli import naming, options, speaking
from otto.cli.invocation import Invocation
from otto.cli.running import run

if TYPE_CHECKING:
    from otto.model.host import LiveHost
    from otto.model.saying import Speaker
    from otto.reconcile.kit import Kit
    from otto.reconcile.strays import Strays


def orphans(context: typer.Context, json: options.Json = False) -> None:
    """List hosts that no spec and no state owns.

    Of those under OttO's labels, from a fresh look, with age and cost. They serve nobody; OttO never removes
    one unasked. To remove some: otto reap.
    """
    invocation = Invocation.of(context)
    naming.require_store(invocation.settings)
    found = run(_look(invocation))
    if json:
        from otto.cli import documents  # noqa: PLC0415  (either this or tables)
        from otto.reconcile import documents as looks  # noqa: PLC0415

        documents.write(invocation.out, looks.orphans_document(found))
        return
    _show(invocation, found)


def reap(
    context: typer.Context,
    items: Annotated[list[str], typer.Argument(metavar="ITEM...", help="Names or ids of orphans.")],
    *,
    yes: options.Yes = False,
    by: options.By = None,
    note: options.Note = "",
    json: options.Json = False,
) -> None:
    """Remove orphans, for good.

    The name of each has to be typed first, or --yes given. When one is no orphan, or a name is mistyped,
    none of them is removed. What is removed is on record: otto audit.
    """
    invocation = Invocation.of(context)
    who, why = speaking.speaker(invocation, by), speaking.reason(note)
    naming.require_store(invocation.settings)
    if not yes:
        chosen = run(_look(invocation)).chosen(items)
        for host in chosen:
            _confirm(invocation, host)
        items = [host.id for host in chosen]
    # Looked at again: one may have become somebody's while the question was open.
    left, gone = run(_reap(invocation, items, who, why))
    _told(invocation, left, gone, json=json)


async def _look(invocation: Invocation) -> "Strays":
    from otto.cli import seen  # noqa: PLC0415
    from otto.reconcile import strays  # noqa: PLC0415  (imports the loop)

    async with _kit(invocation) as kit:
        return await strays.look(kit, at_work=seen.around(invocation.settings.home).anybody)


async def _reap(
    invocation: Invocation, items: Sequence[str], who: "Speaker", note: str
) -> "tuple[Strays, tuple[LiveHost, ...]]":
    from otto.cli import reaping, seen  # noqa: PLC0415
    from otto.reconcile import strays  # noqa: PLC0415

    async with _kit(invocation) as kit:
        at_work = seen.around(invocation.settings.home)
        found = await strays.look(kit, at_work=at_work.anybody)
        chosen = found.chosen(items)
        await reaping.reap(kit, chosen, who, note, at_work)
        return found.without(chosen), chosen


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
    typed(invocation, what, host.name, otherwise="nothing was removed")


def _show(invocation: Invocation, found: "Strays") -> None:
    from otto.cli import tables  # noqa: PLC0415  (either this or JSON)

    out = invocation.out
    if not found.orphans:
        out.print("no orphans: every host under OttO's labels is some site's")
    else:
        from otto.cli import money  # noqa: PLC0415

        out.print(tables.orphans(found, invocation.now()))
        cost = found.together()
        costs = [] if cost is None else [f"together: {money.cost_words(cost, found.currency)}"]
        lines = [*costs, "to remove some: otto reap ITEM..."]
        out.print("", *(tables.words(line, "dim") for line in lines), sep="\n")
    _unjudged(invocation, found)


def _told(invocation: Invocation, left: "Strays", gone: "Sequence[LiveHost]", *, json: bool) -> None:
    if json:
        from otto.cli import documents  # noqa: PLC0415
        from otto.reconcile import documents as looks  # noqa: PLC0415

        documents.write(invocation.out, looks.reap_document(left, gone))
        return
    from otto.cli import tables  # noqa: PLC0415

    for host in gone:
        invocation.out.print(tables.words(f"removed {host.name}", "green"), soft_wrap=True)
    _unjudged(invocation, left)


def _unjudged(invocation: Invocation, found: "Strays") -> None:
    from otto.cli import tables  # noqa: PLC0415

    for site, why in sorted(found.unjudged.items()):
        words = tables.words(f"not judged: hosts of {site}: {why}", "yellow")
        invocation.out.print(words, soft_wrap=True)
