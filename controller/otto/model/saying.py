"""What somebody says to the guard: who speaks, and what their word changes."""

from dataclasses import dataclass
from datetime import datetime

from otto.model.errors import UsageError
from otto.model.history import AuditEntry, Grant

LONGEST_REASON = 500
LONGEST_NAME = 100


@dataclass(frozen=True, slots=True)
class Speaker:
    """Who speaks, and when.

    Attributes:
        name: as they call themselves, or as whoever they speak for is called.
        at: when.
        account: who the system says they are.
    """

    name: str
    at: datetime
    account: str


@dataclass(frozen=True, slots=True)
class Saying:
    """Somebody's word: what it changes of what is in force, and what the audit record says of it.

    Attributes:
        entry: for the audit record.
        given: what is in force from now on; None when the word only takes something back.
        taken: what is in force no more.
        tightens: whether less is allowed afterwards than before.
        message: what holds now, in a line; until when is told beside it.
        more: what else there is to say of it.
    """

    entry: AuditEntry
    given: Grant | None = None
    taken: tuple[Grant, ...] = ()
    tightens: bool = False
    message: str = ""
    more: tuple[str, ...] = ()


def reason_of(text: str, *, needed: bool = False) -> str:
    """Somebody's reason as it is kept: one line that prints.

    Raises:
        UsageError: it is too long, holds what does not print, or is empty and may not be.
    """
    line = _line(text, "the reason", LONGEST_REASON)
    if needed and not line:
        raise UsageError("the reason is empty", mend='say why: --reason "…"')
    return line


def name_of(text: str) -> str:
    """Somebody's name as it is kept.

    Raises:
        UsageError: it is empty, too long, or holds what does not print.
    """
    line = _line(text, "the name", LONGEST_NAME)
    if not line:
        raise UsageError("the name is empty", mend="say who: --by NAME")
    return line


def _line(text: str, what: str, longest: int) -> str:
    line = " ".join(text.split())
    if len(line) > longest:
        raise UsageError(f"{what} is {len(line)} characters long", mend=f"at most {longest} are kept")
    if not line.isprintable():
        raise UsageError(f"{what} holds characters that do not print", mend="write it as one line of text")
    return line
