"""One measured figure."""

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass

# From so many times cheaper on, people read a fraction more easily.
_MUCH = 4.0


@dataclass(frozen=True)
class Figure:
    """A figure, what it is held against, and what it should be. Of the three goals at most one is set.

    Attributes:
        what: what was measured.
        value: the figure, in `unit`.
        goal: the most it should be.
        baseline: what the ratio is to, "" for none.
        base: the baseline's figure, in the same unit.
        ratio_goal: the most it should be of the baseline's.
        times_goal: how many times cheaper than the baseline's it should be at least.
    """

    what: str
    value: float
    unit: str = "ms"
    goal: float | None = None
    baseline: str = ""
    base: float | None = None
    ratio_goal: float | None = None
    times_goal: float | None = None

    @property
    def ratio(self) -> float | None:
        """The figure over the baseline's."""
        return self.value / self.base if self.base else None

    @property
    def times(self) -> float | None:
        """How many times cheaper than the baseline."""
        return self.base / self.value if self.base and self.value else None

    @property
    def met(self) -> bool | None:
        """Whether it is as it should be, None where nothing is asked of it."""
        if self.goal is not None:
            return self.value <= self.goal
        if self.ratio_goal is not None:
            return self.ratio is not None and self.ratio <= self.ratio_goal
        if self.times_goal is not None:
            return self.times is not None and self.times >= self.times_goal
        return None

    def row(self) -> tuple[str, ...]:
        """Cells of a table: what, figure, baseline, ratio, goal, and whether it is met."""
        base = f"{amount(self.base)} {self.unit} ({self.baseline})" if self.base is not None else ""
        met = {True: "met", False: "MISSED", None: ""}[self.met]
        return self.what, f"{amount(self.value)} {self.unit}", base, self._ratio(), self._goal(), met

    def data(self) -> dict[str, object]:
        """Everything, as plain data."""
        return asdict(self) | {"ratio": self.ratio, "times": self.times, "met": self.met}

    def _ratio(self) -> str:
        if self.times is not None and self.times >= _MUCH:
            return f"1/{amount(self.times)}"
        return f"{self.ratio:.2f}" if self.ratio is not None else ""

    def _goal(self) -> str:
        if self.goal is not None:
            return f"{self.goal:g} {self.unit}"
        if self.ratio_goal is not None:
            return f"{self.ratio_goal:.2f}"
        return f"1/{self.times_goal:g}" if self.times_goal is not None else ""


def amount(value: float) -> str:
    """Three digits that count, and never an exponent."""
    if value == 0:
        return "0"
    digits = max(0, 2 - math.floor(math.log10(abs(value))))
    return f"{value:.{digits}f}"


def percentile(values: Sequence[float], share: float) -> float:
    """The least value that this share of all values does not exceed (nearest rank)."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]


def median(values: Sequence[float]) -> float:
    """The one in the middle; of two, the lesser."""
    return percentile(values, 0.5)
