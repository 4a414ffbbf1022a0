"""`otto destroy`: take a site down, or all of them and the lab with them."""

from typing import TYPE_CHECKING, Annotated

import typer

from otto.cli import options
from otto.cli.invocation import Invocation
from otto.cli.running import run

if TYPE_CHECKING:
    from otto.cli.answer import Answer

_TIMEOUT = 600.0
EVERYTHING = "destroy all"


def destroy(
    context: typer.Context,
    site: options.SomeSite = None,
    *,
    every: Annotated[bool, typer.Option("--all", help="Every site, and what the lab itself uses.")] = False,
    yes: options.Yes = False,
    by: options.By = None,
    note: options.Note = "",
    timeout: options.Timeout = _TIMEOUT,
    plain: options.Plain = False,
    json: options.JsonLines = False,
) -> None:
    """Take down a site, or all of them.

    Visitors may finish first; then its servers, networks and all they hold are destroyed; its spec and
    history stay. Of a zone OttO's records are removed, and no others. What was destroyed stays away until
    `otto resume`, or until its spec changes. With --all, sites come back when OttO is started again. What is
    protected, or has its deletions frozen, stays.
    """
    if bool(site) == every:
        raise typer.BadParameter("name one SITE, or give --all")
    invocation = Invocation.of(context)
    sites = run(_sites(invocation, site))
    if not yes:
        confirm(invocation, site, sites)
    answers: tuple[Answer, ...] = ()
    if sites:
        from otto.cli.session import destroy as destroy_sites  # noqa: PLC0415  (imports the loop)
        from otto.desk.intents import Destroy  # noqa: PLC0415

        wish = Destroy(tuple(sites), note, by, every)
        answers = run(destroy_sites(invocation, wish, timeout, plain=plain, json=json))
    if every and all(answer.ok for answer in answers):
        _clean(invocation, json=json)
    from otto.cli.reporting import report  # noqa: PLC0415

    report(invocation, answers, json=json, all_sites=False)


async def _sites(invocation: Invocation, site: str | None) -> list[str]:
    from otto.desk.names import require  # noqa: PLC0415  (not for --help)
    from otto.desk.sites import SeeNames  # noqa: PLC0415

    names = await invocation.desk.ask(SeeNames(needed=site is not None))
    if site is None:
        return [*names]
    require(site, names)
    return [site]


def confirm(invocation: Invocation, site: str | None, sites: list[str]) -> None:
    """Have the site's name typed, or the words that mean everything.

    Raises:
        UsageError: something else was typed, or nobody is there to type.
    """
    from otto.cli.asking import typed  # noqa: PLC0415  (unless --yes)
    from otto.cli.text import counted  # noqa: PLC0415
    from otto.model.domain import is_zone  # noqa: PLC0415

    if site and is_zone(site):
        words = f"This gives zone {site} up: OttO's records leave it, and no others."
    elif site:
        words = f"This destroys site {site}: servers, networks and all they hold."
    else:
        zones = [name for name in sites if is_zone(name)]
        own = [name for name in sites if name not in zones]
        left = (
            f", and takes OttO's records out of {counted(len(zones), 'zone')} ({', '.join(zones)})"
            if zones
            else ""
        )
        what = f"{counted(len(own), 'site')} ({', '.join(own) or 'none'})"
        words = f"This destroys {what} and the lab: servers, networks and all they hold{left}."
    typed(invocation, words, site or EVERYTHING)


def _clean(invocation: Invocation, *, json: bool) -> None:
    """Remove what the lab itself left: engine, route, image files. A running controller still needs it."""
    from otto.cli import presence  # noqa: PLC0415

    if invocation.server is not None or presence.find(invocation.settings.home) is not None:
        if not json:
            invocation.out.print(
                "the controller goes on, and the lab with it; after stopping it: otto lab clean"
            )
        return
    from otto.cli.commands.lab import clean_up  # noqa: PLC0415
    from otto.model.spec import Provider  # noqa: PLC0415

    settings = invocation.settings
    # Without its owner's mark a home never made anything.
    if Provider.LAB in settings.providers and (settings.home / "owner").exists():
        clean_up(invocation, quiet=json)
