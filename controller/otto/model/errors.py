"""The one exception tree, sorted by what the loop does next.

    OttoError
    ├── TerminalError        stall until the inputs change
    │   ├── UsageError       a person asked for something that cannot be; nothing was changed
    │   │   ├── ForbiddenError   they may not ask for it
    │   │   └── UnseenError      it is not there, as far as they can see
    │   └── UnresolvedError  what a spec asks for cannot be had; what was in force stays
    ├── TransientError       back off and look again (retry_after, seconds)
    │   └── StaleError       what was planned from is no longer so: plan again at once
    └── WaitingError         something else has to happen first (reason, until)

Vendor exceptions are translated once, in the adapter that meets them, chained, with secrets removed.
Anything outside this tree is treated as transient and logged in full.
"""

from datetime import datetime


class OttoError(Exception):
    """Base of every error OttO raises on purpose.

    Args:
        message: what went wrong and where, in one line.
        mend: what a person can do about it; empty when nothing can be done.
        detail: output of the tool concerned, already scrubbed, possibly many lines.
    """

    def __init__(self, message: str, *, mend: str = "", detail: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.mend = mend
        self.detail = detail

    def add(self, more: str) -> None:
        """Have the message say more; "" adds nothing."""
        if more:
            self.message = f"{self.message}; {more}"

    def __str__(self) -> str:
        return f"{self.message} ({self.mend})" if self.mend else self.message


class TerminalError(OttoError):
    """Trying again with the same inputs cannot help."""


class UsageError(TerminalError):
    """The command or request itself cannot be carried out; nothing was changed."""


class UnresolvedError(TerminalError):
    """What a spec asks for cannot be had: content, an image, a provider. What was in force stays."""


class ForbiddenError(UsageError):
    """Who asks may not have it."""


class UnseenError(UsageError):
    """There is nothing of that name, as far as who asks can see."""


class TransientError(OttoError):
    """Trying again later may help.

    Args:
        message: as for `OttoError`.
        retry_after: seconds the other side asked us to wait; None leaves it to the backoff.
        mend: as for `OttoError`.
        detail: as for `OttoError`.
    """

    def __init__(
        self, message: str, *, retry_after: float | None = None, mend: str = "", detail: str = ""
    ) -> None:
        super().__init__(message, mend=mend, detail=detail)
        self.retry_after = retry_after


class StaleError(TransientError):
    """What was planned from is no longer so, and nothing was changed: plan again, at once."""


class WaitingError(OttoError):
    """Not an error of anyone's: something else has to happen first.

    Args:
        reason: what is waited for, in one line.
        until: when to look again at the latest; None leaves it to the schedule.
        mend: what would let it go on.
    """

    def __init__(self, reason: str, *, until: datetime | None = None, mend: str = "") -> None:
        super().__init__(reason, mend=mend)
        self.until = until


class PausedError(WaitingError):
    """A person paused it, and has to let it go on."""
