"""A run under way: what it set out from, where it is written down, and who lets it go on."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from otto.model.observed import Observed
from otto.model.plan import Plan, StepKind
from otto.reconcile.look import Look
from otto.reconcile.recorder import Recorder

Enter = Callable[[Observed, StepKind, Plan | None], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Underway:
    """What the steps of one run share.

    Attributes:
        look: where the run started from.
        recorder: where its steps are written down.
        enter: asked before each step: raises where the run is not to go on, and tells of the step.
        announce: tells of a step, and asks nobody.
    """

    look: Look
    recorder: Recorder
    enter: Enter
    announce: Enter

    def unasked(self) -> "Underway":
        """The same, for steps that belong together: once begun, they are brought to an end."""
        return Underway(self.look, self.recorder, self.announce, self.announce)
