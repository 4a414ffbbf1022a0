"""Golden images made, and removed when nobody needs them any more."""

from dataclasses import dataclass, replace
from typing import ClassVar

from otto.desk.house import House
from otto.desk.question import Question
from otto.model.caller import Scope
from otto.model.image import Image
from otto.model.saying import reason_of
from otto.model.spec import Provider
from otto.reconcile import pruning
from otto.reconcile.buildbook import Begun, News
from otto.reconcile.pruning import Pruned


@dataclass(frozen=True, slots=True)
class BuildImages(Question[Begun]):
    """Have golden images built, tried, and put into the index; which, and the order's id.

    Attributes:
        names: of images; all for none.
        providers: where; wherever they can be tried for none.
        force: whether even what is there already is built.
        by: the name that whoever wants it gives, None for their own.
    """

    word: ClassVar = "image-build"
    scope: ClassVar = Scope.OPERATE
    patience: ClassVar = 60.0  # everything that goes into them is read

    names: tuple[str, ...] = ()
    providers: tuple[Provider, ...] = ()
    force: bool = False
    by: str | None = None

    async def answer(self, house: House) -> Begun:
        """See `Question`.

        Raises:
            UsageError: there is no such image, or a provider may not be touched.
        """
        house.require_all("build images")
        who = house.speaker(self.by)
        return await house.builds.start(self.names, self.providers, who, anew=self.force)


@dataclass(frozen=True, slots=True)
class SeeBuild(Question[News]):
    """What was heard of an order of images; waits a few seconds for something new.

    Attributes:
        id: which order.
        seen: how much of it is known already.
    """

    word: ClassVar = "image-build-news"
    scope: ClassVar = Scope.READ

    id: str
    seen: int = 0

    async def answer(self, house: House) -> News:
        """See `Question`.

        Raises:
            UsageError: there is no such order.
        """
        return await house.builds.news(self.id, self.seen)


@dataclass(frozen=True, slots=True)
class CancelBuild(Question[bool]):
    """Break an order of images off: what was begun is removed, images that are done stay."""

    word: ClassVar = "image-build-cancel"
    scope: ClassVar = Scope.OPERATE
    patience: ClassVar = 75.0

    id: str

    async def answer(self, house: House) -> bool:
        """See `Question`.

        Raises:
            UsageError: there is no such order.
            TransientError: it does not end in time.
        """
        house.require_all("break a build of images off")
        await house.builds.cancel(self.id)
        return True


@dataclass(frozen=True, slots=True)
class SeeNeedless(Question[tuple[Image, ...]]):
    """Images that no channel, no spec, no host and no other image needs, oldest first.

    Attributes:
        keep: how many of the newest of each name stay in any case.
    """

    word: ClassVar = "images-needless"
    scope: ClassVar = Scope.READ

    keep: int = 2

    async def answer(self, house: House) -> tuple[Image, ...]:
        """See `Question`."""
        house.require_all("see who needs which image")
        async with house.store() as store:
            return tuple(image.light for image in await pruning.candidates(store, self.keep))


@dataclass(frozen=True, slots=True)
class PruneImages(Question[Pruned]):
    """Have images removed, with what was built of them, as far as nobody needs them even now.

    Attributes:
        digests: which.
        keep: how many of the newest of each name stay in any case.
        reason: why, in their words.
        by: the name that whoever wants it gives, None for their own.
    """

    word: ClassVar = "images-prune"
    scope: ClassVar = Scope.OPERATE
    patience: ClassVar = 300.0

    digests: tuple[str, ...]
    keep: int = 2
    reason: str = ""
    by: str | None = None

    async def answer(self, house: House) -> Pruned:
        """See `Question`."""
        house.require_all("remove images")
        who, why = house.speaker(self.by), reason_of(self.reason)
        agreed = frozenset(self.digests)
        async with house.store() as store, house.foundry() as foundry:
            # Somebody may have promoted one while it was thought about.
            left = [image for image in await pruning.candidates(store, self.keep) if image.digest in agreed]
            done = await pruning.prune(store, foundry.builder, left, who, why)
        return replace(done, gone=tuple(image.light for image in done.gone))
