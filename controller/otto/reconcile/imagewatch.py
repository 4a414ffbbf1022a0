"""Watch the index of images: a name that stands for another image makes the sites due that follow it."""

from collections.abc import Callable, Mapping, Sequence

import structlog

from otto.decide.imaging import following, standing
from otto.model.errors import OttoError
from otto.model.image import ImageName
from otto.reconcile.fleet import Fleet
from otto.reconcile.kit import Kit

log = structlog.get_logger("otto.images")

# Why a site is due.
IMAGE = "image"
_INTERVAL = 5.0
_SHOWN = 20

Moved = Callable[[Mapping[ImageName, str], str, Sequence[str]], None]


class ImageWatch:
    """Asks the index whether it changed, which costs one small query; only then for what it holds.

    Whoever changes it may hasten a look by the control socket; nothing depends on that.

    Attributes:
        listeners: told what stands for which image now, who moved a channel last, and which sites are due.
    """

    def __init__(self, kit: Kit, fleet: Fleet) -> None:
        self._kit = kit
        self._fleet = fleet
        self._version: str | None = None
        self._standing: dict[ImageName, str] = {}
        self.listeners: list[Moved] = []

    async def run(self) -> None:
        """Look again and again until cancelled."""
        while True:
            self._kit.metrics.health.beat("the watch over images", _INTERVAL * 24)
            try:
                await self.look()
            except OttoError as error:
                log.warning("images.failed", error=error.message)
            except Exception as error:
                # Unknown, so taken for passing: sites ask the index themselves whenever they are looked at.
                log.exception("images.failed", error=f"{type(error).__name__}: {error}")
            await self._kit.clock.sleep(_INTERVAL)

    async def look(self) -> tuple[str, ...]:
        """One look: the sites that it made due. The first one only takes note: all sites are due then."""
        index = self._kit.store.images
        version = await index.version()
        if version == self._version:
            return ()
        images, channels = await index.images(), await index.channels()
        found = standing(images, channels)
        self._kit.metrics.images(images, channels)
        first, before = self._version is None, self._standing
        # The version was asked for first: what changed meanwhile is looked at again.
        self._version, self._standing = version, found
        mover = max(channels, key=lambda channel: channel.at).by if channels else ""
        return () if first else self._make_due(before, found, mover)

    def _make_due(
        self, before: dict[ImageName, str], found: dict[ImageName, str], mover: str
    ) -> tuple[str, ...]:
        changed = {name for name in before.keys() | found.keys() if before.get(name) != found.get(name)}
        due = following(self._fleet.specs_in_force(), changed)
        for listener in self.listeners:
            listener({name: found.get(name, "") for name in changed}, mover, due)
        for site in due:
            self._kit.queue.add(site, IMAGE)
        names = sorted(str(name) for name in changed)[:_SHOWN]
        log.info("images.changed", names=names, due=list(due[:_SHOWN]), count=len(due))
        return due
