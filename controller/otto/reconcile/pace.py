"""When to look at a site again."""

import random
from dataclasses import dataclass
from datetime import datetime

from otto.config import LoopSettings
from otto.decide.schedule import backoff, jittered
from otto.model.errors import OttoError, TerminalError, TransientError, WaitingError


@dataclass(frozen=True, slots=True)
class Next:
    """When to look again: seconds from now, None for "when something changes"."""

    seconds: float | None
    why: str = "look"


class Pace:
    """The loop's unhurried rhythm: intervals while all is well, backing off while it is not."""

    def __init__(self, settings: LoopSettings, rng: random.Random) -> None:
        self._settings = settings
        self._rng = rng

    def after(self, failures: int) -> Next:
        """After a look with this many failed runs in a row, this one's included."""
        settings = self._settings
        if failures:
            return Next(
                backoff(failures, self._rng, base=settings.backoffBase, cap=settings.backoffCap), "retry"
            )
        return Next(jittered(settings.interval, self._rng))

    def after_error(self, error: OttoError, failures: int) -> Next:
        """After an error: as the other side asked, at the slowest pace, or backing off.

        Trying again cannot help with a terminal error; but what it depends on may be mended outside
        of the site's inputs, so it is looked at again, rarely.
        """
        if isinstance(error, TerminalError):
            return self.slowest()
        if isinstance(error, TransientError) and error.retry_after is not None:
            return Next(max(error.retry_after, 0.0), "retry")
        return self.after(failures)

    def after_waiting(self, error: WaitingError, now: datetime) -> Next:
        """While something else has to come first: at the time it names, or at the usual interval."""
        usual = self.after(0)
        if error.until is None or usual.seconds is None:
            return usual
        return Next(min(max((error.until - now).total_seconds(), 0.0), self._settings.backoffCap), "look")

    def no_later_than(self, after: Next, until: datetime, now: datetime) -> Next:
        """The same, but not after a time at which something changes."""
        left = max((until - now).total_seconds(), 0.0)
        return after if after.seconds is not None and after.seconds <= left else Next(left)

    def slowest(self) -> Next:
        """The longest pause between two tries."""
        return Next(self._settings.backoffCap, "retry")
