"""How a change reaches running servers: in which steps, watched by what, and what ends it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from otto.model.observed import CheckFailure
from otto.model.plan import Action


class RolloutState(StrEnum):
    """Where a rollout is."""

    RUNNING = "running"
    PAUSED = "paused"  # by a person: nothing further is changed
    REVERTING = "reverting"  # back to the last verified wish
    REVERTED = "reverted"  # and there; the wish that failed is quarantined
    STUCK = "stuck"  # cannot be reverted: a person has to decide
    DONE = "done"


@dataclass(frozen=True, slots=True)
class Quarantine:
    """A wish that failed while it was rolled out, and is not tried again until its inputs change.

    Attributes:
        digest: the wish that failed.
        commit: the commit it came with, for people.
        at: when it failed.
        reason: what failed, in one line.
        failures: the checks that failed, with request, expected and received.
        hosts: hosts that had been changed by then.
        by: who quarantined it: `otto`, or the person who aborted or undid the rollout.
    """

    digest: str
    commit: str
    at: datetime
    reason: str
    failures: tuple[CheckFailure, ...] = ()
    hosts: tuple[str, ...] = ()
    by: str = "otto"


@dataclass(frozen=True, slots=True)
class RolloutStatus:
    """A rollout as it stands: kept for each site, the last one.

    Attributes:
        site: whose.
        digest: the wish that is rolled out.
        state: where it is.
        began_at: when its first batch began.
        batches: hosts of each batch, in order, as planned when it began.
        done: hosts that were changed, verified and watched.
        current: hosts of the batch under way.
        moment: what is being done to them: `drain`, `change`, `verify`, `return`, `soak`, "".
        since: when that began.
        reason: why it is paused, reverted or stuck.
        quarantined: wishes of this site that are not tried again, by digest.
        before: digest of the last verified wish: what it goes back to, "" where there is none.
        plan: digest of the plan that was judged when it began.
        actions: the infrastructure actions of that plan: what is left of them needs no new approval.
    """

    site: str
    digest: str = ""
    state: RolloutState = RolloutState.DONE
    began_at: datetime | None = None
    batches: tuple[tuple[str, ...], ...] = ()
    done: tuple[str, ...] = ()
    current: tuple[str, ...] = ()
    moment: str = ""
    since: datetime | None = None
    reason: str = ""
    quarantined: Mapping[str, Quarantine] = field(default_factory=dict)
    before: str = ""
    plan: str = ""
    actions: tuple[Action, ...] = ()
