"""`otto audit`: who did, allowed and refused what, and whether the record of it is whole."""

import re
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Annotated

import typer

from otto.cli import options
from otto.cli.exits import Exit
from otto.cli.invocation import Invocation
from otto.cli.running import run
from otto.model.duration import seconds_of
from otto.model.errors import TerminalError, UsageError

if TYPE_CHECKING:
    from otto.model.history import AuditRecord
    from otto.reconcile.chain import Chain

_SHOWN = 50
_LONGEST = timedelta(days=36_500)
_HASH = re.compile(r"[0-9a-f]{64}")


def audit(
    context: typer.Context,
    site: options.SomeSite = None,
    *,
    limit: Annotated[
        int | None, typer.Option(min=1, max=10_000, help=f"Newest records to show; {_SHOWN} when left out.")
    ] = None,
    since: Annotated[
        str, typer.Option(metavar="DURATION", help="No older ones than this: 90m, 8h, 2d, ….")
    ] = "",
    verify: Annotated[
        bool, typer.Option("--verify", help="Walk the whole chain instead, and say whether it is whole.")
    ] = False,
    expect: Annotated[
        str,
        typer.Option(metavar="HASH", help="With --verify: a hash that was kept elsewhere; it must be there."),
    ] = "",
    json: options.Json = False,
) -> None:
    """Show the audit record: who did what, when, and why.

    The newest first: every verdict of the guard, and everything that people said to it. Each record holds the
    hash of the one before: --verify finds what was changed, dropped or slipped in, and then ends with 1. From
    memory alone, whether or not a controller runs.
    """
    from otto.desk.record import SeeAudit, WalkAudit  # noqa: PLC0415  (not for --help)

    invocation = Invocation.of(context)
    if verify:
        if site or since or limit is not None:
            raise typer.BadParameter(
                "looks at all of the record: leave SITE, --since and --limit out", param_hint="--verify"
            )
        _tell(invocation, run(invocation.desk.ask(WalkAudit(_hash(expect)))), json=json)
        return
    if expect:
        raise typer.BadParameter("goes with --verify", param_hint="--expect")
    start = _start(since, invocation.now())
    _show(invocation, run(invocation.desk.ask(SeeAudit(site, start, limit or _SHOWN))), json=json)


def _hash(text: str) -> str:
    found = text.strip().lower()
    if found and not _HASH.fullmatch(found):
        raise UsageError(
            f"{text[:80]!r} is no hash", mend="give all 64 digits, as otto audit --verify printed them"
        )
    return found


def _start(since: str, now: datetime) -> datetime | None:
    if not since:
        return None
    seconds = min(seconds_of(since), _LONGEST.total_seconds())
    return now - timedelta(seconds=seconds)


def _show(invocation: Invocation, records: "tuple[AuditRecord, ...]", *, json: bool) -> None:
    if json:
        from otto.cli import documents  # noqa: PLC0415  (either this or the table)

        documents.write(invocation.out, documents.audit_document(records))
        return
    from otto.cli import tables  # noqa: PLC0415

    invocation.out.print(tables.audit(records) if records else "nothing is recorded")


def _tell(invocation: Invocation, chain: "Chain", *, json: bool) -> None:
    if json:
        from otto.cli import documents  # noqa: PLC0415  (see `_show`)

        documents.write(invocation.out, documents.audit_document((), chain))
        if chain.wrong:
            raise typer.Exit(Exit.FAILED)
        return
    if chain.wrong:
        raise _not_whole(chain)
    last = f", last hash {chain.last}" if chain.last else ""
    invocation.out.print(f"chain of {chain.records} records is whole{last}", soft_wrap=True)


def _not_whole(chain: "Chain") -> TerminalError:
    before = f"before it {chain.records} records are whole, the last of them with hash {chain.last}"
    return TerminalError(
        f"the audit record is not whole: {chain.wrong}",
        detail=before if chain.records else "",
        mend="keep a copy of the database for whoever looks into it, then restore it from a backup",
    )
