"""The removal of images that nobody needs: artifacts first, then the index, each image on record."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from otto.decide.channels import needless
from otto.model.errors import OttoError
from otto.model.history import AuditEntry
from otto.model.image import Image, short_id
from otto.model.saying import Speaker
from otto.model.spec import Provider
from otto.ports import Store
from otto.reconcile.gallery import gallery, used


class Remover(Protocol):
    """What removes artifacts: as much as is needed here of an `ImageBuilder`."""

    async def remove(self, provider: Provider, artifact: str) -> None:
        """Remove an artifact; gone already is fine.

        Raises:
            OttoError: it cannot be removed.
        """


@dataclass(frozen=True, slots=True)
class Pruned:
    """What was removed.

    Attributes:
        gone: images that are no more.
        failed: digest -> why an image stays that was to go.
    """

    gone: tuple[Image, ...] = ()
    failed: Mapping[str, str] = field(default_factory=dict)


async def candidates(store: Store, keep: int) -> tuple[Image, ...]:
    """Images that nobody needs, oldest first.

    Raises:
        OttoError: the store cannot be read.
    """
    found = await gallery(store)
    return needless(found.images, found.channels, await used(store, found), keep)


async def prune(store: Store, builder: Remover, images: Sequence[Image], who: Speaker, note: str) -> Pruned:
    """Remove images. One whose artifact cannot be removed stays in the index, and stops no other.

    Cut off in the middle, it leaves an image without its artifact: nobody needs it, and the next time it is
    taken out.

    Args:
        store: where the index and the record are.
        builder: removes artifacts.
        images: which; they are needless.
        who: who wants it.
        note: why, in their words.

    Raises:
        OttoError: the store cannot be written; then nothing more is removed.
    """
    gone, failed = list[Image](), dict[str, str]()
    for image in images:
        try:
            await _remove(builder, image)
        except OttoError as error:
            failed[image.digest] = str(error)
            continue
        await store.ledger.append(_entry(image, who, note))
        await store.images.drop(image.digest)
        gone.append(image)
    return Pruned(tuple(gone), failed)


async def _remove(builder: Remover, image: Image) -> None:
    for provider, artifact in sorted(image.artifacts.items()):
        await builder.remove(Provider(provider), artifact.id)


def _entry(image: Image, who: Speaker, note: str) -> AuditEntry:
    detail = {"image": image.name, "digest": image.digest, "as": who.account}
    summary = f"image {image.name} {short_id(image.digest)} was removed"
    return AuditEntry(who.at, who.name, "prune", summary=summary, reason=note, detail=detail)
