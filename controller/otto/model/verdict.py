"""What the guard says of a plan."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Reason:
    """Why: the rule's name, what it found, and what would let the plan go on."""

    rule: str
    message: str
    mend: str = ""


@dataclass(frozen=True, slots=True)
class Allowed:
    """The plan may be carried out."""


@dataclass(frozen=True, slots=True)
class NeedsApproval:
    """A person has to approve this very plan."""

    reasons: tuple[Reason, ...]


@dataclass(frozen=True, slots=True)
class Refused:
    """The plan may not be carried out."""

    reasons: tuple[Reason, ...]


@dataclass(frozen=True, slots=True)
class Waiting:
    """The plan may be carried out later."""

    reason: Reason
    until: datetime | None = None


Verdict = Allowed | NeedsApproval | Refused | Waiting
