"""The API beside the controller, and what it says of it."""

import asyncio
import socket
from collections.abc import AsyncIterator, Coroutine, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from typing import TypeVar

import structlog

from otto import __version__
from otto.api.addresses import is_loopback
from otto.api.app import create_app
from otto.api.bridge import Bridge
from otto.api.hooks import Hooks
from otto.api.inside import Inside
from otto.api.server import Limits, make_room, serving
from otto.api.telling import telling
from otto.api.tokengate import TokenGate
from otto.cli.up.served import Serving
from otto.model.errors import OttoError
from otto.ports.tokens import Tokens
from otto.reconcile.controller import Controller

log = structlog.get_logger("otto.api")

T = TypeVar("T")

# Longer than the store takes, shorter than who asks for health waits.
_PATIENCE = 3.0


class ControllerHealth:
    """What the API says of a controller. Asked from the API's own thread, made in the controller's.

    Args:
        controller: the controller.
    """

    def __init__(self, controller: Controller) -> None:
        self._controller = controller
        self._loop = asyncio.get_running_loop()
        self._task: asyncio.Task[None] | None = None

    def watch(self, task: "asyncio.Task[None]") -> None:
        """Say that the controller was started, and is at work for as long as this task."""
        self._task = task

    async def alive(self) -> Sequence[str]:
        """See `HealthView`."""
        reasons = self._controller.kit.metrics.health.reasons()
        if self._task is not None and self._task.done():
            reasons.append("the controller's loop has ended")
        return reasons

    async def ready(self) -> Sequence[str]:
        """See `HealthView`."""
        reasons = list(await self.alive())
        source = self._controller.watcher.state
        if not source.fetched_at:
            reasons.append(f"the source was never read{f': {source.error}' if source.error else ''}")
        elif self._task is None:
            reasons.append("the controller is starting")
        return [*reasons, *await self._store()]

    async def _store(self) -> list[str]:
        kit = self._controller.kit
        try:
            await self._there(kit.store.set_value("ready.checked", kit.clock.now().isoformat()))
        except OttoError as error:
            return [f"the store cannot be written: {error.message}"]
        except TimeoutError:
            return ["the store does not answer"]
        return []

    async def _there(self, work: "Coroutine[None, None, T]") -> T:
        """Do something in the controller's event loop, which may be stuck.

        Raises:
            TimeoutError: it took too long.
        """
        asked = asyncio.run_coroutine_threadsafe(work, self._loop)
        async with asyncio.timeout(_PATIENCE):
            return await asyncio.wrap_future(asked)


async def expose(listener: socket.socket, tokens: Tokens, how: Serving, now: datetime) -> None:
    """Say so, loudly, when other machines can reach the API in a way that is hardly meant."""
    address = listener.getsockname()[0]
    if is_loopback(address):
        return
    if how.gate.plain:
        reason = "tokens are taken over plain HTTP: api.plain is set"
        log.warning("api.exposed", address=address, reason=reason)
    elif how.certificate is None and not how.gate.proxies:
        reason = (
            "without TLS no token is taken from other machines: api.certificate, api.proxies or api.plain"
        )
        log.warning("api.exposed", address=address, reason=reason)
    if not any(token.holds(now) for token in await tokens.all()):
        reason = "there is no token, so that no other machine is let in: otto token create"
        log.warning("api.exposed", address=address, reason=reason)


@asynccontextmanager
async def api(
    controller: Controller, listener: socket.socket, how: Serving | None = None
) -> AsyncIterator[ControllerHealth]:
    """The API at work for as long as the block lasts, with the heartbeat of this event loop.

    Args:
        controller: what it speaks of; it need not have been started yet.
        listener: a listening socket; closed at the end.
        how: how it is served; as usual when left out.
    """
    health = ControllerHealth(controller)
    kit, how = controller.kit, how or Serving()
    taken = Hooks(controller.intake, how.hooks, kit.metrics, kit.clock.now)
    gate = TokenGate(
        kit.store.tokens,
        kit.store.ledger,
        how.gate,
        kit.clock.now,
        counted=kit.metrics,
        scrub=how.options.scrub,
    )
    inside = Inside(controller, Bridge(), gate, version=__version__, household=how.household)
    app = create_app(
        kit.metrics.registry,
        health,
        __version__,
        hooks=taken,
        inside=inside,
        options=how.options,
        counted=kit.metrics,
    )
    make_room()
    await expose(listener, kit.store.tokens, how, kit.clock.now())
    pulse = asyncio.create_task(kit.metrics.health.pulse(), name="pulse")
    limits = Limits(connections=max(2, how.connections))
    try:
        with telling(inside.stream, kit.bus, kit.clock.now):
            async with serving(app, listener, limits, how.certificate, kit.store.read_here):
                try:
                    yield health
                finally:
                    inside.stream.close()
    finally:
        await inside.builds.close()
        await gate.settle()
        pulse.cancel()
        await asyncio.wait({pulse})
