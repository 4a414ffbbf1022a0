"""Golden images made: what is there is left alone, the others are built, the good ones come into the index.

An image that fails holds back those made of it and no other. Only what booted and passed its smoke test comes
into the index; the channel `candidate` then points at it, and `stable` as well if nothing ever did.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

import structlog

from otto.decide.channels import promote
from otto.model.errors import OttoError, TerminalError, TransientError
from otto.model.history import AuditEntry
from otto.model.image import CANDIDATE, STABLE, Build, Image
from otto.model.progress import Progress
from otto.model.saying import Speaker
from otto.model.spec import Provider
from otto.ports import Clock, ImageBuilder, ImageIndex, Ledger

log = structlog.get_logger("otto.images")


class Result(StrEnum):
    """How making an image ended."""

    BUILT = "built"
    CACHED = "cached"
    FAILED = "failed"
    HELD = "held"


@dataclass(frozen=True, slots=True)
class Made:
    """What came of one image at one provider.

    Attributes:
        build: what was asked for.
        result: how it ended; `held`: the image it is made of failed.
        image: as the index has it; None when there is none.
        channels: those that point at it since.
        error: why it failed, and how to mend it; "" for one that did not.
        seconds: how long it took.
    """

    build: Build
    result: Result
    image: Image | None = None
    channels: tuple[str, ...] = ()
    error: str = ""
    seconds: float = 0.0

    @property
    def good(self) -> bool:
        """Whether the image is there."""
        return self.result in (Result.BUILT, Result.CACHED)


@dataclass(frozen=True, slots=True)
class Heard:
    """Something happened to an image: progress, or its end."""

    build: Build
    progress: Progress | None = None
    made: Made | None = None


Hear = Callable[[Heard], None]


class Foundry:
    """Makes images.

    Attributes:
        builder: builds and tries them.
        index: what there is.
        clock: the time.

    Args:
        builder: builds and tries them.
        index: what there is.
        ledger: where the moves of channels are on record.
        clock: the time.
        at_once: how many are made at once.
    """

    def __init__(
        self, builder: ImageBuilder, index: ImageIndex, ledger: Ledger, clock: Clock, at_once: int = 2
    ) -> None:
        self.builder = builder
        self.index = index
        self.clock = clock
        self._ledger = ledger
        self._places = asyncio.Semaphore(max(1, at_once))

    async def make(self, builds: Sequence[Build], who: Speaker, hear: Hear) -> tuple[Made, ...]:
        """Make images; what came of each, in the order they were given.

        Args:
            builds: as the builder told them: parents before their children.
            who: who wants them.
            hear: told of what happens.
        """
        tasks: dict[tuple[str, str], asyncio.Task[Made]] = {}
        async with asyncio.TaskGroup() as group:
            for build in builds:
                parent = tasks.get((build.provider, build.parent))
                work = self._one(build, parent, who, hear)
                tasks[build.provider, build.digest] = group.create_task(work, name=f"image-{build.name}")
        return tuple(task.result() for task in tasks.values())

    async def note(self, builds: Sequence[Build], who: Speaker) -> None:
        """Have it on record that images are to be made.

        Raises:
            OttoError: the record cannot be written.
        """
        wanted = ", ".join(f"{build.name} for {build.provider}" for build in builds)
        detail = {"as": who.account} | ({"anew": "yes"} if any(build.anew for build in builds) else {})
        await self._ledger.append(AuditEntry(who.at, who.name, "build", summary=wanted[:500], detail=detail))

    async def _one(self, build: Build, parent: "asyncio.Task[Made] | None", who: Speaker, hear: Hear) -> Made:
        began = self.clock.monotonic()
        if parent is not None and not (await asyncio.shield(parent)).good:
            made = Made(build, Result.HELD)
        else:
            async with self._places:
                began = self.clock.monotonic()
                made = await self._made(build, who, hear)
        made = replace(made, seconds=self.clock.monotonic() - began)
        hear(Heard(build, made=made))
        return made

    async def _made(self, build: Build, who: Speaker, hear: Hear) -> Made:
        try:
            known = await self.index.image(build.digest)
            if known is not None and known.revoked:
                return Made(build, Result.FAILED, known, error=str(_revoked(known)))
            if known is not None and not build.anew and await self._there(build, known):
                return Made(build, Result.CACHED, known, await self._point(known, who))
            image = await self.builder.build(build, lambda said: hear(Heard(build, said)))
            await self.index.add(image)
            return Made(build, Result.BUILT, image, await self._point(image, who))
        except OttoError as error:
            return Made(build, Result.FAILED, error=str(error))
        except Exception as error:  # a mistake of ours in one image stops no other
            log.exception("image.mistake", image=build.name, provider=build.provider)
            words = f"OttO made a mistake: {type(error).__name__}"
            return Made(build, Result.FAILED, error=str(TransientError(words, mend="see the log")))

    async def _there(self, build: Build, known: Image) -> bool:
        artifact = known.artifacts.get(build.provider)
        return artifact is not None and await self.builder.exists(Provider(build.provider), artifact.id)

    async def _point(self, image: Image, who: Speaker) -> tuple[str, ...]:
        """Have the channel `candidate` point at it, and `stable` if it points nowhere; those that moved."""
        channels = await self.index.channels(image.name)
        known = {channel.name: channel.digest for channel in channels}
        moved = [CANDIDATE] if known.get(CANDIDATE) != image.digest else []
        moved += [] if STABLE in known else [STABLE]
        for name in moved:
            why = "it was built" if name == CANDIDATE else "the first of its name"
            move = promote(image, name, channels, replace(who, at=self.clock.now()), why)
            await self._ledger.append(move.entry)
            await self.index.point(move.channel)
        return tuple(moved)


def _revoked(image: Image) -> OttoError:
    return TerminalError(
        f"what {image.name} would be built from makes an image that was revoked: {image.revoked}",
        mend="change its template, its roles or its base",
    )
