"""Colours of phases and outcomes, the same in every table."""

from otto.model.run import Outcome
from otto.model.status import Phase

_COLOURS = {
    Phase.READY: "green",
    Phase.DEGRADED: "red",
    Phase.DRIFTED: "yellow",
    Phase.AWAITING_APPROVAL: "magenta",
    Phase.SUSPENDED: "yellow",
    Phase.ORPHANED: "yellow",
    Phase.DESTROYED: "dim",
}
_OUTCOME_COLOURS = {Outcome.SUCCEEDED: "green", Outcome.FAILED: "red", Outcome.RUNNING: "cyan"}


def colour_of(phase: Phase) -> str:
    """The colour a phase is shown in; work under way is cyan."""
    return _COLOURS.get(phase, "cyan")


def outcome_colour(outcome: Outcome) -> str:
    """The colour an outcome is shown in; what ended without an answer is yellow."""
    return _OUTCOME_COLOURS.get(outcome, "yellow")
