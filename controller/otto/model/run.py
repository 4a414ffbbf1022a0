"""A run: what was done to one site, step by step, kept as its history."""

from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum

# Why a site is due whose newest wish failed while it was rolled out: it goes back to what held before.
TAKEN_BACK = "taken-back"


class Outcome(StrEnum):
    """How a step or run ended; RUNNING until it did."""

    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    WAITING = "waiting"  # a person, a dependency or a window has to come first
    SUPERSEDED = "superseded"  # a newer desired digest came between steps
    INTERRUPTED = "interrupted"  # the controller stopped


@dataclass(frozen=True, slots=True)
class StepRecord:
    """What one step did.

    Attributes:
        kind: plan, guard, provision, configure, deploy, dns, verify or destroy.
        started_at: when it began.
        ended_at: None while it runs.
        outcome: how it ended.
        hosts: the hosts it touched.
        summary: one line for people.
        detail: structured extras (actions, failures, error), plain data.
    """

    kind: str
    started_at: datetime
    ended_at: datetime | None = None
    outcome: Outcome = Outcome.RUNNING
    hosts: tuple[str, ...] = ()
    summary: str = ""
    detail: dict[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Run:
    """One run over one site.

    Attributes:
        id: sortable, unique.
        site: whose.
        cause: what made the site due (`push`, `start`, `asked`, `retry`, `look`, …).
        commit: commit of the desired state.
        digest: desired digest.
        plan: plan digest, "" when nothing had to be planned.
    """

    id: str
    site: str
    cause: str
    started_at: datetime
    commit: str = ""
    digest: str = ""
    plan: str = ""
    ended_at: datetime | None = None
    outcome: Outcome = Outcome.RUNNING
    message: str = ""
    steps: tuple[StepRecord, ...] = ()

    def ended(self, now: datetime, outcome: Outcome, message: str) -> "Run":
        """This run, closed; so is a step that never came to an end of its own."""
        steps = tuple(
            replace(step, ended_at=now, outcome=outcome) if step.ended_at is None else step
            for step in self.steps
        )
        return replace(self, steps=steps, ended_at=now, outcome=outcome, message=message)

    def interrupted(self, now: datetime) -> "Run":
        """This run, closed because its controller is gone."""
        return self.ended(now, Outcome.INTERRUPTED, "the controller was stopped")
