"""The API beside the controller, and what it says of it."""

import asyncio
import functools
import socket
from collections.abc import AsyncIterator, Coroutine, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TypeVar

import structlog

from otto import __version__
from otto.adapters.secrets import open_secrets
from otto.api.addresses import is_loopback, networks
from otto.api.app import create_app
from otto.api.bridge import Bridge
from otto.api.hooks import HookOptions, Hooks
from otto.api.inside import Inside
from otto.api.server import serving
from otto.api.tokengate import GateOptions, TokenGate
from otto.cli.notifying import tell_ways
from otto.config import ApiSettings, HooksSettings, Settings
from otto.desk.house import Household, Lives
from otto.model.errors import OttoError
from otto.ports.tokens import Tokens
from otto.reconcile.controller import Controller

log = structlog.get_logger("otto.api")

T = TypeVar("T")

# Longer than the store takes, shorter than who asks for health waits.
_PATIENCE = 3.0
_NO_HOOKS = HookOptions()


async def expose(listener: socket.socket, tokens: Tokens, options: GateOptions, now: datetime) -> None:
    """Say so, loudly, when other machines can reach the API in a way that is hardly meant."""
    address = listener.getsockname()[0]
    if is_loopback(address):
        return
    if options.plain:
        reason = "tokens are taken over plain HTTP: api.plain is set"
        log.warning("api.exposed", address=address, reason=reason)
    elif not options.proxies:
        reason = "over plain HTTP from other machines no token is taken: see api.proxies and api.plain"
        log.warning("api.exposed", address=address, reason=reason)
    if not any(token.holds(now) for token in await tokens.all()):
        reason = "there is no token, so that no other machine is let in: otto token create"
        log.warning("api.exposed", address=address, reason=reason)


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
    settings: HooksSettings, environ: Mapping[str, str], vault_password: str = ""
) -> HookOptions:
    """How deliveries to webhooks are checked, as the settings say.

    Args:
        settings: of webhooks.
        environ: where a variable is looked up.
        vault_password: reference to the password of vaults, "" for none.

    Raises:
        UsageError: the secret cannot be had.
    """
    secrets = open_secrets("hooks.secret", settings.secret, environ, vault_password)
    return HookOptions(secrets, settings.maxBody, settings.window)


def gate_options(settings: ApiSettings) -> GateOptions:
    """Who is let in, as the settings say.

    Raises:
        UsageError: an address of a proxy is none.
    """
    hosts = tuple(filter(None, (name.strip().lower() for name in settings.hosts.split(","))))
    return GateOptions(
        anonymous=settings.anonymous == "loopback",
        hosts=hosts,
        proxies=networks(settings.proxies, "api.proxies"),
        guesses=settings.guesses,
        window=settings.guessWindow,
        plain=settings.plain,
    )


def household(settings: Settings, environ: Mapping[str, str]) -> Household:
    """How the running controller answers questions, as the settings say."""
    lives = Lives(timedelta(days=settings.api.tokenDays), timedelta(days=settings.api.tokenMaxDays))
    return Household(lives, functools.partial(tell_ways, settings, environ))


@dataclass(frozen=True, slots=True)
class Serving:
    """How the API is served.

    Attributes:
        hooks: how deliveries to webhooks are checked.
        gate: who is let in.
        household: how questions are answered.
    """

    hooks: HookOptions = _NO_HOOKS
    gate: GateOptions = field(default_factory=GateOptions)
    household: Household = field(default_factory=Household)

    @staticmethod
    def of(settings: Settings, environ: Mapping[str, str]) -> "Serving":
        """As the settings say.

        Raises:
            UsageError: one of them is wrong, or leads to what is.
        """
        hooks = hook_options(settings.hooks, environ, settings.secrets.vaultPassword)
        return Serving(hooks, gate_options(settings.api), household(settings, environ))


@asynccontextmanager
async def api(
    controller: Controller, listener: socket.socket, how: Serving | None = None
) -> AsyncIterator[ControllerHealth]:
    """The API at work for as long as the block lasts, with the heartbeat of this event loop.

    Args:
        controller: what it speaks of; it need not have been started yet.
        listener: a listening socket; closed at the end.
        how: how it is served.
    """
    health = ControllerHealth(controller)
    metrics = controller.kit.metrics
    kit, how = controller.kit, how or Serving()
    taken = Hooks(controller.intake, how.hooks, metrics, kit.clock.now)
    gate = TokenGate(kit.store.tokens, kit.store.ledger, how.gate, kit.clock.now)
    inside = Inside(controller, Bridge(), gate, how.household)
    await expose(listener, kit.store.tokens, how.gate, kit.clock.now())
    app = create_app(metrics.registry, health, __version__, hooks=taken, inside=inside)
    pulse = asyncio.create_task(metrics.health.pulse(), name="pulse")
    try:
        async with serving(app, listener):
            yield health
    finally:
        pulse.cancel()
        await asyncio.wait({pulse})
