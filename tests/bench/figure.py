"""One measured figure."""

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass


@dataclass(frozen=True)
class Figure:
    """A figure and what it is held against.

    Attributes:
        what: what was measured.
        value: the figure, in `unit`.
        goal: the most it should be, None where none was set.
        baseline: what the ratio is to, "" for none.
        base: the baseline's figure, in the same unit.
    """

    what: str
    value: float
    unit: str = "ms"
    goal: float | None = None
    baseline: str = ""
    base: float | None = None

    @property
    def ratio(self) -> float | None:
        return self.value / self.base if self.base else None

    def row(self) -> tuple[str, ...]:
        goal = "" if self.goal is None else f"{self.goal:g} {self.unit}"
        over = self.goal is not None and self.value > self.goal
        base = f"{self.baseline}: {self.base:.3g} {self.unit}" if self.base else ""
        ratio = f"{self.ratio:.2f}" if self.ratio else ""
        return self.what, f"{self.value:.3g} {self.unit}{' (over)' if over else ''}", goal, base, ratio

    def data(self) -> dict[str, object]:
        return asdict(self) | {"ratio": self.ratio}


def percentile(values: Sequence[float], share: float) -> float:
    """The least value that this share of all values does not exceed (nearest rank)."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]


def median(values: Sequence[float]) -> float:
    return percentile(values, 0.5)
