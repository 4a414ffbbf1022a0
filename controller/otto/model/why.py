"""Why a site is as it is: what is in its way, what would take it out of there, and what led to it."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from otto.model.run import Outcome
from otto.model.status import Phase


class Obstacle(StrEnum):
    """What can be in a site's way. Those that hold up more come first."""

    CONTROLLER = "controller"  # none is running, so nothing is seen nor done
    DESTROYED = "destroyed"  # a person took it down
    SUSPENDED = "suspended"  # a person or its spec holds it
    ORPHANED = "orphaned"  # no spec wants it
    SPEC = "spec"  # the newest spec is bad
    PAUSED = "paused"  # a person paused its rollouts
    STUCK = "stuck"  # a rollout failed, and cannot be taken back
    QUARANTINED = "quarantined"  # the newest wish failed, or a person took it back
    APPROVAL = "approval"  # a person has to approve the plan
    REFUSED = "refused"  # the guard refuses the plan
    LATER = "later"  # the guard lets the plan go on later
    DEPENDENCY = "dependency"  # other sites have to be Ready first
    SILENT = "silent"  # a host answers nothing, and is not taken for lost yet
    BACKOFF = "backoff"  # it failed, and is tried again after a while
    WAITING = "waiting"  # something else has to happen first
    SIGNATURE = "signature"  # nobody known has signed the newest of the repository
    SOURCE = "source"  # the repository of specs cannot be read


@dataclass(frozen=True, slots=True)
class Blocker:
    """One thing that is in a site's way.

    Attributes:
        kind: what sort of thing.
        what: in words for people.
        unblock: the command or the change that takes it out of the way, "" when a person can do nothing.
        until: when OttO goes on by itself, None when it does not, or when nobody can say.
        since: since when it is in the way, None where that is not on record.
        rule: the guard's rule, "" where it is none of the guard's.
    """

    kind: Obstacle
    what: str
    unblock: str = ""
    until: datetime | None = None
    since: datetime | None = None
    rule: str = ""


@dataclass(frozen=True, slots=True)
class Doing:
    """The step that is under way."""

    step: str
    since: datetime
    run: str
    hosts: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class LastError:
    """What went wrong last.

    Attributes:
        message: what and where.
        mend: what a person can do about it, "" when nothing.
        at: when.
        run: the run it ended, "" when a look failed before there was one.
        over: whether a later run succeeded.
    """

    message: str
    mend: str
    at: datetime
    run: str = ""
    over: bool = False


@dataclass(frozen=True, slots=True)
class StepTaken:
    """A step of the last run; `seconds` is None while it goes on."""

    kind: str
    outcome: Outcome
    seconds: float | None
    summary: str
    hosts: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class RunTaken:
    """The last run: what made the site due, the digest of its plan, and what was done.

    Attributes:
        id: its id.
        cause: what made the site due.
        plan: digest of the plan, "" when nothing was planned.
        outcome: how it ended.
        started_at: when it began.
        ended_at: None while it goes on.
        steps: in their order.
    """

    id: str
    cause: str
    plan: str
    outcome: Outcome
    started_at: datetime
    ended_at: datetime | None
    steps: tuple[StepTaken, ...]


@dataclass(frozen=True, slots=True)
class Check:
    """The last verification: when, how it went, and in which run."""

    at: datetime
    outcome: Outcome
    summary: str
    run: str


@dataclass(frozen=True, slots=True)
class Chain:
    """From the commit to the check.

    Attributes:
        commit: commit of the wish that the site follows, "" before the first.
        newest: newest commit of the repository, "" before it was read.
        file: where the spec in force stands.
        digest: digest of the wish, "" before the first look.
        run: the last run, None before the first.
        check: the last verification that a run made, None before the first.
    """

    commit: str
    newest: str
    file: str
    digest: str
    run: RunTaken | None
    check: Check | None


@dataclass(frozen=True, slots=True)
class Why:
    """Everything that answers "why is this site as it is".

    Attributes:
        site: its name.
        phase: where it is in its life.
        ready: whether the Ready condition is True.
        since: since when it is so, None where that is not on record.
        message: the status' own words.
        seen_at: when the status was written, None before the first look.
        next_look: when the controller looks at it again.
        doing: the step under way, None when none is.
        blockers: what is in its way, the weightiest first; empty when nothing is.
        error: what went wrong last, None when nothing on record did.
        chain: commit, plan, run and check.
    """

    site: str
    phase: Phase
    ready: bool
    since: datetime | None
    message: str
    seen_at: datetime | None
    next_look: datetime | None
    doing: Doing | None
    blockers: tuple[Blocker, ...]
    error: LastError | None
    chain: Chain
