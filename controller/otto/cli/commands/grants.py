"""`otto grants`: what people said to the guard, and still holds."""

from typing import TYPE_CHECKING

import typer

from otto.cli import options
from otto.cli.invocation import Invocation
from otto.cli.running import run

if TYPE_CHECKING:
    from rich.table import Table

    from otto.model.history import Grant


def grants(context: typer.Context, site: options.SomeSite = None, json: options.Json = False) -> None:
    """List what people said to the guard and still holds.

    Approvals, rejections, freezes, overrides and longer lives, and of rollouts pauses and quarantines, OttO's
    own too: of one site, with what concerns all of them, or of every site. What was said and holds no more is
    in the audit record.
    """
    invocation = Invocation.of(context)
    from otto.desk.saying import SeeGrants  # noqa: PLC0415  (not for --help)

    found = run(invocation.desk.ask(SeeGrants(site)))
    if json:
        from otto.cli import documents  # noqa: PLC0415  (either this or the table)

        documents.write(invocation.out, documents.grants_document(found))
        return
    invocation.out.print(_table(found) if found else "nothing beside the specs is in force")


def _table(found: "tuple[Grant, ...]") -> "Table":
    from otto.cli.tables import blank, words  # noqa: PLC0415
    from otto.cli.text import date_time  # noqa: PLC0415
    from otto.model.canonical import short  # noqa: PLC0415

    table = blank("WHAT", "SITE", "PLAN", "BY", "SINCE", "UNTIL", "")
    for column in table.columns[:3]:
        column.no_wrap = True
    for grant in found:
        table.add_row(
            words(grant.kind.value, "bold"),
            words(grant.site or "all sites"),
            words(short(grant.plan)),
            words(grant.by),
            words(date_time(grant.at), "dim"),
            words(date_time(grant.until) if grant.until else "taken back"),
            words(grant.reason),
        )
    return table
