"""Who speaks on this machine; and what people said to the guard, in a line of words."""

import os
import pwd
from typing import TYPE_CHECKING

from otto.desk.heard import LATER

if TYPE_CHECKING:
    from otto.cli.invocation import Invocation
    from otto.desk.saying import Said
    from otto.model.saying import Speaker


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


def show(invocation: "Invocation", said: "Said", *, json: bool) -> None:
    """Say what holds now, until when, and who will hear of it later."""
    if json:
        from otto.cli import documents  # noqa: PLC0415  (either this or the line)

        documents.write(invocation.out, documents.said_document(said))
        return
    from otto.cli.text import clean, date_time  # noqa: PLC0415

    saying = said.saying
    until = f", until {date_time(saying.given.until)}" if saying.given and saying.given.until else ""
    line = "; ".join([saying.message + until, *saying.more])
    invocation.out.print(clean(line + LATER[said.heard]), soft_wrap=True)
