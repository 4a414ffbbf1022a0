"""Watch the index of images: a name that stands for another image makes the sites due that follow it."""

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


class ImageWatch:
    """Asks the index whether it changed, which costs one small query; only then for what it holds.

    Whoever changes it may hasten a look by the control socket; nothing depends on that.
    """

    def __init__(self, kit: Kit, fleet: Fleet) -> None:
        self._kit = kit
        self._fleet = fleet
        self._version: str | None = None
        self._standing: dict[ImageName, str] = {}

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
        return () if first else self._make_due(before, found)

    def _make_due(self, before: dict[ImageName, str], found: dict[ImageName, str]) -> tuple[str, ...]:
        changed = {name for name in before.keys() | found.keys() if before.get(name) != found.get(name)}
        due = following(self._fleet.specs_in_force(), changed)
        for site in due:
            self._kit.queue.add(site, IMAGE)
        names = sorted(str(name) for name in changed)[:_SHOWN]
        log.info("images.changed", names=names, due=list(due[:_SHOWN]), count=len(due))
        return due
