"""Options and arguments that several commands share."""

import asyncio
import contextlib
import io
from dataclasses import replace
from typing import Annotated

import typer

from otto.cli.invocation import Invocation
from otto.cli.naming import site_names, token_names


def complete_site(context: typer.Context, incomplete: str) -> list[str]:
    """Names of sites for the shell's completion; none when they cannot be read."""
    try:
        with contextlib.redirect_stderr(io.StringIO()):  # warnings of the store
            names = asyncio.run(site_names(_invocation(context)))
    except Exception:  # noqa: BLE001  (a shell that completes must never show an error)
        return []
    return [name for name in names if name.startswith(incomplete)]


def complete_zone(context: typer.Context, incomplete: str) -> list[str]:
    """Names of zones, which alone hold a dot."""
    return [name for name in complete_site(context, incomplete) if "." in name]


def complete_token(context: typer.Context, incomplete: str) -> list[str]:
    """Names of tokens that hold; none when they cannot be read."""
    try:
        with contextlib.redirect_stderr(io.StringIO()):
            names = asyncio.run(token_names(_invocation(context)))
    except Exception:  # noqa: BLE001  (as above)
        return []
    return [name for name in names if name.startswith(incomplete)]


def complete_scope(incomplete: str) -> list[str]:
    """What a token may let do."""
    return [word for word in ("read", "operate", "write", "admin") if word.startswith(incomplete)]


def _invocation(context: typer.Context) -> Invocation:
    """What the root would have made of its options: it is not called while a shell completes."""
    invocation = Invocation.of(context)
    home = context.find_root().params.get("home")
    return replace(invocation, flags={"home": home} if home else {})


Site = Annotated[str, typer.Argument(metavar="SITE", help="A site's name.", autocompletion=complete_site)]
SomeSite = Annotated[
    str | None, typer.Argument(metavar="[SITE]", help="A site's name.", autocompletion=complete_site)
]
OfSite = Annotated[
    str | None,
    typer.Option("--site", metavar="SITE", help="This site alone.", autocompletion=complete_site),
]
By = Annotated[
    str | None, typer.Option(metavar="NAME", help="Who says it, when it is not the user who calls.")
]
Note = Annotated[str, typer.Option(metavar="TEXT", help="Why, for the record.")]
Reason = Annotated[str, typer.Option(metavar="TEXT", help="Why; it has to be given.")]
SitesOrAll = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="[SITE]...", help="Names of sites; all when left out.", autocompletion=complete_site
    ),
]
Sites = Annotated[
    list[str],
    typer.Argument(metavar="SITE...", help="Names of sites.", autocompletion=complete_site),
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON, as its schema in schemas/output describes.")]
JsonLines = Annotated[
    bool, typer.Option("--json", help="Print one JSON event per line (schemas/output/event.json).")
]
Plain = Annotated[bool, typer.Option("--plain", help="One line per change instead of the live table.")]
Timeout = Annotated[float, typer.Option(min=0, help="Seconds to wait at most.", metavar="SECONDS")]
Image = Annotated[
    str,
    typer.Argument(metavar="IMAGE", help="NAME (its stable), NAME@CHANNEL, NAME@sha256:…, or first digits."),
]
ExitCode = Annotated[bool, typer.Option("--exit-code", help="Exit with 4 when there is something.")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask for confirmation.")]
