"""`otto extend` and `otto override`: more life for a site, or more time for changes."""

from dataclasses import replace
from typing import TYPE_CHECKING, Annotated

import typer

from otto.cli import options, speaking
from otto.cli.invocation import Invocation
from otto.cli.running import run

if TYPE_CHECKING:
    from otto.desk.leeway import Extend
    from otto.desk.saying import Said


def extend(
    context: typer.Context,
    site: options.Site,
    duration: Annotated[
        str | None, typer.Argument(metavar="[DURATION]", help="How much longer: 4h, 2d, 1w.")
    ] = None,
    *,
    until: Annotated[
        str | None, typer.Option(metavar="TIME", help="The new end instead, as ISO 8601.")
    ] = None,
    reason: options.Note = "",
    by: options.By = None,
    json: options.Json = False,
) -> None:
    """Put off the end of a site.

    By DURATION from the end it has now, or until a time. For sites whose life is limited: by policy.ttl or
    policy.until, or by the fleet's default for their labels.
    """
    if (duration is None) == (until is None):
        raise typer.BadParameter("give a DURATION, or --until TIME")
    from otto.decide import moments  # noqa: PLC0415  (not for --help)
    from otto.desk.leeway import Extend  # noqa: PLC0415

    invocation = Invocation.of(context)
    wish = Extend(site, moments.length(duration) if duration is not None else 0.0, None, reason, by)
    speaking.show(invocation, run(_extend(invocation, wish, until)), json=json)


async def _extend(invocation: Invocation, wish: "Extend", until: str | None) -> "Said":
    from otto.decide import moments  # noqa: PLC0415

    if until is not None:
        wish = replace(wish, until=moments.moment(until, await invocation.time()))
    return await invocation.desk.ask(wish)


def override(
    context: typer.Context,
    site: options.Site,
    *,
    reason: options.Reason,
    lasting: Annotated[str, typer.Option("--for", metavar="DURATION", help="For how long.")] = "1h",
    by: options.By = None,
    json: options.Json = False,
) -> None:
    """Let a site change outside its windows.

    In an emergency, for a while. Everything else the guard asks for stays as it is: approvals, limits,
    freezes. To end it sooner, say it again with a shorter time.
    """
    from otto.decide import moments  # noqa: PLC0415  (not for --help)
    from otto.desk.leeway import Override  # noqa: PLC0415

    invocation = Invocation.of(context)
    wish = Override(site, moments.length(lasting), reason, by)
    speaking.show(invocation, run(invocation.desk.ask(wish)), json=json)
