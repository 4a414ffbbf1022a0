"""Images made: what is there is left alone, what fails stops no other, only good ones come into the index."""

import asyncio
from dataclasses import replace

import pytest

from otto.model.errors import TransientError
from otto.model.image import CANDIDATE, STABLE, Channel, ImageName, short_id
from otto.model.saying import Speaker
from otto.model.spec import Provider
from otto.reconcile.foundry import Foundry, Heard, Made, Result
from otto.testing import START, FakeClock, MemoryImageBuilder, MemoryImageIndex, MemoryLedger

ADA = Speaker("ada", START, "root")


class Works:
    """A foundry over ports in memory."""

    def __init__(self, at_once: int = 2) -> None:
        self.clock = FakeClock()
        self.builder = MemoryImageBuilder(self.clock)
        self.index = MemoryImageIndex()
        self.ledger = MemoryLedger()
        self.foundry = Foundry(self.builder, self.index, self.ledger, self.clock, at_once)
        self.heard: list[Heard] = []

    async def make(self, *names: str, anew: bool = False) -> dict[str, Made]:
        builds = [replace(item, anew=anew) for item in self.builder.builds(Provider.LAB, names)]
        return {made.build.name: made for made in await self.foundry.make(builds, ADA, self.heard.append)}

    @property
    def recorded(self) -> list[str]:
        return [
            f"{entry.who}: {entry.summary}: {entry.reason}"
            for entry in (record.entry for record in self.ledger.log)
        ]

    async def channels(self, name: str) -> dict[str, str]:
        return {channel.name: channel.digest for channel in await self.index.channels(name)}


@pytest.fixture
def works() -> Works:
    return Works()


async def test_the_first_of_its_name_is_candidate_and_stable_and_later_ones_candidate_alone(
    works: Works,
) -> None:
    first = (await works.make("nginx"))["nginx"]
    assert first.channels == (CANDIDATE, STABLE)
    works.builder.inputs["nginx"] = "2"
    second = (await works.make("nginx"))["nginx"]
    assert second.channels == (CANDIDATE,)
    assert await works.channels("nginx") == {CANDIDATE: second.build.digest, STABLE: first.build.digest}
    stable = await works.index.find(ImageName("nginx", STABLE))
    assert stable is not None
    assert stable.digest == first.build.digest


async def test_every_channel_that_a_build_moves_is_on_record(works: Works) -> None:
    first = short_id((await works.make("nginx"))["nginx"].build.digest)
    await works.make("nginx")
    works.builder.inputs["nginx"] = "2"
    second = short_id((await works.make("nginx"))["nginx"].build.digest)
    assert works.recorded == [
        f"ada: nginx@candidate points at {first}: it was built",
        f"ada: nginx@stable points at {first}: the first of its name",
        f"ada: nginx@candidate points at {second}, from {first}: it was built",
    ]
    assert {record.entry.what for record in works.ledger.log} == {"promote"}
    assert {record.entry.detail["as"] for record in works.ledger.log} == {"root"}


async def test_a_channel_does_not_move_when_that_cannot_be_put_on_record(works: Works) -> None:
    works.ledger.failures.next("append", TransientError("disk full"))
    made = (await works.make("nginx"))["nginx"]
    assert made.result is Result.FAILED
    assert await works.channels("nginx") == {}
    again = (await works.make("nginx"))["nginx"]
    assert (again.result, again.channels) == (Result.CACHED, (CANDIDATE, STABLE))


async def test_nothing_is_built_twice_from_the_same_inputs(works: Works) -> None:
    await works.make("nginx", "haproxy")
    again = await works.make("nginx", "haproxy")
    assert {made.result for made in again.values()} == {Result.CACHED}
    assert sorted(works.builder.built) == ["haproxy", "nginx"]


@pytest.mark.parametrize("gone", [True, False])
async def test_what_the_provider_lost_or_somebody_wants_anew_is_built_again(works: Works, gone: bool) -> None:
    await works.make("nginx")
    if gone:
        works.builder.artifacts.clear()
    made = (await works.make("nginx", anew=not gone))["nginx"]
    assert made.result is Result.BUILT
    image = await works.index.image(made.build.digest)
    assert image is not None
    assert ("lab", image.artifacts["lab"].id) in works.builder.artifacts


async def test_going_back_to_older_inputs_points_the_candidate_back(works: Works) -> None:
    first = (await works.make("nginx"))["nginx"]
    works.builder.inputs["nginx"] = "2"
    await works.make("nginx")
    works.builder.inputs["nginx"] = "1"
    back = (await works.make("nginx"))["nginx"]
    assert (back.result, back.channels) == (Result.CACHED, (CANDIDATE,))
    assert (await works.channels("nginx"))[CANDIDATE] == first.build.digest


@pytest.mark.parametrize("error", [TransientError("packer failed"), ValueError("nobody thought of it")])
async def test_one_that_fails_stops_no_other_and_is_not_in_the_index(works: Works, error: Exception) -> None:
    works.builder.broken["nginx"] = error
    made = await works.make("nginx", "haproxy")
    assert (made["nginx"].result, made["haproxy"].result) == (Result.FAILED, Result.BUILT)
    assert made["nginx"].error
    assert [image.name for image in await works.index.images()] == ["haproxy"]
    assert await works.channels("nginx") == {}


async def test_an_image_whose_parent_fails_is_held(works: Works) -> None:
    works.builder.broken["otto"] = TransientError("packer failed")
    made = await works.make("clowd", "nginx")
    assert {name: item.result for name, item in made.items()} == {
        "otto": Result.FAILED,
        "clowd": Result.HELD,
        "nginx": Result.BUILT,
    }


async def test_parents_are_built_first(works: Works) -> None:
    await works.make("clowd")
    assert works.builder.built == ["otto", "clowd"]


async def test_what_was_revoked_is_not_brought_back_by_building_it(works: Works) -> None:
    first = (await works.make("nginx"))["nginx"]
    await works.index.point(Channel("nginx", CANDIDATE, "sha256:other", works.clock.now(), "ada"))
    await works.index.revoke(first.build.digest, "it leaks")
    for anew in (False, True):
        made = (await works.make("nginx", anew=anew))["nginx"]
        assert made.result is Result.FAILED
        assert "it leaks" in str(made.error)
    assert (await works.channels("nginx"))[CANDIDATE] == "sha256:other"
    assert works.builder.built == ["nginx"]


async def test_no_more_are_built_at_once_than_may_be() -> None:
    works = Works(at_once=1)
    gate = works.builder.failures.hold("build")
    task = asyncio.create_task(works.make("nginx", "haproxy"))
    await gate.reached()
    assert works.builder.built == []
    gate.open()
    await task
    assert works.builder.built == ["nginx", "haproxy"]


async def test_whoever_listens_hears_progress_and_then_the_end(works: Works) -> None:
    await works.make("nginx")
    assert [heard.progress.message for heard in works.heard if heard.progress] == ["building"]
    assert [heard.made.result for heard in works.heard if heard.made] == [Result.BUILT]
