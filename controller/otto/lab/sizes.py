"""How big a lab host is."""

from dataclasses import dataclass

from otto.model.errors import TerminalError

MIB = 1024 * 1024
# The kernel keeps CPU limits as a quota of microseconds in each period of this length.
CPU_PERIOD = 100_000


@dataclass(frozen=True, slots=True)
class Limits:
    """What a host may use: processors (1.0 is one whole processor) and memory in bytes; 0 is no limit."""

    cpus: float
    memory: int

    @property
    def memory_mib(self) -> int:
        """Memory in whole MiB."""
        return self.memory // MIB

    @property
    def quota(self) -> int:
        """Microseconds of processor time in each `CPU_PERIOD`."""
        return round(self.cpus * CPU_PERIOD)


SIZES = {
    "small": Limits(0.5, 256 * MIB),
    "medium": Limits(1.0, 512 * MIB),
    "large": Limits(2.0, 1024 * MIB),
}


def limits_of(size: str) -> Limits:
    """The limits a size stands for.

    Raises:
        TerminalError: the lab knows no such size.
    """
    if size not in SIZES:
        raise TerminalError(f"the lab has no size {size!r}", mend=f"one of: {', '.join(SIZES)}")
    return SIZES[size]


def size_of(limits: Limits) -> str:
    """The size that has these limits, or a description of limits that belong to none."""
    for name, known in SIZES.items():
        if known.quota == limits.quota and known.memory == limits.memory:
            return name
    return f"{limits.cpus:g} CPU, {limits.memory_mib} MiB"
