"""The API, served in the controller's own event loop."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager

import uvicorn

from otto import __version__
from otto.api.app import create_app
from otto.model.errors import OttoError
from otto.reconcile.controller import Controller

# Longer than a request takes, shorter than a person waits after Ctrl-C.
_GRACE = 2
_PATIENCE = 3.0


class _Server(uvicorn.Server):
    """uvicorn without its signal handlers: those are the command's."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


class ControllerHealth:
    """What the API says of a controller.

    Args:
        controller: the controller.
        task: its work.
    """

    def __init__(self, controller: Controller, task: "asyncio.Task[None]") -> None:
        self._controller = controller
        self._task = task

    async def alive(self) -> Sequence[str]:
        """See `HealthView`. That this answers at all says that the event loop turns."""
        return ["the controller's loop has ended"] if self._task.done() else []

    async def ready(self) -> Sequence[str]:
        """See `HealthView`."""
        reasons = list(await self.alive())
        if not self._controller.watcher.state.fetched_at:
            error = self._controller.watcher.state.error
            reasons.append(f"the source was never read{f': {error}' if error else ''}")
        reasons += await self._store()
        return reasons

    async def _store(self) -> list[str]:
        kit = self._controller.kit
        try:
            async with asyncio.timeout(_PATIENCE):
                await kit.store.set_value("ready.checked", kit.clock.now().isoformat())
        except OttoError as error:
            return [f"the store cannot be written: {error.message}"]
        except TimeoutError:
            return ["the store does not answer"]
        return []


@asynccontextmanager
async def api(
    controller: Controller, task: "asyncio.Task[None]", listener: socket.socket
) -> AsyncIterator[None]:
    """The API at work for as long as the block lasts.

    Args:
        controller: what it speaks of.
        task: the controller's work.
        listener: a listening socket; closed at the end.
    """
    app = create_app(controller.kit.metrics.registry, ControllerHealth(controller, task), __version__)
    config = uvicorn.Config(
        app,
        log_config=None,
        access_log=False,
        lifespan="off",
        server_header=False,
        timeout_graceful_shutdown=_GRACE,
    )
    server = _Server(config)
    serving = asyncio.create_task(server.serve(sockets=[listener]), name="api")
    try:
        yield
    finally:
        server.should_exit = True
        await serving
        listener.close()
