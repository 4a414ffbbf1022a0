"""How many requests one caller, or one address, may make: token buckets."""

import math
import time
from collections import OrderedDict
from collections.abc import Callable

from otto.api.problems import Kind, ProblemError

_MOST = 10_000  # callers that are kept in mind


class Rates:
    """Buckets by name; belongs to one event loop.

    Args:
        rate: requests a second on average; 0 for any number.
        burst: requests at once.
        monotonic: seconds that never go back.
    """

    def __init__(self, rate: float, burst: int, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._rate = rate
        self._burst = max(1, burst)
        self._monotonic = monotonic
        self._left: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def take(self, who: str) -> None:
        """Count one request.

        Raises:
            ProblemError: TOO_MANY, with the time after which to come again.
        """
        if not self._rate:
            return
        now = self._monotonic()
        at, left = self._left.pop(who, (now, float(self._burst)))
        left = min(self._burst, left + (now - at) * self._rate)
        taken = left >= 1
        self._left[who] = (now, left - 1 if taken else left)
        # Whoever was not heard of for the longest has a full bucket again, or soon.
        if len(self._left) > _MOST:
            self._left.popitem(last=False)
        if not taken:
            wait = max(1, math.ceil((1 - left) / self._rate))
            detail = f"more than {self._rate:g} requests a second came from here"
            raise ProblemError(Kind.TOO_MANY, detail, headers={"retry-after": str(wait)})
