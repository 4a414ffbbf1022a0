"""How much one spec file may hold."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class SpecLimits:
    """Bounds that keep one file from costing more than a file of specs has any reason to.

    Attributes:
        size: bytes of a file.
        values: values in a file, each use of an alias counted as all it stands for.
        depth: how deep values may lie inside each other.
        problems: problems reported of one file; the rest is counted.
    """

    size: int = 1024 * 1024
    values: int = 250_000
    depth: int = 32
    problems: int = 200
