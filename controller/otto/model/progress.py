"""Progress of long work, for whoever watches."""

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Progress:
    """One thing that happened inside a step.

    Attributes:
        message: one line, safe to print.
        done: how much is done, in the step's own units.
        total: how much there is; 0 when that is not known.
        host: host concerned, "" for none.
    """

    message: str
    done: int = 0
    total: int = 0
    host: str = ""


Report = Callable[[Progress], None]


def silent(_: Progress) -> None:
    """A report that nobody reads."""
