"""What the whole machine spends, and how busy it is with other things."""

import os
import platform
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

from tests.bench.accounts import Accounts

_STAT = Path("/proc/stat")
# user, nice, system, (idle, iowait,) irq, softirq: proc(5). Guests' time is in user's already; time stolen
# by the machine below is nobody's work here.
_WORKING = (0, 1, 2, 5, 6)


@dataclass(frozen=True, slots=True)
class Spent:
    """What something took, in seconds.

    Attributes:
        wall: seconds that passed.
        cpu: seconds of all processors, whoever used them.
        control: of those, what this process and all it started used.
        hosts: of those, what the hosts used.
    """

    wall: float
    cpu: float
    control: float = 0.0
    hosts: float = 0.0

    def without(self, background: "Spent") -> "Spent":
        """Less what is spent anyway in that time."""
        share = self.wall / background.wall
        return Spent(
            self.wall,
            max(0.0, self.cpu - background.cpu * share),
            self.control,
            max(0.0, self.hosts - background.hosts * share),
        )

    def over(self, rounds: int) -> "Spent":
        """What one of several rounds took."""
        return Spent(*(value / rounds for value in (self.wall, self.cpu, self.control, self.hosts)))

    @property
    def ours(self) -> float:
        """CPU seconds of ours and of the hosts."""
        return self.control + self.hosts

    def __str__(self) -> str:
        split = f" ({self.control:.2f} here, {self.hosts:.2f} on hosts)" if self.ours else ""
        return f"{self.wall:.2f} s, {self.cpu:.2f} CPU s of the machine, {self.ours:.2f} of ours{split}"


class Meter:
    """Tells what was spent since it was made."""

    def __init__(self, accounts: Accounts) -> None:
        self._accounts = accounts
        self._began, self._before = time.perf_counter(), self._read()

    def spent(self) -> Spent:
        """What was spent until now."""
        wall = time.perf_counter() - self._began
        return Spent(wall, *(now - then for now, then in zip(self._read(), self._before, strict=True)))

    def _read(self) -> tuple[float, float, float]:
        return _cpu(), self._accounts.control(), self._accounts.hosts()


def metered(accounts: Accounts, work: Callable[[], object]) -> Spent:
    """Do something, and say what was spent meanwhile."""
    meter = Meter(accounts)
    work()
    return meter.spent()


def load() -> float:
    """The load average of the last minute."""
    return os.getloadavg()[0]


def about() -> dict[str, object]:
    """What a reader of figures has to know of the machine."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return {
        "processors": os.cpu_count(),
        "processor": _processor(),
        "memory_gib": round(memory / 2**30, 1),
        "kernel": platform.release(),
        "python": platform.python_version(),
        "ansible": metadata.version("ansible-core"),
        "terraform": _version("terraform"),
        "podman": _version("podman"),
        "load": load(),
    }


def _cpu() -> float:
    fields = _STAT.read_text(encoding="ascii").split("\n", 1)[0].split()[1:]
    return sum(int(fields[index]) for index in _WORKING) / os.sysconf("SC_CLK_TCK")


def _processor() -> str:
    lines = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines()
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, "unknown")


def _version(program: str) -> str:
    try:
        done = subprocess.run([program, "--version"], capture_output=True, text=True, check=False, timeout=30)
    except OSError:
        return "none"
    return (done.stdout.splitlines() or ["unknown"])[0].strip()
