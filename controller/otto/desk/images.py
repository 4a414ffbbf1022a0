"""Golden images: which there are, and what channels point at."""

from dataclasses import dataclass, replace
from typing import ClassVar

from otto.decide import channels, imaging
from otto.decide.channels import Promotion, Revocation
from otto.desk.heard import Heard
from otto.desk.house import House
from otto.desk.question import Question
from otto.model.caller import Scope
from otto.model.image import STABLE, Image
from otto.model.saying import reason_of
from otto.ports import Store
from otto.reconcile.gallery import Gallery, gallery


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
    """A channel's move, the images as they are since, and whether a controller heard of it."""

    found: Gallery
    promotion: Promotion
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

    async def answer(self, house: House) -> Promoted:
        """See `Question`.

        Raises:
            UsageError: there is no such image, or it is not fit for hosts anywhere.
        """
        house.require_all("move a channel")
        who, why = house.speaker(self.by), reason_of(self.reason)
        async with house.store() as store:
            found = await gallery(store)
            image = found.pick(imaging.candidate_of(self.image, found.images))
            moved = channels.promote(image, self.to, found.channels, who, why)
            if not moved.moves:
                return Promoted(_light(found), moved, Heard.YES)
            # On record before it counts, as all that allows more than before.
            await store.ledger.append(moved.entry)
            await store.images.point(moved.channel)
            found = await gallery(store)
        return Promoted(_light(found), moved, await house.images_changed())


@dataclass(frozen=True, slots=True)
class Revoked:
    """An image's revocation, the images as they are since, and whether a controller heard of it.

    `back` are the moves of channels that pointed at it to the last good image that they pointed at.
    """

    found: Gallery
    revocation: Revocation
    back: tuple[Promotion, ...]
    heard: Heard


@dataclass(frozen=True, slots=True)
class RevokeImage(Question[Revoked]):
    """Have an image not be used any more, or used again.

    Attributes:
        image: NAME@sha256:…, a digest, or the first digits of one.
        reason: why; it has to be given.
        undo: whether a revocation is taken back.
        by: the name that whoever wants it gives, None for their own.
    """

    word: ClassVar = "image-revoke"
    scope: ClassVar = Scope.OPERATE

    image: str
    reason: str
    undo: bool = False
    by: str | None = None

    async def answer(self, house: House) -> Revoked:
        """See `Question`.

        Raises:
            UsageError: there is no such image, or nothing to take back.
        """
        house.require_all("revoke images")
        who, why = house.speaker(self.by), reason_of(self.reason, needed=True)
        async with house.store() as store:
            found = await gallery(store)
            image = imaging.pick_fixed(self.image, found.images, found.channels)
            revoked = channels.revoke(image, found.channels, who, why, undo=self.undo)
            # Again, where it was cut off between the two.
            back = () if self.undo else channels.fall_back(revoked.image, found.images, found.channels, who)
            if not revoked.changes and not back:
                return Revoked(_light(found), _lighter(revoked), (), Heard.YES)
            if revoked.changes:
                await _record(store, revoked, undo=self.undo)
            for moved in back:
                await store.ledger.append(moved.entry)
                await store.images.point(moved.channel)
            found = await gallery(store)
        return Revoked(_light(found), _lighter(revoked), back, await house.images_changed())


async def _record(store: Store, revoked: Revocation, *, undo: bool) -> None:
    """What allows more than before is on record before it counts; what allows less counts at once."""
    if undo:
        await store.ledger.append(revoked.entry)
    await store.images.revoke(revoked.image.digest, revoked.image.revoked)
    if not undo:
        await store.ledger.append(revoked.entry)


def _light(found: Gallery) -> Gallery:
    return replace(found, images=tuple(image.light for image in found.images))


def _lighter(revoked: Revocation) -> Revocation:
    return replace(revoked, image=revoked.image.light)
