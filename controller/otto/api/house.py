"""The controller that runs: it answers questions for whoever asks through the API."""

import os
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, nullcontext
from datetime import datetime
from pathlib import Path
from typing import TypeVar, cast

from otto import __version__
from otto.api.inside import Inside
from otto.api.speakers import speaker_of
from otto.desk.builds import BuildImages, CancelBuild, SeeBuild
from otto.desk.heard import Heard
from otto.desk.house import Builds, Lives, Way
from otto.desk.limited import LimitedStore
from otto.desk.notices import TryWays
from otto.desk.pipelines import StartPipeline
from otto.desk.seen import Around, Presence
from otto.desk.sources import StatusSource
from otto.model.caller import Caller
from otto.model.errors import ForbiddenError
from otto.model.plan import StepKind
from otto.model.policy import FleetPolicy
from otto.model.saying import Speaker
from otto.model.spec import Provider
from otto.ports import Store
from otto.reconcile.buildbook import Begun, News
from otto.reconcile.foundry import Foundry
from otto.reconcile.inspect import Inspector
from otto.reconcile.kit import Kit

T = TypeVar("T")

_NO_STEPS: frozenset[StepKind] = frozenset()


class ServedHouse:
    """See `House`. Lives in the API's event loop; what belongs to the controller's goes over the bridge.

    Args:
        inside: the controller.
        caller: who asks.
    """

    def __init__(self, inside: Inside, caller: Caller) -> None:
        self._inside = inside
        self._caller = caller
        whole = inside.store
        self._limited = LimitedStore(whole, caller.labels) if caller.labels else None
        # What the limited one lacks, no question needs: reaching for it is an error, and no leak.
        self._store = cast("Store", self._limited) if self._limited else whole

    @property
    def labels(self) -> Mapping[str, str]:
        """See `House`."""
        return self._caller.labels

    @property
    def lives(self) -> Lives:
        """See `House`."""
        return self._inside.household.lives

    @property
    def log(self) -> Path | None:
        """See `House`."""
        return self._inside.household.log

    def now(self) -> datetime:
        """See `House`."""
        return self._inside.kit.clock.now()

    def speaker(self, by: str | None) -> Speaker:
        """See `House`: who asks is who the token says; on this machine itself, whoever they say."""
        return speaker_of(self._caller, by, self.now())

    async def require_seen(self, site: str) -> None:
        """See `House`."""
        if self._limited is not None:
            await self._limited.require(site)

    async def seen(self) -> frozenset[str] | None:
        """See `House`."""
        return await self._limited.names() if self._limited is not None else None

    def require_all(self, what: str) -> None:
        """See `House`."""
        if self._limited is not None:
            mend = "use a token without labels"
            raise ForbiddenError(f"a token that is limited to some sites may not {what}", mend=mend)

    def quick(self) -> AbstractAsyncContextManager[StatusSource]:
        """See `House`."""
        return nullcontext(self._store)

    def store(self) -> AbstractAsyncContextManager[Store]:
        """See `House`."""
        return nullcontext(self._store)

    @property
    def has_store(self) -> bool:
        """See `House`: there is."""
        return True

    def require_store(self) -> None:
        """See `House`: there is one."""

    async def with_kit(self, work: Callable[[Kit], Awaitable[T]], seconds: float) -> T:
        """See `House`."""

        async def there() -> T:
            return await work(self._inside.kit)

        async with self._inside.looks.taken():
            return await self._inside.bridge.run(there(), seconds)

    async def inspector(self, kit: Kit) -> Inspector:
        """See `House`: with what the controller knows."""
        return Inspector(kit, self._inside.controller.reconciler.knowledge)

    async def around(self) -> Around:
        """See `House`: this very process is."""
        return Around(Presence(os.getpid(), __version__))

    async def due(self, sites: Sequence[str], steps: frozenset[StepKind] = _NO_STEPS) -> Heard:
        """See `House`."""

        async def there() -> None:
            for site in sites:
                await self._inside.controller.due(site, steps)

        await self._inside.bridge.run(there())
        return Heard.YES

    async def images_changed(self) -> Heard:
        """See `House`."""
        await self._inside.bridge.run(self._inside.controller.images.look())
        return Heard.YES

    async def start_pipeline(self, site: str, by: str) -> str:
        """See `House`."""
        started = self._inside.controller.triggers.asked(site, by)
        return (await self._inside.bridge.run(started, StartPipeline.patience)).id

    @property
    def builds(self) -> Builds:
        """See `House`."""
        return _BuildsThere(self._inside)

    def foundry(self) -> AbstractAsyncContextManager[Foundry]:
        """See `House`."""
        return self._inside.household.foundry()

    async def fleet_policy(self) -> FleetPolicy:
        """See `House`."""

        async def there() -> FleetPolicy:
            return self._inside.kit.policies.fleet()

        return await self._inside.bridge.run(there())

    async def ways(self, *, tried: bool) -> tuple[Way, ...]:
        """See `House`."""
        told = self._inside.household.ways(tried=tried)
        return await self._inside.bridge.run(told, TryWays.patience)


class _BuildsThere:
    """Orders of images, which are carried out in the controller's loop."""

    def __init__(self, inside: Inside) -> None:
        self._inside = inside

    async def start(
        self, names: Sequence[str], providers: Sequence[Provider], who: Speaker, *, anew: bool
    ) -> Begun:
        work = self._inside.builds.start(names, providers, who, anew=anew)
        return await self._inside.bridge.run(work, BuildImages.patience)

    async def news(self, identity: str, seen: int) -> News:
        return await self._inside.bridge.run(self._inside.builds.news(identity, seen), SeeBuild.patience)

    async def cancel(self, identity: str) -> None:
        await self._inside.bridge.run(self._inside.builds.cancel(identity), CancelBuild.patience)
