"""What happens to a site or zone while a worker is at it, told to whoever keeps account of it.

Finer than `otto.reconcile.events`, which is for people: where a turn begins and ends, and what it is about.
"""

from collections.abc import Callable
from dataclasses import dataclass

from otto.model.catalogue import RememberedSpec
from otto.model.desired import Desired
from otto.model.observed import Applied
from otto.model.run import Run
from otto.model.zonememory import DesiredZone


@dataclass(frozen=True, slots=True)
class TurnBegan:
    """A worker has taken up a site; whatever it reads from now on is as new as can be."""

    site: str
    cause: str


@dataclass(frozen=True, slots=True)
class Wished:
    """What the site should be was worked out; `applied` is what was put in place last."""

    desired: Desired
    applied: Applied


@dataclass(frozen=True, slots=True)
class ZoneWished:
    """What a zone should be was worked out; `last` is what was put in place last, None before."""

    desired: DesiredZone
    last: DesiredZone | None


@dataclass(frozen=True, slots=True)
class Unresolved:
    """What the spec asks for cannot be had, and trying again will not help.

    Attributes:
        site: the site.
        error: why, in one line.
        detail: the same in full.
        known: the spec, and the commit it came with.
        applied: what was put in place last.
    """

    site: str
    error: str
    detail: str
    known: RememberedSpec
    applied: Applied


@dataclass(frozen=True, slots=True)
class RunEnded:
    """A run came to its end, whichever."""

    run: Run


@dataclass(frozen=True, slots=True)
class TurnEnded:
    """The worker lets go of the site."""

    site: str


Moment = TurnBegan | Wished | ZoneWished | Unresolved | RunEnded | TurnEnded
Listener = Callable[[Moment], None]


class Turns:
    """Hands every moment to every listener, in order. Listeners must be quick and must not raise."""

    def __init__(self) -> None:
        self._listeners: list[Listener] = []

    def subscribe(self, listener: Listener) -> None:
        """Add a listener."""
        self._listeners.append(listener)

    def publish(self, moment: Moment) -> None:
        """Hand out a moment."""
        for listener in tuple(self._listeners):
            listener(moment)
