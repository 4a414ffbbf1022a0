"""What benchmarks make of what they measured."""

import pytest
from tests.bench.figure import Figure, amount, median, percentile


@pytest.mark.parametrize(
    ("figure", "met"),
    [
        (Figure("a", 99.0, goal=100.0), True),
        (Figure("a", 101.0, goal=100.0), False),
        (Figure("a", 1.1, base=1.0, ratio_goal=1.1), True),
        (Figure("a", 1.2, base=1.0, ratio_goal=1.1), False),
        (Figure("a", 1.0, base=25.0, times_goal=25.0), True),
        (Figure("a", 1.0, base=24.0, times_goal=25.0), False),
        (Figure("a", 1.0, ratio_goal=1.1), False),
        (Figure("a", 1.0, base=24.0), None),
    ],
)
def test_a_goal_is_met_or_missed_or_not_set(figure: Figure, met: bool | None) -> None:
    assert figure.met is met
    assert figure.data()["met"] is met


def test_a_row_tells_figure_baseline_ratio_and_goal() -> None:
    figure = Figure("re-check", 2.0, "s", baseline="script", base=60.0, times_goal=25.0)
    assert figure.row() == ("re-check", "2.00 s", "60.0 s (script)", "1/30.0", "1/25", "met")


def test_a_ratio_near_one_is_told_as_such() -> None:
    figure = Figure("fresh", 12.0, "s", baseline="script", base=10.0, ratio_goal=1.1)
    assert figure.row() == ("fresh", "12.0 s", "10.0 s (script)", "1.20", "1.10", "MISSED")


@pytest.mark.parametrize(
    ("value", "shown"),
    [(0.0, "0"), (0.00123, "0.00123"), (1.0, "1.00"), (99.96, "100.0"), (12345.6, "12346")],
)
def test_amounts_have_three_digits_that_count(value: float, shown: str) -> None:
    assert amount(value) == shown


def test_percentiles_are_values_that_were_measured() -> None:
    assert median([3.0, 1.0, 2.0]) == 2.0
    assert median([4.0, 1.0]) == 1.0
    assert percentile(list(map(float, range(1, 101))), 0.99) == 99.0
