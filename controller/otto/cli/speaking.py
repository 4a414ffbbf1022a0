"""What people say to the guard: from the command line to the ledger, and back in a line of words."""

import os
import pwd
from dataclasses import dataclass
from typing import TYPE_CHECKING

from otto.cli import naming, telling

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from otto.cli.invocation import Invocation
    from otto.model.history import AuditRecord
    from otto.model.saying import Saying, Speaker
    from otto.ports import Store

    Say = Callable[[Store, Speaker], Awaitable[Saying]]


@dataclass(frozen=True, slots=True)
class Said:
    """What was said, its place in the audit record, and whether a controller heard of it."""

    saying: "Saying"
    record: "AuditRecord"
    heard: telling.Heard


def account() -> str:
    """Who the system says is calling; a number where it has no name."""
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return str(os.getuid())


def speaker(invocation: "Invocation", by: str | None = None) -> "Speaker":
    """Who speaks now.

    Args:
        invocation: the call.
        by: the name they give, None for that of their account.

    Raises:
        UsageError: the name will not do.
    """
    from otto.model.saying import Speaker, name_of  # noqa: PLC0415  (not for --help)

    user = account()
    return Speaker(name_of(user if by is None else by), invocation.now(), user)


def reason(text: str, *, needed: bool = False) -> str:
    """A reason as it is kept.

    Raises:
        UsageError: it will not do, or is missing and needed.
    """
    from otto.model.saying import reason_of  # noqa: PLC0415  (not for --help)

    return reason_of(text, needed=needed)


async def speak(invocation: "Invocation", site: str, who: "Speaker", say: "Say") -> Said:
    """Say something of a site, or of all: it is in force and on record when this returns.

    Args:
        invocation: the call.
        site: which; "" for all.
        who: who speaks.
        say: finds what the word is; raises when it cannot be said.

    Raises:
        UsageError: the site is unknown, or it cannot be said; nothing was changed.
    """
    from otto.reconcile.saying import say as put_in_force  # noqa: PLC0415  (not for --help)

    async with naming.reading_store(invocation) as store:
        if site:
            naming.require(site, await naming.names_in(store))
        saying = await say(store, who)
        record = await put_in_force(store.ledger, saying)
        waiting = [site] if site else await telling.held_sites(store)
    return Said(saying, record, await telling.tell(invocation, waiting))


def show(invocation: "Invocation", said: Said, *, json: bool) -> None:
    """Say what holds now, until when, and who will hear of it later."""
    if json:
        from otto.cli import documents  # noqa: PLC0415  (either this or the line)

        documents.write(invocation.out, documents.said_document(said))
        return
    from otto.cli.text import clean, date_time  # noqa: PLC0415

    saying = said.saying
    until = f", until {date_time(saying.given.until)}" if saying.given and saying.given.until else ""
    line = "; ".join([saying.message + until, *saying.more])
    invocation.out.print(clean(line + telling.LATER[said.heard]), soft_wrap=True)
