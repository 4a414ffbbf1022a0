"""`otto extend` and `otto override`: more life for a site, or more time for changes."""

from typing import TYPE_CHECKING, Annotated

import typer

from otto.cli import options, speaking
from otto.cli.invocation import Invocation
from otto.cli.running import run

if TYPE_CHECKING:
    from otto.model.saying import Saying, Speaker
    from otto.ports import Store


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
    from otto.cli import moments  # noqa: PLC0415  (not for --help)

    invocation = Invocation.of(context)
    who, why = speaking.speaker(invocation, by), speaking.reason(reason)
    longer = moments.length(duration) if duration is not None else 0.0
    wanted = moments.moment(until, who.at) if until is not None else None

    async def extended(store: "Store", speaker: "Speaker") -> "Saying":
        from otto.adapters.policies import FilePolicies  # noqa: PLC0415
        from otto.adapters.specs import parse_fleet_policy  # noqa: PLC0415
        from otto.cli import lifetimes  # noqa: PLC0415
        from otto.decide import leeway  # noqa: PLC0415

        fleet = FilePolicies(invocation.settings.fleet_policy, parse_fleet_policy).fleet()
        end = await lifetimes.end_of(store, site, fleet, speaker.at)
        if end is None:
            raise leeway.endless(site)
        new = wanted or moments.after(end, longer, duration or "")
        return leeway.extend(site, end, new, speaker, why)

    speaking.show(invocation, run(speaking.speak(invocation, site, who, extended)), json=json)


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
    from otto.cli import moments  # noqa: PLC0415  (not for --help)

    invocation = Invocation.of(context)
    who, why = speaking.speaker(invocation, by), speaking.reason(reason, needed=True)
    until = moments.after(who.at, moments.length(lasting), lasting)

    async def overridden(_: "Store", speaker: "Speaker") -> "Saying":
        from otto.decide import leeway  # noqa: PLC0415

        return leeway.override(site, until, speaker, why)

    speaking.show(invocation, run(speaking.speak(invocation, site, who, overridden)), json=json)
