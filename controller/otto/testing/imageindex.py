"""The index of golden images, in memory."""

from dataclasses import replace

from otto.model.image import Channel, Image, ImageName
from otto.testing.failures import Failures


class MemoryImageIndex:
    """Port `ImageIndex` without a database. `failures` makes any of its methods raise."""

    def __init__(self) -> None:
        self._images: dict[str, Image] = {}
        self._channels: dict[tuple[str, str], Channel] = {}
        self._changes = 0
        self.failures = Failures()

    async def version(self) -> str:
        """Names what the index holds."""
        self.failures.strike("version")
        return str(self._changes)

    async def add(self, image: Image) -> None:
        """Keep an image, beside what is known of its digest."""
        self.failures.strike("add")
        self._images[image.digest] = image.beside(self._images.get(image.digest))
        self._changes += 1

    async def revoke(self, digest: str, reason: str) -> None:
        """Say why an image must not be used any more; "" takes that back."""
        self.failures.strike("revoke")
        if digest in self._images:
            self._images[digest] = replace(self._images[digest], revoked=reason)
            self._changes += 1

    async def image(self, digest: str) -> Image | None:
        """An image by its digest."""
        self.failures.strike("image")
        return self._images.get(digest)

    async def images(self, name: str | None = None) -> tuple[Image, ...]:
        """All images, or those of a name, newest first."""
        self.failures.strike("images")
        chosen = (image for image in self._images.values() if name in (None, image.name))
        return tuple(sorted(chosen, key=lambda image: (image.built_at, image.digest), reverse=True))

    async def drop(self, digest: str) -> None:
        """Take an image out of the index."""
        self.failures.strike("drop")
        self._images.pop(digest, None)
        self._changes += 1

    async def point(self, channel: Channel) -> None:
        """Have a channel point at an image."""
        self.failures.strike("point")
        self._channels[channel.image, channel.name] = channel
        self._changes += 1

    async def channels(self, name: str | None = None) -> tuple[Channel, ...]:
        """All channels, or those of an image's name, sorted by image and name."""
        self.failures.strike("channels")
        return tuple(self._channels[key] for key in sorted(self._channels) if name in (None, key[0]))

    async def find(self, name: ImageName) -> Image | None:
        """The image that a name stands for."""
        self.failures.strike("find")
        channel = self._channels.get((name.name, name.channel))
        digest = name.digest or (channel.digest if channel else "")
        image = self._images.get(digest)
        return image if image is not None and image.name == name.name else None
