"""What the guard says of a plan."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import IntEnum

# Rules whose reason to wait a person's approval of the very plan takes out of the way as well.
APPROVABLE = frozenset({"guard.drift.flapping"})


class Effect(IntEnum):
    """What a rule does to a plan, from the mildest to the strictest."""

    WARN = 1
    ASK = 2  # a person has to approve this very plan
    WAIT = 3  # time, or somebody, has to let it go on
    REFUSE = 4  # it cannot be carried out as it is


@dataclass(frozen=True, slots=True)
class Reason:
    """Why: the rule's name, what it found, and what would let the plan go on.

    Attributes:
        rule: the rule's name, as in the reference.
        message: what it found, in words.
        mend: the command, or the change, that lets the plan go on.
        effect: what it does to the plan.
        figures: what was counted and the limit, by name.
        until: when it ends by itself, None when it does not.
    """

    rule: str
    message: str
    mend: str = ""
    effect: Effect = Effect.ASK
    figures: Mapping[str, str] = field(default_factory=dict)
    until: datetime | None = None

    @property
    def approvable(self) -> bool:
        """Whether enough approvals of the very plan answer it."""
        return self.effect is Effect.ASK or self.rule in APPROVABLE


@dataclass(frozen=True, slots=True)
class Allowed:
    """The plan may be carried out. `warnings` are told and hold nothing up."""

    warnings: tuple[Reason, ...] = ()


@dataclass(frozen=True, slots=True)
class NeedsApproval:
    """People have to approve this very plan: `wanted` different ones, of whom `given` have."""

    reasons: tuple[Reason, ...]
    given: int = 0
    wanted: int = 1


@dataclass(frozen=True, slots=True)
class Refused:
    """The plan may not be carried out. `behind` is what would stand in its way after that."""

    reasons: tuple[Reason, ...]
    behind: tuple[Reason, ...] = ()


@dataclass(frozen=True, slots=True)
class Waiting:
    """The plan may be carried out later: `until` then at the latest it is looked at again."""

    reasons: tuple[Reason, ...]
    until: datetime | None = None
    behind: tuple[Reason, ...] = ()


Verdict = Allowed | NeedsApproval | Refused | Waiting
