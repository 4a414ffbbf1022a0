"""Golden images: which there are, and what channels point at."""

from dataclasses import dataclass, replace
from typing import ClassVar

from otto.desk.gallery import Gallery, gallery
from otto.desk.heard import Heard
from otto.desk.house import House
from otto.desk.question import Question
from otto.model.caller import Scope
from otto.model.history import AuditEntry
from otto.model.image import STABLE, Channel, Image
from otto.model.saying import reason_of


@dataclass(frozen=True, slots=True)
class SeeGallery(Question[Gallery]):
    """The images there are, and who uses them; without their CycloneDX documents, which are long."""

    word: ClassVar = "images"
    scope: ClassVar = Scope.READ

    async def answer(self, house: House) -> Gallery:
        """See `Question`."""
        async with house.store() as store:
            return _light(await gallery(store))


@dataclass(frozen=True, slots=True)
class SeeImage(Question[Image]):
    """One image, in full.

    Attributes:
        image: NAME, NAME@CHANNEL, NAME@sha256:…, or first digits.
    """

    word: ClassVar = "image"
    scope: ClassVar = Scope.READ

    image: str

    async def answer(self, house: House) -> Image:
        """See `Question`.

        Raises:
            UsageError: there is none, or there are several.
        """
        async with house.store() as store:
            return (await gallery(store)).pick(self.image)


@dataclass(frozen=True, slots=True)
class Promoted:
    """A channel that points at an image now.

    Attributes:
        found: the images, and who uses them, as they are since.
        channel: the channel.
        entry: what the audit record says.
        moves: whether it pointed elsewhere before.
        heard: whether a controller heard of it.
    """

    found: Gallery
    channel: Channel
    entry: AuditEntry
    moves: bool
    heard: Heard


@dataclass(frozen=True, slots=True)
class Promote(Question[Promoted]):
    """Have a channel point at an image.

    Attributes:
        image: NAME (its candidate), NAME@CHANNEL, NAME@sha256:…, or first digits.
        to: the channel.
        reason: why, in their words.
        by: the name that whoever wants it gives, None for their own.
    """

    word: ClassVar = "image-promote"
    scope: ClassVar = Scope.OPERATE

    image: str
    to: str = STABLE
    reason: str = ""
    by: str | None = None
