"""`otto pipelines --watch`: pipelines as they change, told by what changes in the store."""

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING

from otto.cli import documents, pipelinepages
from otto.desk.pipelines import SeePipelines
from otto.model.pipeline import Pipeline

if TYPE_CHECKING:
    from otto.cli.invocation import Invocation

_PAUSE = 0.5

Show = Callable[[tuple[Pipeline, ...], tuple[Pipeline, ...]], None]


async def watch(invocation: "Invocation", site: str | None, limit: int, *, json: bool) -> None:
    """Show pipelines and what becomes of them, until cancelled.

    Args:
        invocation: the call.
        site: the only site that counts, None for all.
        limit: the newest so many.
        json: one document per change.
    """
    if json or not invocation.out.is_terminal:
        await _follow(invocation, site, limit, _lines(invocation, json=json))
        return
    from rich.live import Live  # noqa: PLC0415  (only terminals need it)

    with Live(console=invocation.out, auto_refresh=False, transient=False) as live:

        def draw(found: tuple[Pipeline, ...], _: tuple[Pipeline, ...]) -> None:
            room = max(1, invocation.out.height - 2)
            live.update(pipelinepages.table(found[:room], invocation.now()), refresh=True)

        await _follow(invocation, site, limit, draw)


async def _follow(invocation: "Invocation", site: str | None, limit: int, show: Show) -> None:
    known: dict[str, Pipeline] = {}
    while True:
        found = await invocation.desk.ask(SeePipelines(site, limit))
        moved = tuple(item for item in reversed(found) if known.get(item.id) != item)
        known = {item.id: item for item in found}
        show(found, moved)
        await asyncio.sleep(_PAUSE)


def _lines(invocation: "Invocation", *, json: bool) -> Show:
    def show(_: tuple[Pipeline, ...], moved: tuple[Pipeline, ...]) -> None:
        for item in moved:
            if json:
                documents.write_line(invocation.out, documents.pipelines_document([item]))
            else:
                invocation.out.print(pipelinepages.line(item, invocation.now()), soft_wrap=True)

    return show
