"""`otto suspend` and `resume`: whether OttO works on a site at all."""

import typer

from otto.cli import naming, options, telling
from otto.cli.invocation import Invocation
from otto.cli.running import run


def suspend(context: typer.Context, site: options.Site) -> None:
    """Leave a site alone until it is resumed.

    Whatever its spec says. It goes on serving.
    """
    invocation = Invocation.of(context)
    heard = run(_suspend(invocation, site))
    _say(invocation, f"{site} is suspended; to go on: otto resume {site}", heard)


def resume(context: typer.Context, site: options.Site) -> None:
    """Take back a suspend or destroy.

    The site follows its spec again.
    """
    invocation = Invocation.of(context)
    heard = run(_resume(invocation, site))
    _say(invocation, f"{site} follows its spec again", heard)


async def _suspend(invocation: Invocation, site: str) -> telling.Heard:
    async with naming.reading_store(invocation) as store:
        naming.require(site, await naming.names_in(store))
        await store.set_intent(site, "suspend", on=True)
    return await telling.tell(invocation, [site])


async def _resume(invocation: Invocation, site: str) -> telling.Heard:
    async with naming.reading_store(invocation) as store:
        naming.require(site, await naming.names_in(store))
        for intent in ("suspend", "destroy", "destroyed", "teardown"):
            await store.set_intent(site, intent, on=False)
    return await telling.tell(invocation, [site])


def _say(invocation: Invocation, words: str, heard: telling.Heard) -> None:
    from otto.cli.text import clean  # noqa: PLC0415

    invocation.out.print(clean(words + telling.LATER[heard]), soft_wrap=True)
