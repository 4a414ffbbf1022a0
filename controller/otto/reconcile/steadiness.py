"""When a wrong answer is believed before its deadline."""

from otto.model.observed import CheckFailure
from otto.ports import Clock

# Seconds, and rounds, in which the very same has to fail in the very same way.
SETTLED = 3.0
_ROUNDS = 4


class Steadiness:
    """Hears what fails, round after round.

    A server that is starting answers nothing, or that it is not ready, or now this and now that: it has the
    whole deadline. One that gives the same wrong answers again and again means them.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._failures: tuple[CheckFailure, ...] = ()
        self._since = 0.0
        self._rounds = 0

    def convinces(self, failures: tuple[CheckFailure, ...], *, meant: bool) -> bool:
        """Whether it is of no use to ask again.

        Args:
            failures: what failed in this round.
            meant: whether all of it are answers that servers gave, ready as they were.
        """
        now = self._clock.monotonic()
        if not meant or failures != self._failures:
            self._failures, self._since, self._rounds = failures if meant else (), now, 0
        self._rounds += 1
        return meant and self._rounds >= _ROUNDS and now - self._since >= SETTLED
