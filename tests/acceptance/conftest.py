"""Homes for whole stories; each is taken down with everything it made."""

from collections.abc import Callable, Iterator

import pytest

from .harness import Home


@pytest.fixture
def make_home() -> Iterator[Callable[..., Home]]:
    """Make homes that are closed at the end, also when the test fails."""
    homes: list[Home] = []

    def make(**settings: str) -> Home:
        homes.append(Home.make(**settings))
        return homes[-1]

    yield make
    for home in homes:
        home.close()
