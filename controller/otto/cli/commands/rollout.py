"""`otto rollout`: see how a change reaches running servers, and stop it, or take it back."""

from typing import TYPE_CHECKING, Annotated

import typer

from otto.cli import options, speaking
from otto.cli.invocation import Invocation
from otto.cli.running import run

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from otto.model.saying import Saying, Speaker
    from otto.ports import Store

app = typer.Typer(
    help="Changes on their way to running servers.", no_args_is_help=True, rich_markup_mode=None
)


@app.callback()
def rollout() -> None:
    """Changes on their way to running servers."""


@app.command()
def status(context: typer.Context, site: options.Site, *, json: options.Json = False) -> None:
    """Show how the last rollout of a site stands, batch by batch, and what is quarantined."""
    from otto.cli import rolloutpage  # noqa: PLC0415  (not for --help)

    invocation = Invocation.of(context)
    found = run(rolloutpage.read(invocation, site))
    rolloutpage.show(invocation.out, found, json=json)


@app.command()
def pause(
    context: typer.Context,
    site: options.Site,
    *,
    reason: options.Note = "",
    by: options.By = None,
    json: options.Json = False,
) -> None:
    """Stop before the next batch. What breaks meanwhile is mended; nothing else is changed."""

    async def paused(store: "Store", who: "Speaker", why: str) -> "Saying":
        from otto.decide import steering  # noqa: PLC0415

        return steering.pause(site, await store.ledger.grants(site=site), who, why)

    _say(context, site, paused, reason, by, json=json)


@app.command()
def resume(
    context: typer.Context,
    site: options.Site,
    *,
    everything: Annotated[
        bool, typer.Option("--all", help="Take back every pause and every quarantine, of older wishes too.")
    ] = False,
    reason: options.Note = "",
    by: options.By = None,
    json: options.Json = False,
) -> None:
    """Go on with what was paused; or, where nothing is paused, try again what is quarantined now.

    What was quarantined before that stays so. It matters only if the repository asks for the very same again.
    """

    async def resumed(store: "Store", who: "Speaker", why: str) -> "Saying":
        from otto.decide import steering  # noqa: PLC0415

        known, applied = await store.rollout(site), await store.applied(site)
        grants = await store.ledger.grants(site=site)
        return steering.resume(site, known, applied, grants, who, reason=why, everything=everything)

    _say(context, site, resumed, reason, by, json=json)


@app.command()
def abort(
    context: typer.Context,
    site: options.Site,
    *,
    reason: options.Note = "",
    by: options.By = None,
    json: options.Json = False,
) -> None:
    """End a rollout under way: what it changed goes back to what was verified last."""

    async def aborted(store: "Store", who: "Speaker", why: str) -> "Saying":
        from otto.decide import steering  # noqa: PLC0415

        known, applied = await store.rollout(site), await store.applied(site)
        return steering.abort(site, known, applied, who, why)

    _say(context, site, aborted, reason, by, json=json)


@app.command()
def undo(
    context: typer.Context,
    site: options.Site,
    *,
    reason: options.Note = "",
    by: options.By = None,
    json: options.Json = False,
) -> None:
    """Take back what is in place, to what held before. The newest commit is not tried again then."""

    async def undone(store: "Store", who: "Speaker", why: str) -> "Saying":
        from otto.decide import steering  # noqa: PLC0415

        known, applied = await store.rollout(site), await store.applied(site)
        return steering.undo(site, known, applied, await store.ledger.grants(site=site), who, reason=why)

    _say(context, site, undone, reason, by, json=json)


def _say(
    context: typer.Context,
    site: str,
    word: "Callable[[Store, Speaker, str], Awaitable[Saying]]",
    reason: str,
    by: str | None,
    *,
    json: bool,
) -> None:
    invocation = Invocation.of(context)
    who, why = speaking.speaker(invocation, by), speaking.reason(reason)

    async def say(store: "Store", speaker: "Speaker") -> "Saying":
        return await word(store, speaker, why)

    speaking.show(invocation, run(speaking.speak(invocation, site, who, say)), json=json)
