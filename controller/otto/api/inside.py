"""What the routes may reach of the house, handed in by whoever runs the controller."""

from dataclasses import dataclass, field
from typing import Annotated

from fastapi import Depends, Request

from otto.api.bridge import Bridge
from otto.api.gate import Gate, LoopbackGate
from otto.ports import Store
from otto.reconcile.controller import Controller
from otto.reconcile.kit import Kit


@dataclass(frozen=True)
class Inside:
    """The controller, and the ways to it.

    Attributes:
        controller: of another event loop: only what `bridge` runs may touch it.
        bridge: runs coroutines in the controller's loop.
        gate: tells who asks.
    """

    controller: Controller
    bridge: Bridge
    gate: Gate = field(default_factory=LoopbackGate)

    @property
    def kit(self) -> Kit:
        """The ports. But for `store` and `ledger` they belong to the controller's loop."""
        return self.controller.kit

    @property
    def store(self) -> Store:
        """OttO's memory; may be asked from the API's loop."""
        return self.controller.kit.store


def inside_of(request: Request) -> Inside:
    """What the application was made with."""
    found: Inside = request.app.state.inside
    return found


Within = Annotated[Inside, Depends(inside_of)]
"""The parameter of a route that reaches the house: `inside: Within`."""
