"""What the store holds about a site, gathered for one answer to "why"."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from otto.model.catalogue import RememberedDomain, RememberedSpec
from otto.model.history import Grant
from otto.model.run import Outcome, Run, StepRecord
from otto.model.spec import SiteSpec
from otto.model.status import Condition, ConditionType, Phase, SiteStatus, Truth

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
"""Phases in which a site is being worked on."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """What the store holds about a site.

    Attributes:
        site: its name.
        status: its status, None before the first look.
        spec: its last good spec, None when there never was one.
        intents: what people asked for besides the spec.
        runs: its runs, newest first.
        statuses: every site's status, for those it depends on.
        specs: every site's last good spec, by name.
        controller: whether a controller is running.
        newest: newest commit of the repository.
        source_error: why the repository cannot be read, "" when it can.
        source_failures: how many times in a row it could not.
        unsigned: what newer thing in the repository is not deployed since nobody known has signed it, and
            why; "" for nothing.
        approved: whether the plan that waits is approved.
        steered: what people and OttO said of the site's rollouts that still holds, oldest first.
    """

    site: str
    status: SiteStatus | None = None
    spec: RememberedSpec | RememberedDomain | None = None
    intents: frozenset[str] = frozenset()
    runs: tuple[Run, ...] = ()
    statuses: Mapping[str, SiteStatus] = field(default_factory=dict)
    specs: Mapping[str, SiteSpec] = field(default_factory=dict)
    controller: bool = True
    newest: str = ""
    source_error: str = ""
    source_failures: int = 0
    unsigned: str = ""
    approved: bool = False
    steered: tuple[Grant, ...] = ()

    @property
    def phase(self) -> Phase:
        """Where the site is in its life."""
        return self.status.phase if self.status else Phase.PENDING

    @property
    def last(self) -> Run | None:
        """The newest run."""
        return self.runs[0] if self.runs else None

    def condition(self, kind: ConditionType) -> Condition | None:
        """A condition of the site."""
        return self.status.conditions.get(kind.value) if self.status else None

    def fails(self, kind: ConditionType) -> Condition | None:
        """A condition of the site, if it does not hold."""
        found = self.condition(kind)
        return found if found and found.status is Truth.FALSE else None

    @property
    def failures(self) -> int:
        """Tries in a row that failed."""
        return self.status.failures if self.status else 0

    @property
    def open_step(self) -> StepRecord | None:
        """The step that the newest run has begun and not ended."""
        steps = reversed(self.last.steps) if self.last else ()
        return next((step for step in steps if step.ended_at is None), None)

    @property
    def first_failure(self) -> datetime | None:
        """When the first of the newest runs that failed in a row ended."""
        first = None
        for run in self.runs:
            if run.outcome is not Outcome.FAILED:
                break
            first = run.ended_at
        return first

    @property
    def since(self) -> datetime | None:
        """Since when the site is in its phase, None where neither conditions nor runs tell."""
        match self.phase:
            case Phase.READY:
                return _moved(self.condition(ConditionType.READY))
            case Phase.AWAITING_APPROVAL:
                return _moved(self.fails(ConditionType.ALLOWED))
            case Phase.DRIFTED:
                return _moved(self.fails(ConditionType.IN_SYNC) or self.fails(ConditionType.READY))
            case Phase.DEGRADED | Phase.PENDING:
                return _moved(self.fails(ConditionType.READY)) or self.first_failure
            case Phase.DESTROYED:
                return self.last.ended_at if self.last and self.last.cause == "destroy" else None
            case phase if phase in WORKING:
                return self.open_step.started_at if self.open_step else None
        return None


def _moved(condition: Condition | None) -> datetime | None:
    return condition.since if condition else None
