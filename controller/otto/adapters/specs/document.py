"""A YAML document as plain values, and where each of them stands."""

from dataclasses import dataclass, field
from typing import NamedTuple

from otto.adapters.specs.scalar import Scalar

Value = Scalar | list["Value"] | dict[str, "Value"]


class Place(NamedTuple):
    """Where a value stands (1-based), where its key stands, and the places of what it holds."""

    line: int
    column: int
    key: tuple[int, int] | None = None
    items: "dict[str, Place] | list[Place] | None" = None


TOP = Place(1, 1)


@dataclass(frozen=True, slots=True)
class Flaw:
    """Something wrong with the YAML itself."""

    line: int
    column: int
    message: str
    found: str = ""
    allowed: str = ""
    mend: str = ""
    path: tuple[str | int, ...] = ()


class Stop(Exception):  # noqa: N818  (not an error of the program: the file is not read on)
    """The rest of the file cannot be read."""

    def __init__(self, flaw: Flaw) -> None:
        super().__init__(flaw.message)
        self.flaw = flaw


@dataclass(slots=True)
class Document:
    """One document of a file: its value, where everything stands, what is wrong with it."""

    value: Value = None
    place: Place = TOP
    flaws: list[Flaw] = field(default_factory=list)


def find(place: Place, path: tuple[str | int, ...]) -> Place:
    """The place of a value, or of the nearest thing around it."""
    for step in path:
        inner = _step(place, step)
        if inner is None:
            break
        place = inner
    return place


def _step(place: Place, step: str | int) -> Place | None:
    items = place.items
    found: Place | None = None
    if isinstance(items, dict) and isinstance(step, str):
        found = items.get(step)
    elif isinstance(items, list) and isinstance(step, int) and step < len(items):
        found = items[step]
    return found
