"""A controller to ask: the one that runs already, or one of our own for as long as the command lasts."""

import asyncio
import contextlib
import functools
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Protocol

from otto.adapters.clock import SystemClock
from otto.cli import presence, speaking
from otto.cli.follower import Follower
from otto.cli.invocation import Invocation
from otto.cli.journal import journal
from otto.cli.remote.work import elsewhere
from otto.config import Settings
from otto.desk.intents import Destroy, wish_gone
from otto.model.errors import TransientError
from otto.model.plan import StepKind
from otto.model.run import Run
from otto.model.saying import Speaker, reason_of
from otto.model.status import SiteStatus
from otto.ports import Clock, Store
from otto.reconcile.control import ask
from otto.reconcile.controller import SOCKET, Controller
from otto.reconcile.events import Event, Listener
from otto.reconcile.lock import home_lock

_POLL = 0.25

Who = Callable[[str | None], Speaker]
"""Who speaks, by the name they give."""


class Records(Protocol):
    """What is read of sites that are worked on; a part of the port `Store`."""

    async def status(self, site: str) -> SiteStatus | None:
        """A site's status."""

    async def runs(self, site: str | None = None, limit: int = 20) -> tuple[Run, ...]:
        """Runs, newest first."""

    async def intents(self, site: str) -> frozenset[str]:
        """What people asked for besides the spec."""


class Work(Protocol):
    """Where sites are worked on."""

    @property
    def store(self) -> Records:
        """What is known of them."""

    @property
    def clock(self) -> Clock:
        """The time that is used there."""

    async def names(self) -> frozenset[str]:
        """Sites that may be asked for."""

    async def source_error(self) -> str:
        """Why the repository could not be read, "" when it could."""

    async def attend(self, sites: Sequence[str]) -> None:
        """Say which sites matter, before anything is asked of them."""

    async def due(self, site: str, steps: frozenset[StepKind]) -> None:
        """Have a site looked at now, and these steps carried out."""

    async def wish_gone(self, wish: Destroy) -> None:
        """Have sites destroyed, as soon as they are due."""

    async def changed(self) -> None:
        """Return when something may have changed."""

    def subscribe(self, listener: Listener) -> None:
        """Hand every event to a listener."""


class LocalWork:
    """A controller of our own, started for some sites."""

    def __init__(self, controller: Controller, loop: asyncio.Task[None], who: Who) -> None:
        self._controller = controller
        self._who = who
        self._loop = loop
        self._stirred = asyncio.Event()
        self.store = controller.kit.store
        self.clock = controller.kit.clock
        controller.kit.bus.subscribe(self._stir)

    async def names(self) -> frozenset[str]:
        """See `Work`."""
        kept = {status.site for status in await self.store.statuses()}
        return self._controller.fleet.names() | kept

    async def source_error(self) -> str:
        """See `Work`."""
        return self._controller.watcher.state.error

    async def due(self, site: str, steps: frozenset[StepKind]) -> None:
        """See `Work`."""
        if steps:
            self._controller.reconciler.wish(site, steps)
        self._controller.kit.queue.add(site, "asked")

    async def attend(self, sites: Sequence[str]) -> None:
        """See `Work`: all of them do."""

    async def wish_gone(self, wish: Destroy) -> None:
        """See `Work`."""
        await record(self._controller.kit.store, wish, self._who)

    async def changed(self) -> None:
        """See `Work`. A run's end is no event: it is in the store some moments after its last step's."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_POLL):
                await self._stirred.wait()
        self._stirred.clear()
        if self._loop.done():
            self._loop.result()

    def subscribe(self, listener: Listener) -> None:
        """See `Work`."""
        self._controller.kit.bus.subscribe(listener)

    def _stir(self, _: Event) -> None:
        self._stirred.set()


class RemoteWork:
    """A controller in another process, asked over its socket and followed through the store."""

    def __init__(self, store: Store, clock: Clock, settings: Settings, who: Who) -> None:
        self.store = store
        self.clock = clock
        self._socket = settings.home / SOCKET
        self._who = who
        self._follower = Follower()

    async def begin(self) -> None:
        """Take note of how things are, so that what changes from now on is told."""
        await self._follower.look(self.store)

    async def names(self) -> frozenset[str]:
        """See `Work`."""
        kept = {status.site for status in await self.store.statuses()}
        return frozenset(kept | (await self.store.remembered()).keys())

    async def source_error(self) -> str:
        """See `Work`: the running controller keeps its last good revision, and says so in its status."""
        return ""

    async def due(self, site: str, steps: frozenset[StepKind]) -> None:
        """See `Work`.

        Raises:
            TransientError: the controller has gone in the meantime.
        """
        names = [step.value for step in sorted(steps)]
        if await ask(self._socket, {"op": "due", "site": site, "steps": names}) is None:
            raise TransientError("the controller stopped just now", mend="try again")

    async def attend(self, sites: Sequence[str]) -> None:
        """See `Work`: all of them do."""

    async def wish_gone(self, wish: Destroy) -> None:
        """See `Work`. It is in force whether or not the controller lives."""
        await record(self.store, wish, self._who)

    async def changed(self) -> None:
        """See `Work`."""
        await self.clock.sleep(_POLL)
        await self._follower.look(self.store)

    def subscribe(self, listener: Listener) -> None:
        """See `Work`."""
        self._follower.listeners.append(listener)


async def record(store: Store, wish: Destroy, who: Who) -> None:
    """Record that sites are to be destroyed.

    Raises:
        UsageError: the name or the reason will not do; nothing was recorded.
    """
    speaker, why = who(wish.by), reason_of(wish.reason)
    await wish_gone(store, wish.sites, speaker, why, teardown=wish.teardown)


@asynccontextmanager
async def working(invocation: Invocation, *, seed: bool) -> AsyncIterator[Work]:
    """The running controller, or else one of our own, which stops with the block.

    Args:
        invocation: the call.
        seed: whether an empty embedded repository may be given its first commit.

    Raises:
        UsageError: another process holds the home but does not answer.
    """
    if invocation.server is not None:
        async with elsewhere(invocation) as far:
            yield far
    elif presence.find(invocation.settings.home):
        async with _remote(invocation) as work:
            yield work
    else:
        async with _local(invocation, seed=seed) as own:
            yield own


def _who(invocation: Invocation) -> Who:
    return functools.partial(speaking.speaker, invocation)


@asynccontextmanager
async def _remote(invocation: Invocation) -> AsyncIterator[Work]:
    settings = invocation.settings
    with journal(invocation, file=False):
        async with invocation.composition.open_store_only(settings) as store:
            work = RemoteWork(store, SystemClock(), settings, _who(invocation))
            await work.begin()
            yield work


@asynccontextmanager
async def _local(invocation: Invocation, *, seed: bool) -> AsyncIterator[Work]:
    settings, composition = invocation.settings, invocation.composition
    with home_lock(settings.home), journal(invocation, file=True):
        if seed:
            composition.seed_if_empty(settings)
        async with composition.open_kit(settings) as kit:
            controller = composition.make_controller(kit, settings)
            async with only_when_asked(controller) as loop:
                yield LocalWork(controller, loop, _who(invocation))


@asynccontextmanager
async def only_when_asked(controller: Controller) -> AsyncIterator[asyncio.Task[None]]:
    """The loop at work, with no site due but those that are asked for."""
    await controller.loop.recover()
    await controller.pipelines.recover()
    await controller.fleet.load()
    await controller.reconciler.domains.load()
    await controller.watcher.look()
    for site in controller.fleet.names():
        controller.kit.queue.forget(site)
    task = asyncio.create_task(controller.loop.run(), name="loop")
    pipelines = asyncio.create_task(controller.pipelines.run(), name="pipelines")
    try:
        yield task
    finally:
        task.cancel()
        await asyncio.wait({task})
        pipelines.cancel()  # after the loop: how it ended is written
        await asyncio.wait({pipelines})
