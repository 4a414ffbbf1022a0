"""Failures and pauses that a test orders in advance."""

import asyncio
from collections import defaultdict, deque


class Gate:
    """A place in which work stops until a test lets it go on."""

    def __init__(self) -> None:
        self._reached = asyncio.Event()
        self._opened = asyncio.Event()

    async def reached(self) -> None:
        """Wait until work has come to the gate."""
        await self._reached.wait()

    def open(self) -> None:
        """Let work go on, now and later."""
        self._opened.set()

    async def pass_through(self) -> None:
        """Called by the port: stop here until the gate is open."""
        self._reached.set()
        await self._opened.wait()


class Failures:
    """Errors to come, by the name of the method that is to raise them, and the calls that were made.

        store.failures.next("save_run", TransientError("the disk is full"))
        store.failures.always("status", TransientError("away"))
        store.failures.stop("status")
        gate = infrastructure.failures.hold("apply")

    A name may carry a subject, as `configure:acme-web-1`; each port in memory says which ones it knows.
    """

    def __init__(self) -> None:
        self.calls: list[str] = []
        self._once: defaultdict[str, deque[Exception]] = defaultdict(deque)
        self._ever: dict[str, Exception] = {}
        self._gates: dict[str, Gate] = {}

    def next(self, name: str, error: Exception, *, times: int = 1) -> None:
        """Have the next `times` calls raise `error`; orders queue up."""
        self._once[name].extend([error] * times)

    def always(self, name: str, error: Exception) -> None:
        """Have every call raise `error` until `stop`."""
        self._ever[name] = error

    def stop(self, name: str) -> None:
        """Let calls pass again."""
        self._ever.pop(name, None)
        self._once.pop(name, None)

    def hold(self, name: str) -> Gate:
        """Have calls of a coroutine stop at a gate, before they do anything."""
        self._gates[name] = Gate()
        return self._gates[name]

    def holds(self, name: str) -> bool:
        """Whether calls stop at a gate."""
        return name in self._gates

    def unhold(self, name: str) -> None:
        """Let further calls pass; those that stopped at the gate wait for it to open."""
        self._gates.pop(name, None)

    def count(self, name: str) -> int:
        """How often a method was called."""
        return self.calls.count(name)

    def strike(self, name: str) -> None:
        """Note a call, and raise what was ordered for it. Called by the ports in memory.

        Raises:
            Exception: the one that was ordered.
        """
        self.calls.append(name)
        if self._once[name]:
            raise self._once[name].popleft()
        if name in self._ever:
            raise self._ever[name]

    async def meet(self, name: str) -> None:
        """As `strike`, with a stop at the gate if one was ordered.

        Raises:
            Exception: the one that was ordered.
        """
        if name in self._gates:
            await self._gates[name].pass_through()
        self.strike(name)
