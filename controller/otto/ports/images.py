"""Golden images: which there are, and what builds them."""

from collections.abc import Sequence
from typing import Protocol

from otto.model.image import Build, Channel, Image, ImageName
from otto.model.progress import Report
from otto.model.spec import Provider


class Images(Protocol):
    """Images of hosts."""

    async def resolve(self, provider: Provider, name: str) -> str:
        """Id of the image a name stands for.

        Raises:
            TerminalError: there is no such image for this provider.
        """


class ImageBuilder(Protocol):
    """Builds golden images, and tries them."""

    def builds(self, provider: Provider, names: Sequence[str]) -> tuple[Build, ...]:
        """What building these images would take in; nothing is built. Parents come before their children.

        Raises:
            UsageError: there is no template of that name, or none for the provider.
        """

    async def build(self, build: Build, report: Report) -> Image:
        """Build one image and smoke-test it; the image with its one artifact, packages and SBOM.

        Nothing is left behind by a build that fails or is cancelled.

        Raises:
            TerminalError: the template is wrong, or the smoke test failed: says what was asked and what came.
            TransientError: the build failed for a reason that may pass.
        """

    async def exists(self, provider: Provider, artifact: str) -> bool:
        """Whether the provider still has it."""

    async def remove(self, provider: Provider, artifact: str) -> None:
        """Remove an artifact; gone already is fine.

        Raises:
            TransientError: a host still runs on it.
        """


class ImageIndex(Protocol):
    """The golden images there are, and the channels that point at them."""

    async def version(self) -> str:
        """Names what the index holds: another one after every change, and cheap to ask for."""

    async def add(self, image: Image) -> None:
        """Keep an image, beside what the index has of its digest (`Image.beside`)."""

    async def revoke(self, digest: str, reason: str) -> None:
        """Say why an image must not be used any more; "" takes that back. An unknown one is left alone."""

    async def image(self, digest: str) -> Image | None:
        """An image by its digest."""

    async def images(self, name: str | None = None) -> tuple[Image, ...]:
        """All images, or those of a name, newest first."""

    async def drop(self, digest: str) -> None:
        """Take an image out of the index."""

    async def point(self, channel: Channel) -> None:
        """Have a channel point at an image."""

    async def channels(self, name: str | None = None) -> tuple[Channel, ...]:
        """All channels, or those of an image's name, sorted by image and name."""

    async def find(self, name: ImageName) -> Image | None:
        """The image that a name stands for; None when there is none."""
