"""`otto suspend` and `resume`: whether OttO works on a site at all."""

from typing import TYPE_CHECKING

import typer

from otto.cli import naming, options, speaking, telling
from otto.cli.invocation import Invocation
from otto.cli.running import run

if TYPE_CHECKING:
    from otto.model.saying import Speaker


def suspend(
    context: typer.Context, site: options.Site, *, by: options.By = None, note: options.Note = ""
) -> None:
    """Leave a site alone until it is resumed.

    Whatever its spec says. It goes on serving.
    """
    invocation = Invocation.of(context)
    who, why = speaking.speaker(invocation, by), speaking.reason(note)
    heard = run(_suspend(invocation, site, who, why))
    _say(invocation, f"{site} is suspended; to go on: otto resume {site}", heard)


def resume(
    context: typer.Context, site: options.Site, *, by: options.By = None, note: options.Note = ""
) -> None:
    """Take back a suspend or destroy.

    The site follows its spec again.
    """
    invocation = Invocation.of(context)
    who, why = speaking.speaker(invocation, by), speaking.reason(note)
    heard = run(_resume(invocation, site, who, why))
    _say(invocation, f"{site} follows its spec again", heard)


async def _suspend(invocation: Invocation, site: str, who: "Speaker", note: str) -> telling.Heard:
    from otto.reconcile import intents  # noqa: PLC0415  (not for --help)

    async with naming.reading_store(invocation) as store:
        naming.require(site, await naming.names_in(store))
        await intents.suspend(store, site, who, note)
    return await telling.tell(invocation, [site])


async def _resume(invocation: Invocation, site: str, who: "Speaker", note: str) -> telling.Heard:
    from otto.reconcile import intents  # noqa: PLC0415  (not for --help)

    async with naming.reading_store(invocation) as store:
        naming.require(site, await naming.names_in(store))
        await intents.resume(store, site, who, note)
    return await telling.tell(invocation, [site])


def _say(invocation: Invocation, words: str, heard: telling.Heard) -> None:
    from otto.cli.text import clean  # noqa: PLC0415

    invocation.out.print(clean(words + telling.LATER[heard]), soft_wrap=True)
