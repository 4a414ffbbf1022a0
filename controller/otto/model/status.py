"""The status of a site: one phase and a set of conditions."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum

from otto.model.cost import Cost
from otto.model.domain import DomainSpec
from otto.model.host import Endpoint, Host
from otto.model.rollout import RolloutStatus
from otto.model.spec import SiteSpec
from otto.model.verdict import Reason


class Phase(StrEnum):
    """The life of a site."""

    PENDING = "Pending"
    PLANNING = "Planning"
    AWAITING_APPROVAL = "AwaitingApproval"
    PROVISIONING = "Provisioning"
    CONFIGURING = "Configuring"
    DEPLOYING = "Deploying"
    VERIFYING = "Verifying"
    READY = "Ready"
    DEGRADED = "Degraded"
    DRIFTED = "Drifted"
    SUSPENDED = "Suspended"
    ORPHANED = "Orphaned"
    DESTROYING = "Destroying"
    DESTROYED = "Destroyed"


WORKING = frozenset(
    {
        Phase.PLANNING,
        Phase.PROVISIONING,
        Phase.CONFIGURING,
        Phase.DEPLOYING,
        Phase.VERIFYING,
        Phase.DESTROYING,
    }
)
"""A site in one of these is being worked on right now."""


class ConditionType(StrEnum):
    """What a condition speaks of."""

    VALID = "Valid"
    ALLOWED = "Allowed"
    PROVISIONED = "Provisioned"
    CONFIGURED = "Configured"
    DEPLOYED = "Deployed"
    RESOLVING = "Resolving"
    SERVING = "Serving"
    IN_SYNC = "InSync"
    READY = "Ready"


class Truth(StrEnum):
    """Whether it holds. What was not seen is Unknown."""

    TRUE = "True"
    FALSE = "False"
    UNKNOWN = "Unknown"


@dataclass(frozen=True, slots=True)
class Condition:
    """One thing that holds, does not hold, or is not known.

    `since` moves only when `status` moves.
    """

    type: ConditionType
    status: Truth
    reason: str
    message: str
    since: datetime
    observed_digest: str = ""

    def moved_from(self, before: "Condition | None") -> "Condition":
        """This condition with `since` kept from `before` when the status is the same."""
        return replace(self, since=before.since) if before and before.status is self.status else self


@dataclass(frozen=True, slots=True)
class SiteStatus:
    """All OttO says of a site.

    Attributes:
        site: name.
        phase: where it is in its life.
        conditions: by type.
        commit: commit of the desired state, for people.
        digest: desired digest.
        endpoints: where visitors reach it.
        hosts: as the state has them.
        run: id of the last run, "" before the first.
        message: one line for the table.
        updated_at: when this status was written.
        next_look: when it will be looked at again, None when only a change would cause it.
        failures: consecutive failed runs with the same inputs.
        held: what the guard said of the plan that waits, the weightiest first; if none
            does, its warnings of the last one.
        held_since: since when that very plan is held.
        plan: digest of the plan that waits, "" when none does.
        leaving: who wants the site taken down while the guard holds that (`tombstone`, …), "" for nobody.
        ends_at: when the site's time to live is over, or its tombstone counts; None for never.
        labels: as the spec says.
        provider: where its hosts live.
        cost: what its hosts cost, None where there is no price table.
        currency: the currency of `cost`, "" where there is none.
        rollout: how its last rollout stands, None before the first.
    """

    site: str
    phase: Phase
    updated_at: datetime
    conditions: Mapping[str, Condition] = field(default_factory=dict)
    commit: str = ""
    digest: str = ""
    endpoints: tuple[Endpoint, ...] = ()
    hosts: tuple[Host, ...] = ()
    run: str = ""
    message: str = ""
    next_look: datetime | None = None
    failures: int = 0
    labels: Mapping[str, str] = field(default_factory=dict)
    provider: str = ""
    held: tuple[Reason, ...] = ()
    held_since: datetime | None = None
    plan: str = ""
    leaving: str = ""
    ends_at: datetime | None = None
    cost: Cost | None = None
    currency: str = ""
    rollout: RolloutStatus | None = None

    @property
    def ready(self) -> bool:
        """Whether the Ready condition is True."""
        return self.holds(ConditionType.READY)

    def holds(self, kind: ConditionType) -> bool:
        """Whether the condition of that type is True."""
        condition = self.conditions.get(kind.value)
        return condition is not None and condition.status is Truth.TRUE

    def with_condition(self, condition: Condition) -> "SiteStatus":
        """A copy that holds this condition, `since` kept when its status did not move."""
        before = self.conditions.get(condition.type.value)
        merged = dict(self.conditions) | {condition.type.value: condition.moved_from(before)}
        return replace(self, conditions=merged)


def pending(spec: SiteSpec | DomainSpec, commit: str, now: datetime) -> SiteStatus:
    """The status of a site or zone that nobody has looked at: a spec is there, its first look is to come."""
    return SiteStatus(
        spec.name, Phase.PENDING, now, provider=spec.provider.value, labels=spec.labels, commit=commit
    )
