"""`otto status`: every site at a glance, or one in full."""

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Annotated

import typer

from otto.cli import options
from otto.cli.exits import Exit
from otto.cli.glance import opened
from otto.cli.invocation import Invocation
from otto.cli.running import run

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from otto.cli.presenting import JsonPresenter, PlainPresenter
    from otto.cli.watching import Eye
    from otto.desk.seen import Seen
    from otto.ports import Clock


def status(
    context: typer.Context,
    site: options.SomeSite = None,
    json: options.Json = False,
    watch: Annotated[
        bool, typer.Option("--watch", "-w", help="Show drift and healing as they happen, until Ctrl-C.")
    ] = False,
) -> None:
    """Show every site, or all that is known of one.

    With --watch: in place on a terminal, else one line per change; with --json one event per line
    (schemas/output/event.json). Exit status with SITE: 0 when it is Ready, 3 when it is not. Without: 0.
    """
    invocation = Invocation.of(context)
    if watch:
        run(_watch(invocation, site, json=json))
        return
    from otto.desk.sites import SeeStatus  # noqa: PLC0415  (completion does not need it)

    seen = run(invocation.desk.ask(SeeStatus(site)))
    _print(invocation, seen, site, json=json)
    if site and not seen.statuses[0].ready:
        raise typer.Exit(Exit.NOT_READY)


def _print(invocation: Invocation, seen: "Seen", site: str | None, *, json: bool) -> None:
    if json:
        from otto.cli import documents  # noqa: PLC0415  (either this or the page)

        documents.write(invocation.out, documents.status_document(seen))
        return
    from otto.cli import statuspage  # noqa: PLC0415

    invocation.out.print(statuspage.page(seen, site, invocation.place, invocation.now()))


async def _watch(invocation: Invocation, site: str | None, *, json: bool) -> None:
    from otto.adapters.clock import SystemClock  # noqa: PLC0415  (with the watch)
    from otto.cli.watching import Watch  # noqa: PLC0415

    clock = SystemClock()
    async with _eye(invocation, site, clock) as eye:
        if json or not invocation.out.is_terminal:
            await Watch(eye, site, _lines(invocation, clock, json=json), clock).run()
            return
        from otto.cli.livestatus import StatusPicture  # noqa: PLC0415  (only terminals need it)

        picture = StatusPicture(invocation.out, clock, site, invocation.place)
        await Watch(eye, site, picture, clock).run(picture.draw)


@asynccontextmanager
async def _eye(invocation: Invocation, site: str | None, clock: "Clock") -> "AsyncIterator[Eye]":
    from otto.cli.watching import DeskEye, StoreEye  # noqa: PLC0415

    if invocation.server is not None:
        async with invocation.desk:
            yield DeskEye(invocation.desk, site)
        return
    async with opened(invocation) as store:
        yield StoreEye(store, site, invocation.settings.home, clock)


def _lines(invocation: Invocation, clock: "Clock", *, json: bool) -> "JsonPresenter | PlainPresenter":
    from otto.cli.board import Board  # noqa: PLC0415
    from otto.cli.presenting import JsonPresenter, PlainPresenter  # noqa: PLC0415

    kind = JsonPresenter if json else PlainPresenter
    return kind(invocation.out, Board((), clock.monotonic()), clock)
