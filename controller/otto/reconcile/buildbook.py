"""Golden images that somebody asked for: what is being made, and what was heard of it.

One order is carried out at a time: an image takes a machine's disk and processors for minutes. Those that
came later wait, and find what was made meanwhile.
"""

import asyncio
import contextlib
from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field, replace

import structlog

from otto.model.errors import TransientError, UsageError
from otto.model.image import Build
from otto.model.saying import Speaker
from otto.model.spec import Provider
from otto.reconcile.foundry import Foundry, Heard, Made
from otto.reconcile.recorder import run_id

log = structlog.get_logger("otto.images")

# Those whose images OttO can boot and try.
_TRIED = (Provider.LAB,)
# Orders that wait or are carried out, and those that are over and may still be asked for.
_MOST, _REMEMBERED = 8, 20
_LONGEST = 10_000  # words heard of one order; ends of images are always among them
_NEWS_SECONDS = 5.0
_END_SECONDS = 60.0

Opening = Callable[[], AbstractAsyncContextManager[Foundry]]


@dataclass(frozen=True, slots=True)
class Begun:
    """An order that is carried out.

    Attributes:
        id: names it.
        builds: the images that it is about, parents before their children.
    """

    id: str
    builds: tuple[Build, ...]


@dataclass(frozen=True, slots=True)
class News:
    """What was heard of an order.

    Attributes:
        heard: in order of time.
        over: whether nothing more will come.
    """

    heard: tuple[Heard, ...]
    over: bool


@dataclass(eq=False)
class _Order:
    heard: list[Heard] = field(default_factory=list)
    stirred: asyncio.Event = field(default_factory=asyncio.Event)
    task: "asyncio.Task[None] | None" = None

    @property
    def over(self) -> bool:
        return self.task is not None and self.task.done()

    def hear(self, heard: Heard) -> None:
        if heard.made is not None or len(self.heard) < _LONGEST:
            self.heard.append(_light(heard))
        self.stirred.set()


class BuildBook:
    """Orders of images. Lives in one event loop.

    Args:
        foundry: opens what makes them, for one order.
        allowed: providers that may be touched.
    """

    def __init__(self, foundry: Opening, allowed: Sequence[Provider]) -> None:
        self._foundry = foundry
        self._allowed = tuple(allowed)
        self._orders: dict[str, _Order] = {}
        self._turn = asyncio.Lock()

    async def start(
        self, names: Sequence[str], providers: Sequence[Provider], who: Speaker, *, anew: bool
    ) -> Begun:
        """Begin to make images, and those that they are made of.

        Args:
            names: which; all for none.
            providers: where; wherever they can be tried for none.
            who: who wants them.
            anew: whether even what is there already is made.

        Raises:
            UsageError: there is no such image, or a provider may not be touched.
            TransientError: too many orders wait already.
        """
        where = places(self._allowed, providers)
        if sum(not order.over for order in self._orders.values()) >= _MOST:
            raise TransientError(f"{_MOST} orders of images wait already", mend="try again when one is done")
        identity, order = run_id(who.at), _Order()
        begun: asyncio.Future[tuple[Build, ...]] = asyncio.get_running_loop().create_future()
        work = self._carried_out(identity, order, begun, _Wish(tuple(names), where, who, anew))
        order.task = asyncio.create_task(work, name=f"images-{identity}")
        order.task.add_done_callback(lambda _: order.stirred.set())
        self._remember(identity, order)
        try:
            return Begun(identity, await begun)
        except BaseException:
            order.task.cancel()
            self._orders.pop(identity, None)
            raise

    async def news(self, identity: str, seen: int) -> News:
        """What was heard of an order, after so many words; comes at once when there is some, else in a while.

        Raises:
            UsageError: there is no such order.
        """
        order = self._order(identity)
        if len(order.heard) <= seen and not order.over:
            order.stirred.clear()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_NEWS_SECONDS):
                    await order.stirred.wait()
        # In this order: what is over has said everything.
        over = order.over
        return News(tuple(order.heard[max(0, seen) :]), over)

    async def cancel(self, identity: str) -> None:
        """Break an order off; what was begun is removed, images that are done stay.

        Raises:
            UsageError: there is no such order.
            TransientError: it does not end in time.
        """
        order = self._order(identity)
        if order.task is None or order.over:
            return
        order.task.cancel()
        await asyncio.wait({order.task}, timeout=_END_SECONDS)
        if not order.over:
            raise TransientError(f"order {identity} does not end", mend="see otto logs")

    async def close(self) -> None:
        """Break everything off, in bounded time."""
        tasks = {order.task for order in self._orders.values() if order.task is not None}
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks, timeout=_END_SECONDS)

    async def _carried_out(
        self, identity: str, order: _Order, begun: "asyncio.Future[tuple[Build, ...]]", wish: "_Wish"
    ) -> None:
        try:
            async with self._foundry() as foundry:
                builds = await wish.builds(foundry)
                await foundry.note(builds, wish.who)
                begun.set_result(builds)
                log.info("images.begun", order=identity, by=wish.who.name, images=_named(builds))
                async with self._turn:
                    made = await foundry.make(builds, wish.who, order.hear)
                log.info("images.made", order=identity, **_results(made))
        except Exception as error:  # whoever waits for the beginning hears of it, else the log
            if begun.done():
                log.exception("images.broken", order=identity, error=str(error))
            else:
                begun.set_exception(error)
        finally:
            begun.cancel()

    def _order(self, identity: str) -> _Order:
        order = self._orders.get(identity)
        if order is None:
            mend = "it may have been started anew: ask again, what was done stays"
            raise UsageError(f"OttO knows of no order {identity[:60]!r} of images", mend=mend)
        return order

    def _remember(self, identity: str, order: _Order) -> None:
        self._orders[identity] = order
        over = [name for name, known in self._orders.items() if known.over]
        for name in over[: max(0, len(over) - _REMEMBERED)]:
            del self._orders[name]


@dataclass(frozen=True, slots=True)
class _Wish:
    names: tuple[str, ...]
    providers: tuple[Provider, ...]
    who: Speaker
    anew: bool

    async def builds(self, foundry: Foundry) -> tuple[Build, ...]:
        found: list[Build] = []
        for provider in self.providers:
            # It reads every file that goes into an image.
            found += await asyncio.to_thread(foundry.builder.builds, provider, self.names)
        return tuple(replace(build, anew=self.anew) for build in found)


def places(allowed: Sequence[Provider], asked: Sequence[Provider]) -> tuple[Provider, ...]:
    """Where images are built: where it is asked for, or else wherever they can be tried.

    Raises:
        UsageError: nowhere, or somewhere that may not be touched.
    """
    if barred := [item for item in asked if item not in allowed]:
        raise UsageError(f"{barred[0].value} may not be touched", mend="add it to CLOWD_PROVIDERS")
    chosen = tuple(dict.fromkeys(asked)) or tuple(item for item in _TRIED if item in allowed)
    if not chosen:
        raise UsageError(
            f"CLOWD_PROVIDERS allows only {', '.join(item.value for item in allowed)}, where this version of "
            "OttO cannot try an image",
            mend="add lab to CLOWD_PROVIDERS, or name one of those with --provider",
        )
    return chosen


def _light(heard: Heard) -> Heard:
    """Without CycloneDX documents, which are long."""
    made = heard.made
    if made is None or made.image is None:
        return heard
    return replace(heard, made=replace(made, image=made.image.light))


def _named(builds: Sequence[Build]) -> list[str]:
    return [f"{build.name} ({build.provider})" for build in builds]


def _results(made: Sequence[Made]) -> dict[str, list[str]]:
    """Names of images by what came of them."""
    found: dict[str, list[str]] = {}
    for item in made:
        found.setdefault(item.result.value, []).append(item.build.name)
    return found
