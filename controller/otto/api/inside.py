"""What the routes may reach of the house, handed in by whoever runs the controller."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Coroutine
from dataclasses import dataclass, field
from functools import cached_property
from typing import Annotated, Any, TypeVar

from fastapi import Depends, Request

from otto.api.audience import Audience
from otto.api.bridge import Bridge
from otto.api.gate import Gate, LoopbackGate
from otto.api.problems import Kind, ProblemError
from otto.api.sheets import Sheets
from otto.api.stream import Stream
from otto.desk.house import Household
from otto.model.errors import TerminalError, TransientError, UsageError
from otto.ports import Store
from otto.reconcile.buildbook import BuildBook
from otto.reconcile.controller import Controller
from otto.reconcile.kit import Kit

T = TypeVar("T")

# Looks at the world that go on at once, and seconds the others wait for their turn.
_AT_ONCE = 2
_TURN = 15.0


class Slots:
    """So many at once; the others wait for a while, and are told to come again.

    Args:
        count: how many.
        seconds: how long the others wait.
    """

    def __init__(self, count: int = _AT_ONCE, seconds: float = _TURN) -> None:
        self._free = asyncio.Semaphore(count)
        self._seconds = seconds

    @contextlib.asynccontextmanager
    async def taken(self) -> AsyncIterator[None]:
        """One of them, for as long as the block lasts.

        Raises:
            ProblemError: UNAVAILABLE: none came free.
        """
        try:
            async with asyncio.timeout(self._seconds):
                await self._free.acquire()
        except TimeoutError as error:
            detail = "too many looks at sites are under way"
            raise ProblemError(Kind.UNAVAILABLE, detail, headers={"retry-after": "10"}) from error
        try:
            yield
        finally:
            self._free.release()


@dataclass(frozen=True)
class Inside:
    """The controller, and the ways to it.

    Attributes:
        controller: of another event loop: only what `bridge` runs may touch it.
        bridge: runs coroutines in the controller's loop.
        gate: tells who asks.
        household: what the settings say of how the desk answers.
        stream: everything that happens.
        version: OttO's.
        looks: how many looks at the world go on at once.
        audience: how many listen to the stream.
    """

    controller: Controller
    bridge: Bridge
    gate: Gate = field(default_factory=LoopbackGate)
    household: Household = field(default_factory=Household)
    stream: Stream = field(default_factory=Stream)
    version: str = ""
    looks: Slots = field(default_factory=Slots)
    audience: Audience = field(default_factory=Audience)

    @property
    def kit(self) -> Kit:
        """The ports. But for `store` and `ledger` they belong to the controller's loop."""
        return self.controller.kit

    @property
    def store(self) -> Store:
        """OttO's memory; may be asked from the API's loop."""
        return self.controller.kit.store

    @cached_property
    def sheets(self) -> Sheets:
        """Statuses of sites as JSON."""
        return Sheets(self.store)

    @cached_property
    def builds(self) -> BuildBook:
        """Orders of images; of the controller's loop."""
        return BuildBook(self.household.foundry, self.household.providers)

    async def look(self, work: Callable[[], Coroutine[Any, Any, T]], seconds: float) -> T:
        """What a look at the world in the controller's loop finds; few of them go on at once.

        Args:
            work: makes the coroutine, when its turn has come.
            seconds: that it may take.

        Raises:
            ProblemError: CONFLICT where the site is in no state to be looked at; UNAVAILABLE without a turn.
            OttoError: something outside does not answer.
        """
        async with self.looks.taken():
            try:
                return await self.bridge.run(work(), seconds)
            except (UsageError, TransientError):
                raise
            except TerminalError as error:
                # The site's own inputs: content that is not there, an image that nobody built.
                raise ProblemError(Kind.CONFLICT, error.message, mend=error.mend) from error


def inside_of(request: Request) -> Inside:
    """What the application was made with."""
    found: Inside = request.app.state.inside
    return found


async def _within(request: Request) -> Inside:
    return inside_of(request)


Within = Annotated[Inside, Depends(_within)]
"""The parameter of a route that reaches the house: `inside: Within`."""
