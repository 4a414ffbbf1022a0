"""The API beside the controller, and what it says of it."""

import asyncio
import socket
from collections.abc import AsyncIterator, Coroutine, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TypeVar

from otto import __version__
from otto.adapters.secrets import open_secrets
from otto.api.app import create_app
from otto.api.hooks import HookOptions, Hooks
from otto.api.server import make_room, serving
from otto.config import HooksSettings
from otto.model.errors import OttoError
from otto.reconcile.controller import Controller

T = TypeVar("T")

# Longer than the store takes, shorter than who asks for health waits.
_PATIENCE = 3.0
_NO_HOOKS = HookOptions()


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


def hook_options(
    settings: HooksSettings, environ: Mapping[str, str], home: Path | None = None
) -> HookOptions:
    """How deliveries to webhooks are checked, as the settings say.

    Args:
        settings: the settings.
        environ: the environment, where the secret may be.
        home: OTTO_HOME, where deliveries are remembered; None for nowhere.

    Raises:
        UsageError: the secret cannot be had.
    """
    secrets = open_secrets("hooks.secret", settings.secret, environ)
    seen = home / "cache" / "deliveries" if home is not None and secrets else None
    return HookOptions(secrets, settings.maxBody, settings.window, seen)


@asynccontextmanager
async def api(
    controller: Controller, listener: socket.socket, hooks: HookOptions = _NO_HOOKS
) -> AsyncIterator[ControllerHealth]:
    """The API at work for as long as the block lasts, with the heartbeat of this event loop.

    Args:
        controller: what it speaks of; it need not have been started yet.
        listener: a listening socket; closed at the end.
        hooks: how deliveries to webhooks are checked.
    """
    health = ControllerHealth(controller)
    metrics = controller.kit.metrics
    taken = Hooks(controller.intake, hooks, metrics, controller.kit.clock.now)
    app = create_app(metrics.registry, health, __version__, taken)
    make_room()
    pulse = asyncio.create_task(metrics.health.pulse(), name="pulse")
    try:
        async with serving(app, listener):
            yield health
    finally:
        pulse.cancel()
        await asyncio.wait({pulse})
