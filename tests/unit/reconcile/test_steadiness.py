"""How often, and how long, a wrong answer has to come before it is believed."""

import pytest

from otto.model.observed import CheckFailure
from otto.reconcile.steadiness import Steadiness
from otto.testing.clock import FakeClock

ONE, OTHER = (
    (CheckFailure("/", "one-web-1", "GET http://10.0.0.1/", "HTTP 200", received),)
    for received in ("HTTP 404", "HTTP 403")
)
# Rounds: what failed, whether it was meant, and how many seconds passed before the next.
Rounds = list[tuple[tuple[CheckFailure, ...], bool, float]]


@pytest.mark.parametrize(
    ("rounds", "believed"),
    [
        ([(ONE, True, 1.0)] * 4, 3),
        ([(ONE, True, 0.5)] * 8, 6),
        ([(ONE, True, 3.0)] * 5, 3),
        ([(ONE, True, 0.1)] * 10, None),
        ([(ONE, False, 1.0)] * 10, None),
        ([(ONE, True, 1.0), (OTHER, True, 1.0)] * 5, None),
        ([(ONE, True, 1.0)] * 3 + [(OTHER, True, 1.0)] * 4, 6),
        ([(ONE, True, 1.0)] * 3 + [(ONE, False, 1.0)] + [(ONE, True, 1.0)] * 3, None),
        ([(ONE, True, 1.0)] * 3 + [(ONE, False, 1.0)] + [(ONE, True, 1.0)] * 4, 7),
    ],
)
async def test_the_same_is_said_for_a_while(rounds: Rounds, believed: int | None) -> None:
    clock = FakeClock()
    steadiness = Steadiness(clock)
    convinced = []
    for number, (failures, meant, seconds) in enumerate(rounds):
        if steadiness.convinces(failures, meant=meant):
            convinced.append(number)
        await clock.advance(seconds)
    assert (convinced[0] if convinced else None) == believed
