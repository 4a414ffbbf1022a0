"""Sites that are not acted on again before a while has passed, because nothing has changed."""

from dataclasses import dataclass

from otto.decide.signs import Key, keys
from otto.model.desired import Desired
from otto.model.difference import Difference
from otto.ports import Clock


@dataclass(frozen=True, slots=True)
class _Hold:
    digest: str
    differences: frozenset[Key]
    since: float
    until: float
    plan: str = ""


class Holds:
    """Remembers what a run came to nothing over, so that the same is not tried at every sign of it.

    A new wish, or a difference that was not there, is acted on at once; so is a person's word.

    Args:
        clock: time.
        pause: seconds that pass after a failed run in any case.
    """

    def __init__(self, clock: Clock, pause: float) -> None:
        self._clock = clock
        self._pause = pause
        self._holds: dict[str, _Hold] = {}
        self._disturbed: set[str] = set()

    def after_failure(self, desired: Desired, differences: tuple[Difference, ...], seconds: float) -> None:
        """Try the same again only after so many seconds, and anything else after a pause.

        What failed in the runs before counts as the same: two failures that take turns are nothing new.
        """
        now = self._clock.monotonic()
        pause = min(self._pause, seconds)
        before = self._holds.get(desired.site)
        failed = before.differences if before and before.digest == desired.digest else frozenset()
        self._holds[desired.site] = _Hold(
            desired.digest, keys(differences) | failed, now + pause, now + seconds
        )

    def waiting(
        self, desired: Desired, differences: tuple[Difference, ...], seconds: float, plan: str
    ) -> None:
        """Plan the same again only after so many seconds: this plan waits for a person."""
        now = self._clock.monotonic()
        self._holds[desired.site] = _Hold(desired.digest, keys(differences), now, now + seconds, plan)

    def plan(self, site: str) -> str:
        """Digest of the plan that waits for a person, "" when none does."""
        hold = self._holds.get(site)
        return hold.plan if hold else ""

    def release(self, site: str) -> None:
        """Act at once whatever was held."""
        self._holds.pop(site, None)
        self._disturbed.discard(site)

    def again(self, site: str) -> bool:
        """Note that a host was lost during a run; whether one was in a run before, with no success since."""
        if site in self._disturbed:
            return True
        self._disturbed.add(site)
        return False

    def left(self, desired: Desired, differences: tuple[Difference, ...]) -> float:
        """Seconds for which nothing is to be done about these differences; 0 to act now."""
        hold = self._holds.get(desired.site)
        if hold is None or hold.digest != desired.digest:
            return 0.0
        same = keys(differences) <= hold.differences
        return max(0.0, (hold.until if same else hold.since) - self._clock.monotonic())
