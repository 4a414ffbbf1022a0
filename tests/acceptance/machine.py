"""How much slower than at rest the machine is just now, because others are at work on it."""

import hashlib
import os
import statistics
import time
from concurrent.futures import ThreadPoolExecutor

_BLOCK = b"\0" * (4 << 20)
_BLOCKS = 12
_ROUNDS = 3


class Machine:
    """Measures with a small, fixed piece of work on every core at once.

    Healing uses all cores (Terraform, its providers, Ansible's forks), so it is slowed by whatever others
    use of any of them. The yardstick is the least CPU time the work has ever taken: that is what it takes
    when nothing is in its way, even if the machine was never at rest.
    """

    def __init__(self) -> None:
        self._cores = os.cpu_count() or 1
        self._least = float("inf")
        self.slowdown()

    def slowdown(self) -> float:
        """Time the work takes now over the time it takes at rest; 1 at rest."""
        with ThreadPoolExecutor(self._cores) as pool:
            took = list(pool.map(lambda _: _work(), range(self._cores * _ROUNDS)))
        self._least = min(self._least, *(cpu for _, cpu in took))
        return statistics.mean(wall for wall, _ in took) / self._least


def _work() -> tuple[float, float]:
    """Seconds by the clock, and of CPU. Hashing lets go of the interpreter, so threads run at once."""
    wall, cpu = time.perf_counter(), time.thread_time()
    digest = hashlib.sha256()
    for _ in range(_BLOCKS):
        digest.update(_BLOCK)
    return time.perf_counter() - wall, time.thread_time() - cpu
