"""Writes to the spec repository: what is wanted, and why it may be refused.

UsageError
├── NotThereError       there is no such document, as far as the caller is concerned
├── TakenError          there is one of that name already
├── InvalidError        the document, or what it would make of the others, is not as it should be
└── NotAllowedError     the caller may not do that
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from otto.model.caller import Caller
from otto.model.document import Data, Kind
from otto.model.errors import UsageError
from otto.model.problem import Problem


class NotThereError(UsageError):
    """There is no such document."""


class TakenError(UsageError):
    """There is one of that name already."""


class NotAllowedError(UsageError):
    """The caller may not do that."""


class InvalidError(UsageError):
    """The document is not as it should be, or the repository would not be with it.

    Args:
        message: what cannot be done, in a line.
        problems: what is wrong, in order of place.
        mend: as for `OttoError`.
    """

    def __init__(self, message: str, problems: tuple[Problem, ...], *, mend: str = "") -> None:
        super().__init__(message, mend=mend)
        self.problems = problems


Change = Callable[[Data | None], Data | None]
"""From what a document says (None: there is none) to what it is to say (None: it goes). Pure; may raise."""

Precondition = Callable[[str | None], None]
"""Looks at the etag of the document that is there, None without one; raises where another one was meant."""


@dataclass(frozen=True, slots=True)
class Burial:
    """That a site is to be taken down with its spec: a tombstone comes in its place.

    Attributes:
        reason: why, for the tombstone.
        at: when; None for at once.
    """

    reason: str
    at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Order:
    """One write.

    Attributes:
        kind: of the document.
        name: whose it is.
        caller: who wants it.
        change: what is wanted.
        verb: what it is, for the commit and the audit record: `create`, `replace`, `patch`, `remove`, ….
        reason: why, in the caller's words.
        request: id of the request.
        precondition: what has to hold of the document that is there.
        burial: for a site that goes: that it be taken down.
    """

    kind: Kind
    name: str
    caller: Caller
    change: Change
    verb: str
    reason: str = ""
    request: str = ""
    precondition: Precondition = lambda _: None
    burial: Burial | None = None
