"""Who guesses tokens, and is not listened to for a while."""

from collections import OrderedDict, deque
from collections.abc import Callable

_MOST = 10_000


class Guesses:
    """Counts bad tokens by whom they came from, within bounded memory: the oldest are forgotten first.

    Args:
        most: how many within the window.
        window: seconds.
        monotonic: seconds that never go back.
        remembered: guessers at most.
    """

    def __init__(
        self, most: int, window: float, monotonic: Callable[[], float], remembered: int = _MOST
    ) -> None:
        self._most = max(1, most)
        self._window = window
        self._monotonic = monotonic
        self._remembered = remembered
        self._times: OrderedDict[str, deque[float]] = OrderedDict()

    def wait(self, who: str) -> float:
        """Seconds until somebody is listened to again; 0 for now."""
        times = self._recent(who)
        if times is None or len(times) < self._most:
            return 0.0
        return max(0.0, times[0] + self._window - self._monotonic())

    def add(self, who: str) -> bool:
        """Count a guess; whether it is the one after which somebody is not listened to for a while."""
        times = self._recent(who) or deque(maxlen=self._most)
        left = len(times) < self._most
        times.append(self._monotonic())
        self._times[who] = times
        self._times.move_to_end(who)
        while len(self._times) > self._remembered:
            self._times.popitem(last=False)
        return left and len(times) == self._most

    def _recent(self, who: str) -> deque[float] | None:
        times = self._times.get(who)
        if times is None:
            return None
        since = self._monotonic() - self._window
        while times and times[0] <= since:
            times.popleft()
        if not times:
            del self._times[who]
            return None
        return times
