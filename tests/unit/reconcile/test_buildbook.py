"""Orders of images: begun, followed, waiting for each other, broken off; nothing waits for ever."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from tests.unit.reconcile.test_foundry import ADA, Works

from otto.model.errors import TransientError, UsageError
from otto.model.image import Build, Image
from otto.model.progress import Report
from otto.model.spec import Provider
from otto.reconcile import buildbook
from otto.reconcile.buildbook import Begun, BuildBook, News, places
from otto.reconcile.foundry import Foundry, Heard, Result
from otto.testing import MemoryImageBuilder

ALL = tuple(Provider)


class SlowBuilder(MemoryImageBuilder):
    """Goes on when it may, and notes what was cut off."""

    def __init__(self, works: Works) -> None:
        super().__init__(works.clock)
        self.may = asyncio.Event()
        self.begun = asyncio.Event()
        self.cut: list[str] = []
        self.stubborn = False

    async def build(self, build: Build, report: Report) -> Image:
        self.begun.set()
        try:
            await self.may.wait()
        except asyncio.CancelledError:
            self.cut.append(build.name)
            if self.stubborn:
                await self.may.wait()
            raise
        return await super().build(build, report)


class Shop:
    """A book over a foundry whose builder waits for a word."""

    def __init__(self) -> None:
        self.works = Works()
        self.builder = SlowBuilder(self.works)
        self.works.foundry.builder = self.builder
        self.open = 0
        self.book = BuildBook(self.foundry, ALL)

    @asynccontextmanager
    async def foundry(self) -> AsyncIterator[Foundry]:
        self.open += 1
        try:
            yield self.works.foundry
        finally:
            self.open -= 1

    async def start(self, *names: str) -> Begun:
        return await self.book.start(names, (), ADA, anew=False)

    async def rest(self, begun: Begun, seen: int = 0) -> list[Heard]:
        heard = list[Heard]()
        while True:
            news = await self.book.news(begun.id, seen + len(heard))
            heard += news.heard
            if news.over:
                return heard


@pytest.fixture
async def shop() -> AsyncIterator[Shop]:
    made = Shop()
    yield made
    made.builder.may.set()
    await made.book.close()
    assert not made.open


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(buildbook, "_NEWS_SECONDS", 0.01)
    monkeypatch.setattr(buildbook, "_END_SECONDS", 0.05)


async def test_an_order_is_begun_on_record_followed_and_over(shop: Shop) -> None:
    begun = await shop.start("clowd")
    assert [build.name for build in begun.builds] == ["otto", "clowd"]
    (entry,) = [record.entry for record in shop.works.ledger.log]
    assert (entry.who, entry.what, entry.summary) == ("ada", "build", "otto for lab, clowd for lab")
    shop.builder.may.set()
    heard = await shop.rest(begun)
    assert [item.made.result for item in heard if item.made] == [Result.BUILT, Result.BUILT]
    assert [item.progress.message for item in heard if item.progress] == ["building"] * 2
    assert await shop.rest(begun, len(heard)) == []


async def test_what_is_told_of_an_image_holds_no_document_of_its_parts(shop: Shop) -> None:
    shop.builder.may.set()
    heard = await shop.rest(await shop.start("nginx"))
    assert [item.made.image.sbom for item in heard if item.made and item.made.image] == [""]
    (image,) = await shop.works.index.images()
    assert image.sbom


@pytest.mark.usefixtures("impatient")
async def test_news_that_do_not_come_are_not_waited_for_long(shop: Shop) -> None:
    begun = await shop.start("nginx")
    assert await shop.book.news(begun.id, 0) == News((), over=False)


async def test_news_come_at_once_when_there_are_some(shop: Shop) -> None:
    begun = await shop.start("nginx")
    waiting = asyncio.create_task(shop.book.news(begun.id, 0))
    await shop.builder.begun.wait()
    shop.builder.may.set()
    async with asyncio.timeout(2):
        assert (await waiting).heard


async def test_one_order_is_carried_out_at_a_time_and_the_next_finds_what_was_made(shop: Shop) -> None:
    first, second = await shop.start("nginx"), await shop.start("nginx", "haproxy")
    await shop.builder.begun.wait()
    shop.builder.may.set()
    await shop.rest(first)
    heard = await shop.rest(second)
    results = {item.build.name: item.made.result for item in heard if item.made}
    assert results == {"nginx": Result.CACHED, "haproxy": Result.BUILT}
    assert shop.builder.built == ["nginx", "haproxy"]


async def test_a_broken_off_order_is_cut_off_and_the_next_one_begins(shop: Shop) -> None:
    first, second = await shop.start("nginx"), await shop.start("haproxy")
    await shop.builder.begun.wait()
    await shop.book.cancel(first.id)
    assert shop.builder.cut == ["nginx"]
    assert (await shop.book.news(first.id, 0)).over
    await shop.book.cancel(first.id)
    shop.builder.may.set()
    assert [item.made.result for item in await shop.rest(second) if item.made] == [Result.BUILT]


@pytest.mark.usefixtures("impatient")
async def test_an_order_that_does_not_end_is_told_and_not_waited_for(shop: Shop) -> None:
    shop.builder.stubborn = True
    begun = await shop.start("nginx")
    await shop.builder.begun.wait()
    with pytest.raises(TransientError, match="does not end"):
        await shop.book.cancel(begun.id)
    async with asyncio.timeout(2):
        await shop.book.close()
    shop.builder.may.set()
    await asyncio.sleep(0.01)


async def test_whoever_closes_the_book_breaks_everything_off(shop: Shop) -> None:
    for _ in range(3):
        await shop.start("nginx")
    await shop.builder.begun.wait()
    await shop.book.close()
    assert shop.builder.cut == ["nginx"]
    assert not shop.open


async def test_more_orders_than_may_wait_are_refused(shop: Shop) -> None:
    for _ in range(8):
        await shop.start("nginx")
    with pytest.raises(TransientError, match="8 orders of images wait already"):
        await shop.start("nginx")


async def test_orders_that_are_over_are_forgotten_in_the_end(shop: Shop) -> None:
    shop.builder.may.set()
    orders = [await shop.start("nginx") for _ in range(1)]
    await shop.rest(orders[0])
    for _ in range(25):
        orders.append(await shop.start("nginx"))
        await shop.rest(orders[-1])
    assert (await shop.book.news(orders[-1].id, 0)).over
    with pytest.raises(UsageError, match="knows of no order"):
        await shop.book.news(orders[0].id, 0)


async def test_what_cannot_be_begun_is_told_and_leaves_nothing(shop: Shop) -> None:
    with pytest.raises(UsageError, match="no image 'apache'"):
        await shop.start("apache")
    shop.builder.failures.next("builds", ValueError("a mistake"))
    with pytest.raises(ValueError, match="a mistake"):
        await shop.start("nginx")
    assert not shop.open
    assert not shop.works.ledger.log


async def test_whoever_goes_while_it_is_begun_leaves_no_order(shop: Shop) -> None:
    asking = asyncio.create_task(shop.start("nginx"))
    await asyncio.sleep(0)
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking
    await asyncio.sleep(0.05)
    assert not shop.open
    assert not shop.builder.built


@pytest.mark.parametrize(
    ("allowed", "asked", "found"),
    [
        (ALL, (), (Provider.LAB,)),
        (ALL, (Provider.AWS, Provider.AWS), (Provider.AWS,)),
        ((Provider.AWS,), (Provider.LAB,), "lab may not be touched"),
        ((Provider.AWS,), (), "cannot try an image"),
    ],
)
def test_where_images_are_made(
    allowed: tuple[Provider, ...], asked: tuple[Provider, ...], found: tuple[Provider, ...] | str
) -> None:
    if not isinstance(found, str):
        assert places(allowed, asked) == found
        return
    with pytest.raises(UsageError, match=found):
        places(allowed, asked)
