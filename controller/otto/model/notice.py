"""Something that people should hear of without looking."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class NoticeKind(StrEnum):
    """What a notice is about."""

    APPROVAL = "approval"  # a plan waits for a person
    REFUSED = "refused"  # the guard refuses a plan
    FREEZE = "freeze"  # deletions are frozen
    THAW = "thaw"  # they are not any more
    TTL = "ttl"  # a site's end is near, or came
    BUDGET = "budget"  # a budget is nearly used up, or is
    WARNING = "warning"  # a hook warns of a plan that is carried out all the same
    FLAPPING = "flapping"  # a site is repaired again and again
    SIGNATURE = "signature"  # something is not deployed, since nobody known has signed it
    ROLLOUT = "rollout"  # a rollout failed, and was taken back, or cannot be


@dataclass(frozen=True, slots=True)
class Notice:
    """Something that people should hear of.

    Attributes:
        kind: what about.
        site: which site, "" for all.
        title: one line.
        body: some lines: what, why, and the command that lets it go on; no markup.
        at: when.
    """

    kind: NoticeKind
    site: str
    title: str
    body: str
    at: datetime
