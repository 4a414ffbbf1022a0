"""Images that nobody needs are removed, those that somebody needs are not."""

import asyncio
from dataclasses import dataclass, field, replace

import pytest
from tests.unit.cli.test_images import host
from tests.unit.decide.imagery import built, channel, digest, image

from otto.model.catalogue import RememberedSpec
from otto.model.desired import Desired
from otto.model.errors import TransientError
from otto.model.image import Image
from otto.model.observed import Applied
from otto.model.saying import Speaker
from otto.model.spec import HostGroup, Provider
from otto.model.status import Phase, SiteStatus
from otto.reconcile.pruning import candidates, prune
from otto.testing import START, MemoryStore, site_spec

ADA = Speaker("ada", START, "root")


@dataclass
class Remover:
    """Removes artifacts, but those that are in use."""

    used: frozenset[str] = frozenset()
    gone: list[tuple[Provider, str]] = field(default_factory=list)

    async def remove(self, provider: Provider, artifact: str) -> None:
        if artifact in self.used:
            raise TransientError(f"a host runs on {artifact}")
        self.gone.append((provider, artifact))


@pytest.fixture
def store() -> MemoryStore:
    return MemoryStore()


async def fill(store: MemoryStore, *numbers: int) -> None:
    for number in numbers:
        await store.images.add(image(number))


async def needless(store: MemoryStore, keep: int = 0) -> list[str]:
    return [one.digest for one in await candidates(store, keep)]


async def test_whoever_needs_an_image_keeps_it(store: MemoryStore) -> None:
    await fill(store, *range(1, 8))
    await store.images.point(channel(1))
    spec = site_spec("acme", web=HostGroup(1, "small", f"nginx@{digest(2)}"))
    await store.remember([RememberedSpec(spec, "c0ffee")])
    runs = SiteStatus("acme", Phase.READY, START, hosts=(host("acme-web-1", "lab-3"),))
    await store.save_status(runs)
    desired = Desired(spec, "c0ffee", {"web": "lab-4", "balancer": "sha256:base"}, "m", {}, "c")
    await store.save_applied("acme", Applied(desired=desired))
    await store.save_status(SiteStatus("gone", Phase.ORPHANED, START))
    await store.save_applied("gone", Applied(desired=replace(desired, images={"web": "lab-5"})))
    assert await needless(store) == [digest(6), digest(7)]
    assert await needless(store, keep=1) == [digest(6)]
    assert await needless(store, keep=9) == []


async def test_images_go_with_what_was_built_of_them_on_record(store: MemoryStore) -> None:
    both = replace(image(1), artifacts={**built(), **built("aws")})
    await store.images.add(both)
    remover = Remover()
    done = await prune(store, remover, [both], ADA, "tidying")
    assert list(done.gone) == [both]
    assert remover.gone == [(Provider.AWS, "aws-1"), (Provider.LAB, "lab-1")]
    assert await store.images.images() == ()
    (entry,) = [record.entry for record in store.ledger.log]
    assert (entry.what, entry.who, entry.reason) == ("prune", "ada", "tidying")
    assert entry.detail["digest"] == digest(1)


async def test_one_that_cannot_be_removed_stays_and_stops_no_other(store: MemoryStore) -> None:
    await fill(store, 1, 2)
    done = await prune(store, Remover(frozenset({"lab-1"})), [image(1), image(2)], ADA, "")
    assert [one.digest for one in done.gone] == [digest(2)]
    assert done.failed == {digest(1): "a host runs on lab-1"}
    assert [one.digest for one in await store.images.images()] == [digest(1)]
    assert len(store.ledger.log) == 1


async def test_cut_off_in_the_middle_the_next_time_finishes(store: MemoryStore) -> None:
    await fill(store, 1)
    store.images.failures.next("drop", TransientError("killed"))
    with pytest.raises(TransientError):
        await prune(store, Remover(), [image(1)], ADA, "")
    left: tuple[Image, ...] = await candidates(store, 0)
    done = await prune(store, Remover(), left, ADA, "")
    assert [one.digest for one in done.gone] == [digest(1)]
    assert await store.images.images() == ()


def test_an_empty_index_has_nothing_to_remove() -> None:
    assert asyncio.run(candidates(MemoryStore(), 0)) == ()
