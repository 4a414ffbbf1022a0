"""Sites that are not acted on again before a while has passed, because nothing has changed."""

from dataclasses import dataclass

from otto.decide.signs import Key, keys
from otto.model.canonical import digest
from otto.model.desired import Desired
from otto.model.difference import Difference
from otto.model.verdict import Verdict
from otto.ports import Clock
from otto.reconcile.look import Ending


@dataclass(frozen=True, slots=True)
class _Hold:
    digest: str
    differences: frozenset[Key]
    since: float
    until: float
    verdict: Verdict | None = None
    plan: str = ""
    said: frozenset[str] = frozenset()


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
        failed = before.differences if before and before.digest == _wish(desired) else frozenset()
        self._holds[desired.site] = _Hold(
            _wish(desired), keys(differences) | failed, now + pause, now + seconds
        )

    def waiting(
        self,
        desired: Desired,
        differences: tuple[Difference, ...],
        seconds: float,
        ending: Ending,
        said: frozenset[str],
    ) -> None:
        """Plan the same again only after so many seconds: this plan waits for a person, or for a time.

        Args:
            desired: the wish.
            differences: what the plan was made for.
            seconds: how long.
            ending: the run that ended waiting.
            said: what people had said by then.
        """
        now = self._clock.monotonic()
        self._holds[desired.site] = _Hold(
            _wish(desired), keys(differences), now, now + seconds, ending.verdict, ending.plan, said
        )

    def keep(self, desired: Desired, plan: str, verdict: Verdict) -> None:
        """Have a plan be held as before a run beside it, which may have left something else in its place."""
        now = self._clock.monotonic()
        self._holds[desired.site] = _Hold(_wish(desired), frozenset(), now, now, verdict, plan)

    def held(self, desired: Desired) -> tuple[str, Verdict] | None:
        """The plan of this wish that the guard holds, and its word; None when it holds none."""
        hold = self._holds.get(desired.site)
        if hold is None or hold.verdict is None or hold.digest != _wish(desired):
            return None
        return hold.plan, hold.verdict

    def said(self, site: str) -> frozenset[str] | None:
        """What people had said when the site's plan was held; None when none is."""
        hold = self._holds.get(site)
        return hold.said if hold and hold.verdict is not None else None

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
        if hold is None or hold.digest != _wish(desired):
            return 0.0
        same = keys(differences) <= hold.differences
        return max(0.0, (hold.until if same else hold.since) - self._clock.monotonic())


def _wish(desired: Desired) -> str:
    """Names a wish, and what its policy says: a changed policy alone is judged anew as well."""
    return f"{desired.digest} {digest(desired.spec.policy)}"
