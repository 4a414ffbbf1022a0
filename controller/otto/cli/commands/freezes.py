"""`otto freeze` and `otto thaw`: whether anything may be taken away at all."""

from dataclasses import replace
from typing import TYPE_CHECKING, Annotated

import typer

from otto.cli import options, speaking
from otto.cli.invocation import Invocation
from otto.cli.running import run
from otto.model.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from otto.desk.freezes import Freeze
    from otto.desk.saying import Said
    from otto.model.history import Grant

# So many names are listed; how many more there are is said.
_LISTED = 20


def freeze(
    context: typer.Context,
    *,
    site: options.OfSite = None,
    until: Annotated[
        str | None,
        typer.Option(metavar="TIME|DURATION", help="When it ends by itself: 2h, or a time as ISO 8601."),
    ] = None,
    reason: options.Reason,
    by: options.By = None,
    json: options.Json = False,
) -> None:
    """Hold off everything that takes hosts away.

    Of one site with --site, else of all. Every plan is judged by it from now on; a run that was judged before
    goes on to its end. Sites go on serving, and what is broken is mended where nothing living has to go for
    it. A freeze that is in force is only made longer.
    """
    from otto.desk.freezes import Freeze  # noqa: PLC0415

    invocation = Invocation.of(context)
    _named(site)
    said = run(_freeze(invocation, Freeze(reason, site or "", by=by), until))
    speaking.show(invocation, said, json=json)


async def _freeze(invocation: Invocation, wish: "Freeze", until: str | None) -> "Said":
    from otto.decide import moments  # noqa: PLC0415  (not for --help)
    from otto.model.saying import reason_of  # noqa: PLC0415

    reason_of(wish.reason, needed=True)  # before the time: that is what is looked at first
    if until is not None:
        wish = replace(wish, until=moments.moment(until, await invocation.time()))
    return await invocation.desk.ask(wish)


def thaw(
    context: typer.Context,
    *,
    site: options.OfSite = None,
    reason: options.Note = "",
    by: options.By = None,
    yes: options.Yes = False,
    json: options.Json = False,
) -> None:
    """Take a freeze back.

    That of one site with --site, else that of all sites. OttO freezes by itself when the repository loses
    much at once; then it says what, lists the sites that vanished, and asks before it goes on.
    """
    from otto.desk.freezes import SeeFreezesOfOtto, Thaw  # noqa: PLC0415  (not for --help)
    from otto.model.saying import name_of  # noqa: PLC0415

    invocation = Invocation.of(context)
    _named(site)
    if by is not None:
        name_of(by)  # before anything is asked, as everything that was typed
    where = site or ""
    ours = None if yes else run(invocation.desk.ask(SeeFreezesOfOtto(where)))
    if ours:
        _confirm(invocation, ours)
    said = run(invocation.desk.ask(Thaw(where, reason, by, ours)))
    speaking.show(invocation, said, json=json)


def _named(site: str | None) -> None:
    """An empty name is no name of all: in a script, it is a variable that was never set."""
    if site is not None and not site.strip():
        raise UsageError("the name of the site is empty", mend="leave --site out to speak of all sites")


def _confirm(invocation: Invocation, freezes: "tuple[Grant, ...]") -> None:
    from otto.cli.asking import typed  # noqa: PLC0415
    from otto.decide import freezing  # noqa: PLC0415

    gone = freezing.vanished(freezes)
    words = [
        f"OttO froze all deletion: {'; '.join(grant.reason for grant in freezes)}.",
        *_what_becomes_of(gone),
        "What else waits for the thaw goes on.",
    ]
    number = (str(len(gone)),) if gone else ()
    typed(invocation, " ".join(words), "thaw", "nothing was thawed", number)


def _what_becomes_of(gone: tuple[str, ...]) -> "Iterator[str]":
    from otto.cli.text import counted  # noqa: PLC0415

    if not gone:
        return
    more = f" and {len(gone) - _LISTED} more" if len(gone) > _LISTED else ""
    yield f"{counted(len(gone), 'site')} vanished from the repository: {', '.join(gone[:_LISTED])}{more}."
    yield (
        "When thawed, they are Orphaned: they keep serving, and cost what they cost, until their specs come "
        "back or they are destroyed by name."
    )
