"""How many listen at once: streams hold connections for as long as they like."""

import contextlib
from collections import Counter
from collections.abc import Iterator

from otto.api.problems import Kind, ProblemError

MOST = 100
MOST_OF_ONE = 20
"""Streams at once, of all and of one caller."""


class Audience:
    """Seats; belongs to the API's event loop.

    Args:
        most: of all.
        most_of_one: of one caller.
    """

    def __init__(self, most: int = MOST, most_of_one: int = MOST_OF_ONE) -> None:
        self._most = most
        self._most_of_one = most_of_one
        self._taken: Counter[str] = Counter()

    @contextlib.contextmanager
    def seat(self, who: str) -> Iterator[None]:
        """A seat for as long as the block lasts.

        Raises:
            ProblemError: TOO_MANY: there is none left.
        """
        if self._taken.total() >= self._most or self._taken[who] >= self._most_of_one:
            detail = "too many streams are open"
            raise ProblemError(Kind.TOO_MANY, detail, headers={"retry-after": "30"})
        self._taken[who] += 1
        try:
            yield
        finally:
            self._taken[who] -= 1
            if not self._taken[who]:
                del self._taken[who]
