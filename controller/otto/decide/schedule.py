"""When to look at a site again."""

import random

BASE = 2.0
CAP = 300.0
_MOST_DOUBLINGS = 16


def backoff(failures: int, rng: random.Random, *, base: float = BASE, cap: float = CAP) -> float:
    """Seconds to wait after that many failures in a row: doubling, capped, with up to a half taken off.

    The jitter is AWS's "equal jitter": a known least wait, and no herd.
    """
    ceiling = min(cap, base * 2.0 ** min(max(failures, 1) - 1, _MOST_DOUBLINGS))
    return ceiling / 2 + rng.random() * ceiling / 2


def shortened(seconds: float, rng: random.Random, share: float = 0.1) -> float:
    """An interval moved by up to `share`, earlier only: for what is promised within the interval."""
    return seconds * (1 - share * rng.random())


def jittered(seconds: float, rng: random.Random, share: float = 0.1) -> float:
    """An interval moved by up to `share` either way."""
    return seconds * (1 - share + 2 * share * rng.random())
