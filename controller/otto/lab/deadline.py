"""How long to wait, with the time handed in."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

Now = Callable[[], float]
Sleep = Callable[[float], None]


@dataclass(frozen=True, slots=True)
class Deadline:
    """A moment after which waiting ends."""

    at: float
    now: Now = time.monotonic
    sleep: Sleep = time.sleep

    @classmethod
    def after(cls, seconds: float, now: Now = time.monotonic, sleep: Sleep = time.sleep) -> "Deadline":
        """The moment so many seconds from now."""
        return cls(now() + seconds, now, sleep)

    @property
    def left(self) -> float:
        """Seconds until then, never less than 0."""
        return max(0.0, self.at - self.now())

    def every(self, seconds: float) -> Iterator[float]:
        """Try at once, then every so often until the deadline; the last try is made at it.

        Yields:
            Seconds left.
        """
        while True:
            left = self.left
            yield left
            if not left:
                return
            self.sleep(min(seconds, left))
